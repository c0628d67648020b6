"""Where in its run a network stands.

Responsible for the few numbers that an exact continuation needs besides the specs and the
parameters; knows nothing of files.
"""

from __future__ import annotations

import attrs


@attrs.frozen
class Position:
    """Iterations behind and the place in the present epoch.

    A run that goes on from saved parameters and the position saved with them gives the same bits as
    one that was never interrupted. ``attrs.asdict(position)`` and ``Position(**saved)`` take it to
    a file and back.

    Parameters
    ----------
    step
        Iterations done.
    epoch
        Epochs completed.
    step_in_epoch
        Iterations done of the present epoch.
    rate
        The learning rate where it was set during the run; None for the training spec's own.
    elapsed_s
        Seconds spent so far, pauses left out.
    """

    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    rate: float | None = None
    elapsed_s: float = 0.0

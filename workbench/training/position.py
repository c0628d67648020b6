"""Where in its run a network stands.

Responsible for the few numbers that an exact continuation needs besides the specs and the
parameters; knows nothing of files.
"""

from __future__ import annotations

import math

import attrs

from workbench.core.errors import SpecError


def check_rate(_: object, __: object, rate: float) -> None:
    """Raise SpecError unless `rate` is a positive finite number; an attrs validator."""
    if not (math.isfinite(rate) and rate > 0):
        raise SpecError(f"The rate cannot be {rate}.", "Give a positive number, such as 0.1.")


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
    """

    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    rate: float | None = attrs.field(default=None, validator=attrs.validators.optional(check_rate))

    def after(self, count: int, iterations_per_epoch: int) -> Position:
        """Return the position `count` iterations later, none of them beyond the present epoch."""
        done = self.step_in_epoch + count
        ended = done >= iterations_per_epoch
        return Position(self.step + count, self.epoch + ended, 0 if ended else done, self.rate)

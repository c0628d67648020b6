"""What the window edits: one frozen description of network, training run, data and device.

Responsible for the description that undo swaps; knows no widget.
"""

from __future__ import annotations

import attrs

from workbench.spec.data import DataSpec
from workbench.spec.network import NetworkSpec
from workbench.spec.training import TrainingSpec


@attrs.frozen
class DocumentState:
    """All that an edit can change; equal states compare equal.

    Parameters
    ----------
    network, training, data
        The specs that a run is started from.
    device
        Id of the device, or None for the default one.
    """

    network: NetworkSpec
    training: TrainingSpec
    data: DataSpec
    device: str | None = None

"""What other threads may know of an engine, even one whose device does not answer.

Responsible for looking and for what can be rescued; knows neither threads nor what is done about
it. Nothing here asks the device.
"""

from __future__ import annotations

import attrs

from workbench.engine.backends.base import Device
from workbench.io.model_file import ModelFile
from workbench.spec.data import DataSpec
from workbench.training.history import History
from workbench.training.model_files import model_file
from workbench.training.session import Session


@attrs.frozen(eq=False)
class AtHand:
    """A session, what was measured in it, and which data it has."""

    session: Session
    history: History
    data: DataSpec


class Lifeline:
    """Held at one end by the engine's thread, which says what it works with.

    Attributes
    ----------
    device
        What is computing, or will be next.
    at_hand
        The session that can be asked. Both are replaced by single assignments, and what is read of
        them here never changes, so no lock is needed.
    """

    def __init__(self) -> None:
        self.device: Device | None = None
        self.at_hand: AtHand | None = None

    @property
    def overdue_s(self) -> int:
        """Seconds for which the device has not answered, once they are too many; else 0."""
        return 0 if self.device is None else self.device.watch.overdue_s

    @property
    def device_id(self) -> str:
        """What the device is called; empty where there is none."""
        return "" if self.device is None else self.device.info.id

    def rescue(self) -> ModelFile | None:
        """Return the model with the last parameters that were copied from the device."""
        at_hand = self.at_hand
        if at_hand is None:
            return None
        session = at_hand.session
        return model_file(session, at_hand.data, at_hand.history, session.kept)

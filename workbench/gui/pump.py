"""The pump: ten times a second the newest snapshot goes from the mailbox to the window.

Responsible for how often there is anything to draw; knows neither trainer nor panel.
"""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from workbench.training.events import Snapshot
from workbench.training.mailbox import Mailbox

#: Milliseconds between two looks into the mailbox: nothing that follows is drawn more often, and
#: each look takes this thread's time from the training.
FRAME_MS = 100
#: Milliseconds between two changes of what is written in words and digits.
TEXT_MS = 500


class Pump(QObject):
    """Looks into a mailbox while a run goes on.

    Parameters
    ----------
    snapshots
        Where the trainer leaves the newest snapshot.

    Signals
    -------
    snapshot_taken(object)
        Something to draw; at most ten times a second.
    text_due(object)
        The same snapshot, at most twice a second: digits that change faster cannot be read.
    """

    snapshot_taken = Signal(object)
    text_due = Signal(object)

    def __init__(self, snapshots: Mailbox[Snapshot], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._snapshots = snapshots
        self._since_text = QElapsedTimer()
        self._timer = QTimer(self, interval=FRAME_MS)
        self._timer.timeout.connect(self._on_timer_timeout)

    def start(self) -> None:
        """Look from now on."""
        self._timer.start()

    def stop(self) -> None:
        """Hand over what is left, and look no more; a run that rests costs nothing."""
        self._timer.stop()
        self._since_text.invalidate()
        self._on_timer_timeout()

    def _on_timer_timeout(self) -> None:
        snapshot = self._snapshots.take()
        if snapshot is None:
            return
        self.snapshot_taken.emit(snapshot)
        if not self._since_text.isValid() or self._since_text.hasExpired(TEXT_MS):
            self._since_text.start()
            self.text_due.emit(snapshot)

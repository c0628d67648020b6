"""Ctrl-C and SIGTERM as a signal of Qt.

Responsible for waking Qt's loop when the system signals; knows nothing of what follows.
"""

from __future__ import annotations

import signal
import socket
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, Signal


class SystemSignals(QObject):
    """Catches SIGINT and SIGTERM until `stop`.

    Signals
    -------
    received()
        One of them came.
    """

    received = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # Python runs no handler while Qt waits; the byte that it writes at once wakes Qt.
        self._ours, theirs = socket.socketpair()
        for end in (self._ours, theirs):
            end.setblocking(False)
        self._theirs = theirs
        self._wakeup_before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        self._before = {
            number: signal.signal(number, _ignore) for number in (signal.SIGINT, signal.SIGTERM)
        }
        self._notifier = QSocketNotifier(self._ours.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_notifier_activated)

    def stop(self) -> None:
        """Let the signals do again what they did before."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._ours.close()
        self._theirs.close()

    def _on_notifier_activated(self) -> None:
        numbers = self._ours.recv(64)
        if set(numbers) & {signal.SIGINT, signal.SIGTERM}:
            self.received.emit()


def _ignore(_: int, __: FrameType | None) -> None:
    """Take a signal of which Qt's loop has been told already."""

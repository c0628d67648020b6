"""Ctrl-C and SIGTERM as a signal of Qt.

Responsible for waking Qt's loop when the system signals; knows nothing of what follows.
"""

from __future__ import annotations

import signal
import socket
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, Signal

_CAUGHT = (signal.SIGINT, signal.SIGTERM)


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
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        for number in _CAUGHT:
            signal.signal(number, _ignore)
        self._notifier = QSocketNotifier(self._ours.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_notifier_activated)

    def stop(self) -> None:
        """Take no more of them, as the process ends already: a second Ctrl-C does no harm."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(-1)
        for number in _CAUGHT:
            signal.signal(number, signal.SIG_IGN)
        self._ours.close()
        self._theirs.close()

    def _on_notifier_activated(self) -> None:
        numbers = self._ours.recv(64)
        if set(numbers) & set(_CAUGHT):
            self.received.emit()


def _ignore(_: int, __: FrameType | None) -> None:
    """Take a signal of which Qt's loop has been told already."""

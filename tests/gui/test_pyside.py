"""What is asked of PySide itself."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal


class _Sender(QObject):
    sent = Signal(bool)


def test_emitting_leaves_the_references_to_true_alone() -> None:
    # PySide6 6.12.0 drops one with each emit on Python below 3.12, until the process aborts.
    # From Python 3.12 on True is immortal, and its count says nothing.
    sender = _Sender()
    before = sys.getrefcount(True)
    for _ in range(50):
        sender.sent.emit(True)
    assert abs(sys.getrefcount(True) - before) < 10

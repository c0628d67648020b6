"""A mailbox in which only the newest thing stays.

Responsible for handing frozen values from one thread to another; knows nothing of what they are. It
holds the only lock of the workbench.
"""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds at most one item: putting replaces, taking empties. Never blocks for long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._item: T | None = None

    def put(self, item: T) -> None:
        """Leave `item`, in place of one that nobody has taken."""
        with self._lock:
            self._item = item

    def take(self) -> T | None:
        """Return the newest item and empty the mailbox; None when nothing has come since."""
        with self._lock:
            item, self._item = self._item, None
        return item

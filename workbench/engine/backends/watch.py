"""Whether a device answers, as any thread can see it.

Responsible for when a wait began and how long one may take; knows neither devices nor what is done
about one that does not answer.
"""

from __future__ import annotations

import math
import time
from types import TracebackType

#: Seconds that a device may take to answer before anybody is told.
PATIENCE_S = 10.0
#: The same while kernels are built, and at their first run, when some drivers build them.
BUILD_PATIENCE_S = 120.0
#: How many times longer than ever before an answer may take.
_LONGER = 3.0


class Watch:
    """Knows since when a device is being waited for.

    The thread that uses the device enters the watch as a context around every call that waits; only
    this thread may. Every other thread may look.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._longest_s = 0.0
        self._building = False

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        since, self._since = self._since, None
        if since is not None and not self._building:
            self._longest_s = max(self._longest_s, time.monotonic() - since)

    def expect_building(self) -> None:
        """Have patience from now on: what is waited for includes the building of kernels."""
        self._building = True

    def expect_running(self) -> None:
        """Expect the usual again: all kernels that were built have run."""
        self._building = False

    @property
    def building(self) -> bool:
        """Whether what is waited for may be a compiler, which on a busy machine takes minutes."""
        return self._building

    @property
    def patience_s(self) -> float:
        """Seconds that the present wait may take: a device that is slow by nature is given more."""
        patience = BUILD_PATIENCE_S if self._building else PATIENCE_S
        return max(patience, _LONGER * self._longest_s)

    @property
    def overdue_s(self) -> int:
        """Seconds, the last one begun, without an answer, once they are too many; else 0."""
        since = self._since
        waited = 0.0 if since is None else time.monotonic() - since
        # Rounded up: rounded to the nearest, it might seem to be less than is allowed.
        return math.ceil(waited) if waited > self.patience_s else 0

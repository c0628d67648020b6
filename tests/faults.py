"""A driver that fails, with the error codes that real ones give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workbench.engine.backends.opencl.driver import cl

STATUS = cl.status_code


def failure(code: int, routine: str = "clFailing") -> cl.Error:
    """Return the exception by which pyopencl tells of an error of the driver."""
    if code in (STATUS.MEM_OBJECT_ALLOCATION_FAILURE, STATUS.OUT_OF_HOST_MEMORY):
        kind = cl.MemoryError
    else:
        kind = cl.LogicError if code <= STATUS.INVALID_VALUE else cl.RuntimeError
    return kind(cl._cl._ErrorRecord(routine=routine, code=code, msg=""))


class Driver:
    """Stands before pyopencl, at the calls that a device's work consists of.

    Attributes
    ----------
    launching, copying
        The error that launches and copies fail with from now on; None while they work.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.launching: int | None = None
        self.copying: int | None = None
        self._stand_before(patch, "enqueue_nd_range_kernel", lambda: self.launching)
        self._stand_before(patch, "enqueue_copy", lambda: self.copying)

    def lose(self, code: int) -> None:
        """Fail at everything, as when a card is pulled out."""
        self.launching = self.copying = code

    def mend(self) -> None:
        """Work again."""
        self.launching = self.copying = None

    def _stand_before(
        self, patch: pytest.MonkeyPatch, name: str, failing: Callable[[], int | None]
    ) -> None:
        real = getattr(cl, name)

        def call(*arguments: Any, **options: Any) -> Any:
            code = failing()
            if code is not None:
                raise failure(code, name)
            return real(*arguments, **options)

        patch.setattr(cl, name, call)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    """Return the driver of this test."""
    return Driver(monkeypatch)

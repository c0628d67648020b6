"""A driver that fails, with the error codes that real ones give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from workbench.engine.backends.catalogue import devices
from workbench.engine.backends.opencl import runtime
from workbench.engine.backends.opencl.codegen.arguments import Kernel
from workbench.engine.backends.opencl.driver import cl
from workbench.engine.backends.opencl.recall import Recall
from workbench.engine.backends.verdicts import Verdict, keep, stored

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
    launches
        How many were asked for.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.launching: int | None = None
        self.copying: int | None = None
        self.launches = 0
        self._lost_at: int | None = None
        self._code = 0
        self._hangs = False
        self._never: list[cl.Event] = []
        self._stand_before(patch, "enqueue_nd_range_kernel", lambda: self.launching)
        self._stand_before(patch, "enqueue_copy", lambda: self.copying)

    def lose(self, code: int) -> None:
        """Fail at everything, as when a card is pulled out."""
        self.launching = self.copying = code

    def lose_after(self, launches: int, code: int) -> None:
        """Be lost as soon as so many launches have been asked for from now on."""
        self._lost_at, self._code = self.launches + launches, code

    def mend(self) -> None:
        """Work again."""
        self._lost_at = None
        self.launching = self.copying = None

    def hang(self) -> None:
        """Never come to an end with the next launch, and so with nothing behind it."""
        self._hangs = True

    def release(self) -> None:
        """Come to an end with all that hangs."""
        self._hangs = False
        for event in self._never:
            event.set_status(cl.command_execution_status.COMPLETE)
        self._never.clear()

    def _hang(self, queue: cl.CommandQueue) -> None:
        self._hangs = False
        self._never.append(cl.UserEvent(queue.context))
        cl.enqueue_barrier(queue, wait_for=self._never[-1:])

    def _stand_before(
        self, patch: pytest.MonkeyPatch, name: str, failing: Callable[[], int | None]
    ) -> None:
        real = getattr(cl, name)

        def call(*arguments: Any, **options: Any) -> Any:
            self.launches += name == "enqueue_nd_range_kernel"
            if self._lost_at is not None and self.launches > self._lost_at:
                self.lose(self._code)
            code = failing()
            if code is not None:
                raise failure(code, name)
            if self._hangs and name == "enqueue_nd_range_kernel":
                self._hang(arguments[0])
            return real(*arguments, **options)

        patch.setattr(cl, name, call)


@pytest.fixture
def checked() -> str:
    """Return the first OpenCL device, which counts as checked: faults are no part of its check."""
    found = [info for info in devices() if info.type != "reference"]
    if not found:
        pytest.skip("no OpenCL driver")
    if stored(found[0]) is None:
        keep(found[0], Verdict("trusted"))
    return found[0].id


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """Return the driver of this test."""
    driver = Driver(monkeypatch)
    yield driver
    driver.release()


def break_kernels(patch: pytest.MonkeyPatch, word: str) -> None:
    """Let kernels in whose own text a word stands not build."""
    real = runtime.program_text

    def text(kernels: Sequence[Kernel]) -> str:
        bad = any(word in kernel.text for kernel in kernels)
        return real(kernels) + ("int f() { return nowhere; }" if bad else "")

    patch.setattr(runtime, "program_text", text)
    # What was built before must not be known.
    patch.setattr(Recall, "programs", lambda *_: {})
    patch.setattr(Recall, "remember", lambda *_: None)


def refuse_memory(patch: pytest.MonkeyPatch) -> None:
    """Let no buffer be had."""

    def refuse(*_: object) -> None:
        raise failure(STATUS.MEM_OBJECT_ALLOCATION_FAILURE, "clCreateBuffer")

    patch.setattr(runtime, "_Buffer", refuse)

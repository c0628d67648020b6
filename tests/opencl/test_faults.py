"""Whatever a driver fails with, the error says which of the known troubles it is."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import attrs
import numpy as np
import pytest

from tests.faults import STATUS, Driver, break_kernels, driver, failure
from workbench.core.errors import BuildFailed, DeviceError, DeviceLost, OutOfMemory
from workbench.engine.backends.opencl import faults, runtime
from workbench.engine.backends.opencl.codegen.arguments import Kernel
from workbench.engine.backends.opencl.device import OpenCLDevice, open_opencl
from workbench.engine.function import Function, function
from workbench.engine.graph.origin import made_by
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable, shared

__all__ = ["driver"]


@pytest.fixture
def fresh(device: OpenCLDevice) -> OpenCLDevice:
    """Return a device that may be lost: nobody else uses it."""
    return open_opencl(device.info.id)


@pytest.fixture
def triple(fresh: OpenCLDevice) -> Function:
    return function([], shared(np.arange(5, dtype="float32")) * 3, device=fresh)


# Memory -------------------------------------------------------------------------------------------


def rows() -> Variable:
    return Variable(TensorType("float32", (False, False)), name="rows")


def outer(device: OpenCLDevice, layer: int = 2) -> Function:
    """Return a function whose intermediate values grow with the square of its input."""
    x = rows()
    with made_by(layer, "dense"):
        product = x.dot(x.T)
    return function([x], product.dot(x).sum(), device=device)


def test_a_plan_that_does_not_fit_is_refused_before_anything_is_asked_for(
    fresh: OpenCLDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = attrs.evolve(fresh.info, memory_bytes=1_000_000)
    monkeypatch.setattr(fresh.runtime, "info", small)
    f = outer(fresh)
    allocated = fresh.counters.buffers_allocated
    with pytest.raises(
        OutOfMemory, match=r"no room for .* of dot in layer 3 dense: it has 1 MB"
    ) as caught:
        f(np.ones((1000, 2), "float32"))
    assert caught.value.layer == 2
    assert "smaller batch" in caught.value.hint
    assert fresh.counters.buffers_allocated == allocated
    assert not fresh.lost
    assert f(np.ones((3, 2), "float32")) == 36


def test_an_array_larger_than_the_device_takes_at_once_is_refused(
    fresh: OpenCLDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh.runtime, "largest_bytes", 100_000)
    with pytest.raises(OutOfMemory, match=r"an array of 4 MB .* takes at most 100 kB at once"):
        outer(fresh)(np.ones((1000, 2), "float32"))
    with pytest.raises(OutOfMemory, match="an array of 800 kB for pictures"):
        function([], shared(np.ones(100_000), "pictures") * 2, device=fresh)


def test_what_is_given_back_counts_no_more(fresh: OpenCLDevice) -> None:
    before = fresh.counters.bytes_alive
    buffer = fresh.runtime.allocate(1000, "a test")
    assert fresh.counters.bytes_alive == before + 1000
    del buffer
    assert fresh.counters.bytes_alive == before


def test_a_plan_that_is_given_up_gives_its_memory_back(
    device: OpenCLDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.engine.function.MAX_PLANS", 3)
    x = Variable(TensorType("float32", (False,)))
    f = function([x], (x * 2).sum() / x, device=device)
    gc.collect()
    gc.disable()
    try:
        alive = []
        for length in range(1, 9):
            f(np.ones(length, "float32"))
            alive.append(device.counters.buffers_alive)
    finally:
        gc.enable()
    assert len(set(alive[3:])) == 1


@pytest.mark.parametrize(
    "code",
    [
        STATUS.MEM_OBJECT_ALLOCATION_FAILURE,
        STATUS.OUT_OF_RESOURCES,
        STATUS.OUT_OF_HOST_MEMORY,
        STATUS.INVALID_BUFFER_SIZE,
    ],
)
def test_a_driver_that_finds_no_memory(
    fresh: OpenCLDevice,
    triple: Function,
    driver: Driver,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise failure(code, "clCreateBuffer")

    with monkeypatch.context() as patch:
        patch.setattr(runtime, "_Buffer", refuse)
        with pytest.raises(OutOfMemory, match=r"ran out of memory while allocating 20 bytes"):
            triple()
    # Many drivers find out only when the memory is used.
    driver.launching = code
    with pytest.raises(OutOfMemory, match="ran out of memory while running kernels"):
        triple()
    assert not fresh.lost
    driver.mend()
    assert triple().tolist() == [0, 3, 6, 9, 12]


# Compilers ----------------------------------------------------------------------------------------


def test_a_kernel_that_does_not_build_names_its_layer(
    fresh: OpenCLDevice,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    x = rows()
    with made_by(1, "dense"):
        product = x.dot(x.T)
    with made_by(4, "tanh"):
        sums = product.max(axis=0).tanh()
    f = function([x], [product, sums], device=fresh)
    ones = np.ones((4, 3), "float32")
    with monkeypatch.context() as patch:
        break_kernels(patch, "tanh(")
        with pytest.raises(
            BuildFailed, match=r"in layer 5 tanh.* does not build .*nowhere"
        ) as caught:
            f(ones)
    error = caught.value
    assert error.layer == 4
    assert "\n" not in str(error)
    assert len(error.message) < 500
    (log,) = (tmp_path / "logs").iterdir()
    assert str(log) in error.hint
    assert "nowhere" in log.read_text()
    assert "__kernel" in log.read_text()
    assert "nowhere" in str(error.__cause__)
    assert not fresh.lost
    assert f(ones)[0].tolist() == [[3] * 4] * 4
    capfd.readouterr()


def test_a_kernel_of_several_layers_blames_none() -> None:
    assert faults.layer_of("dot in layer 2 dense") == 1
    assert faults.layer_of("dot in layer 2 dense + add in layer 2 dense") == 1
    assert faults.layer_of("dot in layer 2 dense + tanh in layer 5 tanh") is None
    assert faults.layer_of("add at program.py, line 3") is None


def test_a_kernel_that_does_not_build_names_the_line(
    fresh: OpenCLDevice, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    f = function([], shared(np.arange(3.0)).exp(), device=fresh)
    break_kernels(monkeypatch, "exp(")
    with pytest.raises(BuildFailed, match=r"exp at test_faults.py, line \d+") as caught:
        f()
    assert caught.value.layer is None
    capfd.readouterr()


def test_a_log_that_cannot_be_kept_is_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    kernel = Kernel("k", "text", (), (1,), (1,), "")
    error = faults.build_fault([kernel], "error: all of it", "some:0")
    assert "error: all of it" in error.message
    assert "log" not in error.hint


# Devices that go ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        STATUS.DEVICE_NOT_AVAILABLE,
        STATUS.OUT_OF_RESOURCES,
        STATUS.INVALID_COMMAND_QUEUE,
        STATUS.INVALID_CONTEXT,
        STATUS.INVALID_DEVICE,
        STATUS.EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST,
        -9999,
    ],
)
def test_a_device_that_vanishes_between_two_runs(
    fresh: OpenCLDevice, triple: Function, driver: Driver, code: int
) -> None:
    triple()
    driver.lose(code)
    with pytest.raises(DeviceLost, match="was lost while running kernels") as caught:
        triple()
    assert "Train again" in caught.value.hint
    assert fresh.lost
    driver.mend()
    again = open_opencl(fresh.info.id)
    assert not again.lost
    assert function([], shared(np.ones(2)) * 2, device=again)().tolist() == [2, 2]


def test_a_device_that_vanishes_while_its_results_are_read(
    fresh: OpenCLDevice, triple: Function, driver: Driver
) -> None:
    triple.enqueue()
    driver.lose(STATUS.DEVICE_NOT_AVAILABLE)
    with pytest.raises(DeviceLost, match="while copying from the device"):
        triple.collect()
    assert fresh.lost


def test_another_error_is_told_as_it_is(
    fresh: OpenCLDevice, triple: Function, driver: Driver
) -> None:
    triple()
    driver.launching = STATUS.INVALID_WORK_GROUP_SIZE
    with pytest.raises(DeviceError, match="INVALID_WORK_GROUP_SIZE") as caught:
        triple()
    assert type(caught.value) is DeviceError
    # Nobody knows what state it is in.
    assert fresh.lost


# Devices that do not answer -----------------------------------------------------------------------


def test_a_wait_is_seen_from_another_thread(
    fresh: OpenCLDevice, triple: Function, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    triple()
    monkeypatch.setattr("workbench.engine.backends.watch.PATIENCE_S", 0.05)
    assert fresh.watch.overdue_s == 0
    driver.hang()
    results: list[list[float]] = []
    thread = threading.Thread(target=lambda: results.append(triple().tolist()))
    thread.start()
    try:
        while not fresh.watch.overdue_s:
            assert thread.is_alive()
            thread.join(0.01)
        assert fresh.watch.overdue_s > 0.05
    finally:
        driver.release()
        thread.join(10)
    assert results == [[0, 3, 6, 9, 12]]
    assert fresh.watch.overdue_s == 0

"""The driver's errors as ours, memory, and what devices are called."""

from __future__ import annotations

import warnings

import attrs
import numpy as np
import pytest

from workbench.core.errors import DeviceError, OutOfMemory, UnknownDevice
from workbench.engine.backends.opencl import runtime
from workbench.engine.backends.opencl.codegen.arguments import Kernel, with_name
from workbench.engine.backends.opencl.device import OpenCLDevice, open_opencl
from workbench.engine.backends.opencl.driver import cl
from workbench.engine.function import function
from workbench.engine.graph.scan import scan
from workbench.engine.graph.variable import shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it


def kernel(body: str) -> Kernel:
    text = f"__kernel void @NAME@(__global int *a) {{ {body} }}"
    name, text = with_name("made", text)
    return Kernel(name, text, (), (1,), (1,), "made")


def test_equal_kernels_are_built_once(device: OpenCLDevice) -> None:
    before = device.counters.programs_compiled
    device.runtime.build([kernel("a[0] = 41;"), kernel("a[0] = 42;")])
    device.runtime.build([kernel("a[0] = 42;"), kernel("a[0] = 41;")])
    assert device.counters.programs_compiled - before == 1
    device.runtime.build([])
    assert device.counters.programs_compiled - before == 1


def test_a_kernel_that_does_not_build_says_why(
    device: OpenCLDevice, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DeviceError, match=r"does not build on .*:\d.*nowhere") as caught:
        device.runtime.build([kernel("a[0] = nowhere;")])
    assert "\n" not in str(caught.value)
    capfd.readouterr()


def test_compilers_say_nothing_to_the_user(
    device: OpenCLDevice, capfd: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        device.runtime.build([kernel("int unused; a[0] == 1; a[0] = 43;")])
    assert capfd.readouterr() == ("", "")


def test_too_large_an_array_says_so(device: OpenCLDevice) -> None:
    with pytest.raises(OutOfMemory, match="no room for an array of 1,125,900 GB") as caught:
        device.runtime.allocate(2**50, "results")
    assert "smaller batch" in caught.value.hint


def test_float64_is_refused_where_it_is_missing(device: OpenCLDevice) -> None:
    poor = OpenCLDevice(device.runtime.device, attrs.evolve(device.info, float64=False))
    assert function([], shared(np.ones(3, "float32")) * 2, device=poor)().tolist() == [2, 2, 2]
    for value in (np.ones(3), np.ones(3, "int64")):
        with pytest.raises(UnknownDevice, match="does not compute in float64") as caught:
            function([], shared(value) / 2, device=poor)()
        assert "float32" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "vendor", "slug"),
    [
        ("Portable Computing Language", "The pocl project", "pocl"),
        ("Intel(R) OpenCL", "Intel(R) Corporation", "intel"),
        ("NVIDIA CUDA", "NVIDIA Corporation", "nvidia"),
        ("AMD Accelerated Parallel Processing", "Advanced Micro Devices, Inc.", "amd"),
        ("Apple", "Apple", "apple"),
        ("Clover", "Mesa", "clover"),
        ("ARM Platform (r2)", "Arm", "arm-platform-r2"),
        ("", "", "opencl"),
    ],
)
def test_platforms_have_short_names(name: str, vendor: str, slug: str) -> None:
    assert runtime.platform_slug(name, vendor) == slug


def test_devices_are_described(device: OpenCLDevice) -> None:
    info = device.info
    assert info.type in ("cpu", "gpu", "accelerator")
    assert info.compute_units >= 1
    assert info.memory_bytes > 2**20
    assert info.name
    assert info.driver


def test_without_a_driver_there_is_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_platforms() -> None:
        raise cl.LogicError("clGetPlatformIDs", -1001, "")

    monkeypatch.setattr(runtime.cl, "get_platforms", no_platforms)
    assert runtime.found_devices() == []
    with pytest.raises(UnknownDevice, match="no OpenCL device 'pocl:0'"):
        open_opencl("pocl:0")


def test_a_driver_without_devices_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class Empty:
        name = vendor = version = "Empty"

        def get_devices(self) -> None:
            raise cl.RuntimeError("clGetDeviceIDs", -1, "")

    monkeypatch.setattr(runtime.cl, "get_platforms", lambda: [Empty()])
    assert runtime.found_devices() == []


def test_a_queue_that_records_times(device: OpenCLDevice) -> None:
    timed = OpenCLDevice(device.runtime.device, device.info, profiling=True)
    x = shared(np.ones((300, 500)))
    f = function([], T.sum(T.dot(x, x.T)), device=timed)
    f()
    before = timed.counters.kernels_launched
    timed.launches()
    f()
    found = timed.launches()
    assert len(found) == timed.counters.kernels_launched - before >= 2
    (plan,) = f.plans
    assert {launch.plan for launch in found} == {plan}
    assert sorted({n for launch in found for n in launch.steps}) == list(range(len(plan.steps)))
    assert all(launch.label and 0 < launch.seconds < 60 for launch in found)
    assert timed.launches() == []


def test_copies_and_the_kernels_of_turns_are_recorded_too(device: OpenCLDevice) -> None:
    timed = OpenCLDevice(device.runtime.device, device.info, profiling=True)
    a, b = shared(np.ones(8)), shared(np.zeros(8))
    total, _ = scan(lambda x, s: s + x, sequences=[a], outputs_info=[b[0]])
    f = function([], total[-1], updates=[(a, b), (b, a)], device=timed)
    f()
    found = timed.launches()
    assert len({launch.plan for launch in found}) == 2
    assert sum(launch.plan not in f.plans for launch in found) >= 8
    assert "copy" in {launch.label for launch in found}


def test_a_queue_that_does_not_record(device: OpenCLDevice) -> None:
    function([], shared(np.ones(10)) * 2, device=device)()
    assert device.launches() == []

"""Bound plans: rings of results, shared memory, what a run costs, and the same bits every time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from workbench.core.errors import DeviceError
from workbench.engine.backends.opencl.codegen.arguments import Kernel
from workbench.engine.backends.opencl.codegen.program import generate
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.backends.opencl.executable import MAX_RUNS_IN_FLIGHT, OpenCLExecutable
from workbench.engine.backends.opencl.runtime import DeviceStorage
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import CompileOptions, function
from workbench.engine.graph.grad import grad
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import HostStorage, SharedVariable, Variable, shared
from workbench.engine.lower.node import HostScalar, Load, Nodes
from workbench.engine.lower.plan import Buffer, Copy, Loops, Plan, Store
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it


def scalar(name: str, dtype: str) -> Variable:
    return Variable(TensorType(dtype), name=name)


def bound(device: OpenCLDevice, plan: Plan, *on: SharedVariable, slots: int = 4) -> Any:
    for variable in on:
        device.place(variable)
    executable = device.bind(plan, on, slots)
    assert isinstance(executable, OpenCLExecutable)
    return executable


def loads(plan_buffers: Sequence[Buffer]) -> list[Any]:
    nodes = Nodes()
    return [nodes.make(Load(b.id), (), b.shape, b.dtype) for b in plan_buffers]


def copies(*steps: tuple[int, int], buffers: Sequence[Buffer], outputs: tuple[int, ...]) -> Plan:
    return Plan(tuple(buffers), (), (), tuple(Copy(*s) for s in steps), outputs)


def test_a_plan_made_by_hand_adds_a_scalar(device: OpenCLDevice) -> None:
    buffers = (Buffer(0, "input", 0, (3, 5), "float32"), Buffer(1, "output", 0, (3, 5), "float32"))
    nodes = Nodes()
    x = nodes.make(Load(0), (), (3, 5), "float32")
    rate = nodes.make(HostScalar(0), (), (), "float32")
    total = nodes.make(T.add(shared(1.0), 1.0).owner.op, (x, rate), (3, 5), "float32")
    plan = Plan(buffers, (), ("float32",), (Loops((Store(1, total),), (3, 5), "add"),), (1,))
    executable = bound(device, plan)
    inputs = [np.arange(15, dtype="float32").reshape(3, 5)]
    for slot, rate_value in enumerate((1.0, -2.0, 0.5)):
        executable.enqueue([inputs[0] + slot], [np.float32(rate_value)], slot)
    (found,) = executable.collect(3)
    np.testing.assert_array_equal(found, [inputs[0] + 1, inputs[0] - 1, inputs[0] + 2.5])


def test_copies_reach_the_slot_of_their_run(device: OpenCLDevice) -> None:
    buffers = [
        Buffer(0, "input", 0, (2, 3), "int64"),
        Buffer(1, "temp", -1, (2, 3), "int64", 0),
        Buffer(2, "output", 0, (2, 3), "int64"),
        Buffer(3, "output", 1, (6,), "int64"),
    ]
    plan = copies((0, 1), (1, 2), (2, 3), buffers=buffers, outputs=(2, 3))
    executable = bound(device, plan)
    values = [np.arange(6).reshape(2, 3) * (run + 1) for run in range(4)]
    for slot in (2, 0, 3, 1):
        executable.enqueue([values[slot]], [], slot)
    first, second = executable.collect(4)
    np.testing.assert_array_equal(first, values)
    np.testing.assert_array_equal(second, [v.ravel() for v in values])
    with pytest.raises(IndexError):
        executable.enqueue([values[0]], [], 4)


def test_arrays_without_elements_pass_through(device: OpenCLDevice) -> None:
    buffers = [Buffer(0, "input", 0, (0, 3), "float32"), Buffer(1, "output", 0, (0, 3), "float32")]
    executable = bound(device, copies((0, 1), buffers=buffers, outputs=(1,)))
    executable.enqueue([np.zeros((0, 3), "float32")], [], 0)
    assert executable.collect(1)[0].shape == (1, 0, 3)
    x = Variable(TensorType("float64", (False, False)), name="x")
    f = function([x], [x * 2, T.sum(x, axis=0), T.sum(x), T.dot(x, x.T)], device=device)
    before = device.counters.snapshot()
    double, columns, total, square = f(np.zeros((0, 3)))
    assert (double.shape, columns.tolist(), float(total)) == ((0, 3), [0, 0, 0], 0)
    assert square.shape == (0, 0)
    # The two sums share a launch; nothing is launched for what has no elements.
    assert device.counters.kernels_launched - before.kernels_launched == 1


def test_temporaries_share_an_allocation(device: OpenCLDevice) -> None:
    buffers = [
        Buffer(0, "input", 0, (4,), "float64"),
        Buffer(1, "temp", -1, (4,), "float64", 0),
        Buffer(2, "temp", -1, (8,), "float32", 0),
        Buffer(3, "output", 0, (4,), "float64"),
    ]
    plan = copies((0, 1), (1, 3), buffers=buffers, outputs=(3,))
    before = device.counters.buffers_allocated
    bound(device, plan)
    assert device.counters.buffers_allocated - before == 3


def classifier(
    device: OpenCLDevice, dtype: str = "float32", slots: int = 64
) -> tuple[Any, list[SharedVariable]]:
    """Return one training step of a small network, and its parameters."""
    rng = np.random.default_rng(4)
    images = shared(rng.integers(0, 256, (300, 20)).astype("uint8"))
    labels = shared(rng.integers(0, 5, 300).astype("int32"))
    sizes = ((20, 13), (13,), (13, 5), (5,))
    parameters = [shared(rng.normal(0, 0.3, size).astype(dtype)) for size in sizes]
    w1, b1, w2, b2 = parameters
    start, rate = scalar("start", "int64"), scalar("rate", dtype)
    x = T.cast(images[start : start + 37], dtype) * np.dtype(dtype).type(1 / 256)
    y = labels[start : start + 37]
    p = T.softmax(T.dot(T.tanh(T.dot(x, w1) + b1), w2) + b2)
    score = T.mean(T.log(p)[T.arange(37), y])
    updates = [(v, v + rate * grad(score, v)) for v in parameters]
    return function([start, rate], score, updates, device=device, slots=slots), parameters


def test_a_thousand_runs_build_and_allocate_nothing(device: OpenCLDevice) -> None:
    step, _ = classifier(device)
    step(0, 0.1)
    (plan,) = step.plans
    before = device.counters.snapshot()
    for _ in range(20):
        for run in range(50):
            step.enqueue(37 * (run % 7), 0.1)
        step.collect()
    after = device.counters
    assert after.programs_compiled == before.programs_compiled
    assert after.buffers_allocated == before.buffers_allocated
    assert after.bytes_to_device == before.bytes_to_device
    launches = [k for k in generate(plan, device.target) if isinstance(k, Kernel)]
    assert after.kernels_launched - before.kernels_launched == 1000 * len(launches)
    assert after.bytes_from_device - before.bytes_from_device == 1000 * 4


def test_runs_give_the_same_bits(product_device: OpenCLDevice, precision: str) -> None:
    def run() -> list[np.ndarray]:
        step, parameters = classifier(product_device, precision)
        for i in range(30):
            step.enqueue(37 * (i % 7), 0.2)
        return [step.collect()[0], *(v.get_value() for v in parameters)]

    for first, second in zip(run(), run(), strict=True):
        assert first.tobytes() == second.tobytes()


def test_runs_agree_with_the_reference(product_device: OpenCLDevice, precision: str) -> None:
    results = []
    for device in (product_device, ReferenceDevice()):
        step, parameters = classifier(device, precision)
        scores = [step(37 * (i % 7), 0.2) for i in range(30)]
        results.append([np.array(scores), *(v.get_value() for v in parameters)])
    tolerance = 2e-5 if precision == "float32" else 1e-12
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_more_runs_than_may_be_in_flight_come_out_in_order(device: OpenCLDevice) -> None:
    count, value = 3 * MAX_RUNS_IN_FLIGHT, scalar("value", "float64")
    total = shared(0.0)
    f = function([value], total * 1, [(total, total + value)], device=device, slots=count)
    for run in range(count):
        f.enqueue(run)
    (found,) = f.collect()
    np.testing.assert_array_equal(found, np.concatenate([[0], np.cumsum(np.arange(count - 1))]))


def test_scalars_are_told_apart_by_more_than_equality(device: OpenCLDevice) -> None:
    value = scalar("value", "float64")
    f = function([value], 1 / (value * shared(np.ones(2))), device=device)
    assert f(0.0).tolist() == [np.inf] * 2
    assert f(-0.0).tolist() == [-np.inf] * 2


def test_shared_variables_stay_bound_through_new_values(device: OpenCLDevice) -> None:
    v = shared(np.arange(3.0))
    f = function([], v * 2, device=device)
    assert f().tolist() == [0, 2, 4]
    before = device.counters.buffers_allocated
    v.set_value([5, 6, 7])
    assert f().tolist() == [10, 12, 14]
    assert device.counters.buffers_allocated == before
    v.storage = HostStorage(np.array([1.0, 1.0, 1.0]))
    assert f().tolist() == [2, 2, 2]
    assert isinstance(v.storage, DeviceStorage)
    v.set_value([1, 2])
    assert f().tolist() == [2, 4]
    v.set_value([3, 2, 1])
    assert f().tolist() == [6, 4, 2]


def test_a_plan_refuses_a_shared_variable_of_another_shape(device: OpenCLDevice) -> None:
    v = shared(np.arange(3.0), name="weights")
    buffers = [Buffer(0, "shared", 0, (3,), "float64"), Buffer(1, "output", 0, (3,), "float64")]
    executable = bound(device, copies((0, 1), buffers=buffers, outputs=(1,)), v)
    v.set_value(np.arange(4.0))
    with pytest.raises(DeviceError, match=r"weights .* shape \(4,\) instead of \(3,\)"):
        executable.enqueue([], [], 0)


def test_two_devices_pass_a_shared_variable_on(device: OpenCLDevice) -> None:
    v = shared(np.arange(3.0))
    here = function([], v * 2, [(v, v + 1)], device=device)
    there = function([], v * 3, [(v, v + 1)], device=ReferenceDevice())
    assert [f().tolist() for f in (here, there, here)] == [[0, 2, 4], [3, 6, 9], [4, 6, 8]]
    np.testing.assert_array_equal(v.get_value(), [3, 4, 5])


def test_unfused_plans_run_too(product_device: OpenCLDevice, rng: np.random.Generator) -> None:
    a, b = shared(rng.random((5, 7))), shared(rng.random((7, 3)))
    out = T.softmax(T.dot(a, b) + 1)
    options = CompileOptions(fuse=False)
    found = function([], out, device=product_device, options=options)()
    np.testing.assert_allclose(found, function([], out, device=product_device)(), rtol=1e-13)

"""Loops on every device against plain Python, and what they cost."""

from __future__ import annotations

import numpy as np

from tests.loops import CASES
from workbench.engine.backends.base import Device
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import function
from workbench.engine.graph.grad import grad
from workbench.engine.graph.random import RandomStreams
from workbench.engine.graph.scan import scan
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def test_loops_and_their_derivatives_agree(device: OpenCLDevice, precision: str) -> None:
    # One function, so that one program holds all kernels.
    inputs, arrays, outputs, names = [], [], [], []
    wanted: list[np.ndarray] = []
    for case in CASES:
        variables, values = case.inputs(precision), case.arrays(precision)
        results = case.outputs(variables)
        slopes = grad(sum(T.sum(T.sin(v)) for v in results), variables)
        inputs += variables
        arrays += values
        outputs += [*results, *slopes]
        names += [case.name] * (len(results) + len(slopes))
        wanted += case.expected(values)
        wanted += function(variables, slopes, device=ReferenceDevice())(*values)
    f = function(inputs, outputs, device=device)
    tolerance = TOLERANCE[precision]
    for name, found, right in zip(names, f(*arrays), wanted, strict=True):
        assert found.shape == right.shape, name
        np.testing.assert_allclose(found, right, tolerance, tolerance, err_msg=name)


def recurrent() -> tuple[Variable, Variable, Variable]:
    x = Variable(TensorType("float32", (False, False)), name="x")
    w = shared(np.eye(3, dtype="float32") * 0.5, "w")
    states, _ = scan(lambda row, h: T.tanh(h * w[0] + row), x, T.zeros_like(x[0]))
    cost = states.sum()
    return x, cost, grad(cost, w)


def test_more_steps_need_no_new_kernels(device: OpenCLDevice) -> None:
    x, _, slope = recurrent()
    f = function([x], slope, device=device)
    f(np.ones((90, 3), "float32"))
    compiled = device.counters.programs_compiled
    f(np.ones((100, 3), "float32"))
    assert device.counters.programs_compiled == compiled
    before = device.counters.snapshot()
    f(np.ones((100, 3), "float32"))
    assert device.counters.buffers_allocated == before.buffers_allocated
    assert device.counters.kernels_launched - before.kernels_launched >= 200


def test_runs_may_wait_for_each_other(device: OpenCLDevice) -> None:
    # Outputs lie in rings of slots; what a loop reads and writes does not.
    x, cost, slope = recurrent()
    f = function([x], [cost, slope], device=device, slots=3)
    batches = [np.full((4, 3), value, "float32") for value in (0.1, 0.5, 1.0)]
    wanted = function([x], [cost, slope], device=ReferenceDevice(), slots=3)
    for batch in batches:
        f.enqueue(batch)
        wanted.enqueue(batch)
    for found, right in zip(f.collect(), wanted.collect(), strict=True):
        np.testing.assert_allclose(found, right, 1e-5, 1e-5)


def test_a_shared_variable_may_move_between_calls(device: OpenCLDevice) -> None:
    rows, w = shared(np.ones((2, 3), "float32")), shared(np.ones(3, "float32"), "w")
    f = function([], scan(lambda row, h: h + row * w, rows, w)[0][-1], device=device)
    np.testing.assert_array_equal(f(), [3, 3, 3])
    w.set_value(np.full(3, 2, "float32"))
    np.testing.assert_array_equal(f(), [6, 6, 6])
    function([], None, updates=[(w, w * 2)], device=ReferenceDevice())()
    np.testing.assert_array_equal(f(), [12, 12, 12])


def test_random_numbers_in_a_loop_are_those_of_the_reference(device: OpenCLDevice) -> None:
    def draws(on: Device) -> np.ndarray:
        stream = RandomStreams(11)
        drawn, updates = scan(lambda: stream.uniform((5,), dtype="float32"), n_steps=3)
        f = function([], drawn, updates=updates, device=on)
        return np.concatenate([f(), f()])

    found = draws(device)
    np.testing.assert_array_equal(found, draws(ReferenceDevice()))
    assert len(np.unique(found)) == 30

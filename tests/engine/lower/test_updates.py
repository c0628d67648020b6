"""Updates happen together: no order of kernels may let one see another's result."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import CompileOptions, Function, function
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import SharedVariable, Variable, shared
from workbench.engine.lower.memory import reads_of, writes_of
from workbench.engine.lower.plan import Copy
from workbench.nn import expressions as ops

Updates = Sequence[tuple[SharedVariable, Variable]]

a0 = np.arange(6.0).reshape(2, 3) + 1
b0 = a0 * 10
s0 = np.array([[1.0, 2.0], [3.0, 5.0]])


def compiled(updates: Updates, outputs: Sequence[Variable] = (), fuse: bool = True) -> Function:
    return function(
        [], list(outputs), updates, device=ReferenceDevice(), options=CompileOptions(fuse=fuse)
    )


def swap() -> tuple[Updates, list[np.ndarray]]:
    a, b = shared(a0), shared(b0)
    return [(a, b), (b, a)], [b0, a0]


def swap_with_arithmetic() -> tuple[Updates, list[np.ndarray]]:
    a, b = shared(a0), shared(b0)
    return [(a, b + 1), (b, a * 2)], [b0 + 1, a0 * 2]


def rotate() -> tuple[Updates, list[np.ndarray]]:
    a, b, c = shared(a0), shared(b0), shared(a0 + 100)
    return [(a, b), (b, c), (c, a)], [b0, a0 + 100, a0]


def transpose_in_place() -> tuple[Updates, list[np.ndarray]]:
    s = shared(s0)
    return [(s, s.T)], [s0.T]


def add_own_transpose() -> tuple[Updates, list[np.ndarray]]:
    s = shared(s0)
    return [(s, s + s.T)], [s0 + s0.T]


def product_with_itself() -> tuple[Updates, list[np.ndarray]]:
    s = shared(s0)
    return [(s, s + 0.5 * ops.dot(s, s))], [s0 + 0.5 * s0 @ s0]


def momentum() -> tuple[Updates, list[np.ndarray]]:
    w, v = shared(a0), shared(b0)
    velocity = 0.9 * v + 1
    return [(w, w + velocity), (v, velocity)], [a0 + 0.9 * b0 + 1, 0.9 * b0 + 1]


def centre_each_row() -> tuple[Updates, list[np.ndarray]]:
    a, b = shared(a0), shared(b0)
    mean = a.sum(axis=1, keepdims=True) / 3
    expected = a0.sum(1, keepdims=True) / 3
    return [(a, a - mean), (b, a + mean)], [a0 - expected, a0 + expected]


def scale_by_total() -> tuple[Updates, list[np.ndarray]]:
    a, b = shared(a0), shared(b0)
    return [(a, a / a.sum()), (b, b * a)], [a0 / a0.sum(), b0 * a0]


def same_value_twice() -> tuple[Updates, list[np.ndarray]]:
    a, b = shared(a0), shared(b0)
    both = a + b
    return [(a, both), (b, both)], [a0 + b0, a0 + b0]


def nothing_new() -> tuple[Updates, list[np.ndarray]]:
    a = shared(a0)
    return [(a, a)], [a0]


CASES = [
    swap,
    swap_with_arithmetic,
    rotate,
    transpose_in_place,
    add_own_transpose,
    product_with_itself,
    momentum,
    centre_each_row,
    scale_by_total,
    same_value_twice,
    nothing_new,
]


@pytest.mark.parametrize("fuse", [True, False], ids=["fused", "unfused"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_updates_see_only_old_values(
    case: Callable[[], tuple[Updates, list[np.ndarray]]], fuse: bool
) -> None:
    updates, expected = case()
    compiled(updates, fuse=fuse)()
    for (variable, _), value in zip(updates, expected, strict=True):
        np.testing.assert_allclose(variable.get_value(), value, rtol=1e-15)


def test_outputs_are_computed_before_updates() -> None:
    a = shared(a0)
    old, new = compiled([(a, a + 1)], [a, a + 1])()
    np.testing.assert_array_equal(old, a0)
    np.testing.assert_array_equal(new, a0 + 1)
    np.testing.assert_array_equal(a.get_value(), a0 + 1)


def test_an_elementwise_update_needs_no_copy() -> None:
    a = shared(a0)
    run = compiled([(a, a + 1)])
    run()
    (plan,) = run.plans
    assert len(plan.steps) == 1
    assert all(buffer.role == "shared" for buffer in plan.buffers)


def test_an_update_that_would_spoil_its_own_input_goes_through_a_temporary() -> None:
    s = shared(s0)
    run = compiled([(s, s + s.T)])
    run()
    (plan,) = run.plans
    assert isinstance(plan.steps[-1], Copy)


def test_a_chain_of_updates_is_ordered_without_temporaries() -> None:
    a, b = shared(a0), shared(b0)
    run = compiled([(a, a + 1), (b, b + a)])
    run()
    np.testing.assert_array_equal(b.get_value(), b0 + a0)
    assert not any(isinstance(step, Copy) for step in run.plans[0].steps)


def test_shared_memory_is_never_alive_twice() -> None:
    x = Variable(TensorType("float64", (False, False)), name="x")
    value: Variable = x
    for _ in range(6):
        value = ops.dot(ops.exp(ops.dot(value, value.T)), value)
    run = function([x], [value], device=ReferenceDevice())
    run(np.full((3, 3), 0.1))
    (plan,) = run.plans
    temps = {b.id: b.storage for b in plan.buffers if b.role == "temp"}
    assert len(set(temps.values())) < len(temps)
    lives = {}
    for buffer in temps:
        touched = [
            i for i, step in enumerate(plan.steps) if buffer in reads_of(step) | writes_of(step)
        ]
        lives[buffer] = (min(touched), max(touched))
    for one, (start, end) in lives.items():
        for other, (begin, finish) in lives.items():
            if one < other and temps[one] == temps[other]:
                assert end < begin or finish < start

"""What shares a kernel, counted; and what must not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import CompileOptions, Function, function
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable
from workbench.engine.lower.plan import Loops, Product
from workbench.nn import expressions as ops

rng = np.random.default_rng(0)


def matrix(name: str, dtype: str = "float64") -> Variable:
    return Variable(TensorType(dtype, (False, False)), name=name)


def vector(name: str, dtype: str = "float64") -> Variable:
    return Variable(TensorType(dtype, (False,)), name=name)


def run(
    inputs: Sequence[Variable], outputs: Sequence[Variable], *arrays: np.ndarray
) -> tuple[Function, list[np.ndarray]]:
    fused = function(inputs, outputs, device=ReferenceDevice())
    plain = function(
        inputs, outputs, device=ReferenceDevice(), options=CompileOptions(rewrite=False, fuse=False)
    )
    results = fused(*arrays)
    for one, other in zip(results, plain(*arrays), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)
    return fused, results


def test_a_chain_of_elementwise_operations_is_one_kernel() -> None:
    x, y = matrix("x"), matrix("y")
    f, _ = run([x, y], [ops.tanh(x * y + 1) - ops.exp(-y)], rng.random((3, 5)), rng.random((3, 5)))
    assert len(f.plans[0].steps) == 1


def test_bias_and_activation_ride_in_the_product() -> None:
    x, w, b = matrix("x"), matrix("w"), vector("b")
    f, _ = run(
        [x, w, b],
        [ops.tanh(ops.dot(x, w) + b)],
        rng.random((4, 3)),
        rng.random((3, 5)),
        rng.random(5),
    )
    (step,) = f.plans[0].steps
    assert isinstance(step, Product)
    assert len(step.stores) == 1


def test_bytes_are_cast_and_scaled_in_the_load() -> None:
    x, w = matrix("x", "uint8"), matrix("w", "float32")
    scaled = ops.cast(x, "float32") * 0.5
    f, _ = run(
        [x, w],
        [ops.dot(scaled, w)],
        rng.integers(0, 255, (4, 3), dtype=np.uint8),
        rng.random((3, 5), np.float32),
    )
    assert len(f.plans[0].steps) == 1


def test_gathered_and_transposed_operands_ride_in_the_load() -> None:
    x, w, rows = matrix("x"), matrix("w"), vector("rows", "int32")
    f, _ = run(
        [x, w, rows],
        [ops.dot(x[rows].T, w)],
        rng.random((9, 3)),
        rng.random((4, 5)),
        np.array([8, 0, -1, 3], np.int32),
    )
    assert len(f.plans[0].steps) == 1


def test_softmax_is_one_kernel_over_rows() -> None:
    x = matrix("x")
    f, _ = run([x], [ops.softmax(x)], rng.random((7, 5)))
    (step,) = f.plans[0].steps
    assert isinstance(step, Loops)
    assert step.rows == (7,)


def test_a_reduction_that_every_row_needs_is_computed_once() -> None:
    x = matrix("x")
    f, _ = run([x], [x - x.sum()], rng.random((7, 5)))
    first, second = f.plans[0].steps
    assert isinstance(first, Loops)
    assert isinstance(second, Loops)
    assert first.rows == ()
    assert second.rows == (7, 5)


def test_a_column_sum_that_every_row_needs_is_computed_once() -> None:
    x = matrix("x")
    f, _ = run([x], [x - x.sum(axis=0)], rng.random((7, 5)))
    first, second = f.plans[0].steps
    assert isinstance(first, Loops)
    assert first.rows in ((5,), (1, 5))
    assert isinstance(second, Loops)


def test_a_reduction_of_reductions_repeats_nothing() -> None:
    x = matrix("x")
    f, _ = run([x], [ops.log_softmax(x).sum()], rng.random((7, 5)))
    assert len(f.plans[0].steps) == 2


def test_very_long_rows_are_cut_up() -> None:
    x = matrix("x")
    f, _ = run([x], [ops.softmax(x)], rng.random((2, 5000)))
    assert len(f.plans[0].steps) > 1
    assert all(isinstance(s, Loops) and np.prod(s.rows, dtype=int) >= 2 for s in f.plans[0].steps)


def test_a_dear_value_that_two_kernels_share_is_stored() -> None:
    x = matrix("x")
    dear = ops.exp(x)
    f, _ = run([x], [dear.sum(axis=0), dear.sum(axis=1)], rng.random((4, 4)))
    assert len(f.plans[0].steps) == 3


def test_a_value_used_by_a_product_and_after_it_keeps_order() -> None:
    x, w = matrix("x"), matrix("w")
    h = ops.tanh(ops.dot(x, w))
    back = ops.dot(h, w.T)
    f, _ = run([x, w], [h * 2 + ops.dot(back, w)], rng.random((3, 4)), rng.random((4, 4)))
    assert sum(isinstance(s, Product) for s in f.plans[0].steps) == 3


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (1, 1)])
def test_empty_and_single_shapes(shape: tuple[int, int]) -> None:
    x, w = matrix("x"), matrix("w")
    z = ops.dot(x, w)
    run(
        [x, w],
        [z.sum(axis=0), z + 1, ops.exp(z).sum()],
        rng.random(shape),
        rng.random((shape[1], 2)),
    )


def test_an_output_may_be_an_input_a_constant_or_twice_the_same() -> None:
    x = matrix("x")
    y = x + 1
    _, (a, b, c, d) = run([x], [x, y, y, as_variable(3.0)], np.eye(2))
    np.testing.assert_array_equal(a, np.eye(2))
    np.testing.assert_array_equal(b, c)
    assert d == 3


def test_an_intermediate_product_that_is_asked_for_is_stored_too() -> None:
    x, w, b = matrix("x"), matrix("w"), vector("b")
    z = ops.dot(x, w)
    f, _ = run([x, w, b], [z, ops.tanh(z + b)], np.eye(3), rng.random((3, 2)), np.ones(2))
    (step,) = f.plans[0].steps
    assert len(step.stores) == 2

"""Derivatives: their types, their values at corners, and why some do not exist."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.core.errors import GraphError
from workbench.engine.graph import ops  # noqa: F401 - registers the functions
from workbench.engine.graph.check import verify_grad
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.grad import grad
from workbench.engine.graph.ops.elementwise import elementwise
from workbench.engine.graph.ops.registry import OPS
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import FUNCTIONS, Variable, shared


def _variable(name: str, ndim: int, dtype: str = "float64", **named: Any) -> Variable:
    flags = named.get("broadcastable", (False,) * ndim)
    return Variable(TensorType(dtype, flags), None, name)


def _slope(cost: Variable, wrt: Variable, value: Any) -> np.ndarray:
    (got,) = evaluate([grad(cost, wrt)], {wrt: np.asarray(value, wrt.dtype)})
    return got


@pytest.mark.parametrize(
    ("function", "at", "wanted"),
    [
        ("relu", [-1, 0, 2], [0, 0.5, 1]),
        ("abs", [-1, 0, 2], [-1, 0, 1]),
        ("sgn", [-1, 0, 2], [0, 0, 0]),
        ("floor", [-1.5, 0.5, 2], [0, 0, 0]),
        ("sqr", [-1, 0, 2], [-2, 0, 4]),
        ("sigmoid", [-800, 0, 800], [0, 0.25, 0]),
        ("softplus", [-800, 0, 800], [0, 0.5, 1]),
        ("tanh", [-800, 0, 800], [0, 1, 0]),
    ],
)
def test_derivative_at_corners(function: str, at: list[float], wanted: list[float]) -> None:
    x = _variable("x", 1)
    np.testing.assert_allclose(_slope(FUNCTIONS[function](x).sum(), x, at), wanted, atol=1e-300)


def test_relu_passes_nan_on() -> None:
    x = _variable("x", 1)
    (value,) = evaluate([x.relu()], {x: np.array([np.nan, -1.0, 1.0])})
    np.testing.assert_array_equal(value, [np.nan, 0, 1])


def test_ties_of_an_extreme_all_receive() -> None:
    x = _variable("x", 2)
    rows = [[1, 3, 3], [2, 2, 2]]
    np.testing.assert_array_equal(_slope(x.max(axis=1).sum(), x, rows), [[0, 1, 1], [1, 1, 1]])
    np.testing.assert_array_equal(_slope(x.min(), x, rows), [[1, 0, 0], [0, 0, 0]])
    y = _variable("y", 1)
    np.testing.assert_array_equal(_slope(y.maximum(2).sum(), y, [1, 2, 3]), [0, 1, 1])
    np.testing.assert_array_equal(_slope(y.clip(1, 2).sum(), y, [0, 1, 2, 3]), [0, 1, 1, 0])


def test_product_with_zeros() -> None:
    x = _variable("x", 2)
    rows = [[2, 3, 4], [0, 3, 4], [0, 0, 4]]
    wanted = [[12, 8, 6], [12, 0, 0], [0, 0, 0]]
    np.testing.assert_array_equal(_slope(x.prod(axis=1).sum(), x, rows), wanted)


def test_powers_at_zero() -> None:
    x, y = _variable("x", 1), _variable("y", 1)
    cost = (x**y).sum()
    values = {x: np.array([0.0, 0.0, 2.0]), y: np.array([0.0, 3.0, 2.0])}
    by_x, by_y = evaluate(grad(cost, [x, y]), values)
    np.testing.assert_allclose(by_x, [0, 0, 4])
    np.testing.assert_allclose(by_y, [0, 0, 4 * np.log(2)])
    np.testing.assert_array_equal(_slope((x**0).sum(), x, [0, 1]), [0, 0])


@pytest.mark.parametrize(
    ("flags", "shape"),
    [
        ((False, False), (3, 5)),
        ((True, False), (1, 5)),
        ((False, True), (3, 1)),
        ((True, True), (1, 1)),
        ((False,), (5,)),
        ((True,), (1,)),
        ((), ()),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_derivative_has_its_variables_type(
    flags: tuple[bool, ...], shape: tuple[int, ...], dtype: str
) -> None:
    x = _variable("x", len(flags), dtype, broadcastable=flags)
    y = _variable("y", 2)
    slope = grad((x * y + x).mean(), x)
    assert slope.type == x.type
    (value,) = evaluate([slope], {x: np.ones(shape, dtype), y: np.ones((3, 5))})
    np.testing.assert_allclose(value, np.full(shape, 2 / np.prod(shape)), rtol=1e-6)


def test_an_intermediate_value_and_what_lies_below_it() -> None:
    x = _variable("x", 1)
    h = x.tanh()
    by_h, by_x = evaluate(grad(h.sqr().sum(), [h, x]), {x: np.array([0.5, -1.0])})
    t = np.tanh([0.5, -1.0])
    np.testing.assert_allclose(by_h, 2 * t)
    np.testing.assert_allclose(by_x, 2 * t * (1 - t * t))


def test_stabilising_does_not_rewrite_what_is_differentiated_by() -> None:
    z = _variable("z", 2)
    p = z.softmax()
    cost = p.log().sum()
    by_p, by_z = evaluate(grad(cost, [p, z]), {z: np.zeros((1, 4))})
    np.testing.assert_allclose(by_p, np.full((1, 4), 4.0))
    np.testing.assert_allclose(by_z, np.zeros((1, 4)), atol=1e-12)


def test_consider_constant() -> None:
    x = _variable("x", 1)
    h = x.tanh()
    (value,) = evaluate([grad((h * x).sum(), x, consider_constant=[h])], {x: np.array([0.5, -1.0])})
    np.testing.assert_allclose(value, np.tanh([0.5, -1.0]))


def test_a_variable_used_twice_gets_the_sum() -> None:
    x = _variable("x", 1)
    np.testing.assert_array_equal(_slope((x * x + x).sum(), x, [2, 3]), [5, 7])


def test_the_cost_itself() -> None:
    x = _variable("x", 0)
    assert float(_slope(x, x, 3.0)) == 1.0


def test_no_scatter_in_the_log_likelihood() -> None:
    """The derivative of ``x[arange(n), y]`` is a comparison: no gather, no product of matrices."""
    z, y = _variable("z", 2), _variable("y", 1, "int32")
    arange = FUNCTIONS["arange"]
    for rows in (z.shape[0], y.shape[0]):
        cost = z.softmax().log()[arange(rows), y].mean()
        slope = grad(cost, z)
        names = {v.owner.op.name for v in topological([slope]) if v.owner is not None}
        assert "eq" in names
        assert not names & {"dot", "take"}
        verify_grad(
            lambda z, y: z.softmax().log()[arange(y.shape[0]), y].mean(),
            [np.random.default_rng(0).normal(size=(5, 4)), np.array([0, 3, 3, 1, 2])],
            np.random.default_rng(1),
        )


def test_fewer_labels_than_rows() -> None:
    z, y = _variable("z", 2), _variable("y", 1, "int64")
    slope = grad(z[FUNCTIONS["arange"](y.shape[0]), y].sum(), z)
    (value,) = evaluate([slope], {z: np.zeros((4, 3)), y: np.array([2, 0])})
    np.testing.assert_array_equal(value, [[0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_rows_taken_twice_receive_twice() -> None:
    x = _variable("x", 2)
    slope = _slope(x[[1, 1, -1]].sum(), x, np.zeros((3, 2)))
    np.testing.assert_array_equal(slope, [[0, 0], [2, 2], [1, 1]])


@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_log_likelihood_is_stable_at_huge_scores(scale: float) -> None:
    z, y = _variable("z", 2), _variable("y", 1, "int32")
    cost = FUNCTIONS["categorical_crossentropy"](z.softmax(), y).mean()
    scores = scale * np.array([[3.0, -2.0, 1.0], [-1.0, 4.0, 0.0]])
    labels = np.array([1, 0], "int32")
    (slope,) = evaluate([grad(cost, z)], {z: scores, y: labels})
    e = np.exp(scores - scores.max(1, keepdims=True))
    wanted = (e / e.sum(1, keepdims=True) - np.eye(3)[labels]) / 2
    np.testing.assert_allclose(slope, wanted, atol=1e-15)


def test_binary_crossentropy_is_stable_at_huge_scores() -> None:
    x, t = _variable("x", 1), _variable("t", 1)
    cost = FUNCTIONS["binary_crossentropy"](x.sigmoid(), t).sum()
    values = {x: np.array([-800.0, 800.0, 800.0]), t: np.array([1.0, 0.0, 1.0])}
    (slope,) = evaluate([grad(cost, x)], values)
    np.testing.assert_allclose(slope, [-1, 1, 0], atol=1e-300)


def test_the_cost_must_be_a_float_scalar() -> None:
    x = _variable("x", 1)
    with pytest.raises(GraphError, match=r"float scalar can be differentiated, not x of type"):
        grad(x, x)
    with pytest.raises(GraphError, match="float scalar"):
        grad(x.argmax(), x)


def test_integers_are_not_differentiated_by() -> None:
    x, i = _variable("x", 1), _variable("i", 1, "int32")
    with pytest.raises(GraphError, match="differentiated by i of type int32"):
        grad((x * i).sum(), i)


def test_a_disconnected_input_is_an_error_that_names_it() -> None:
    x, y = _variable("x", 1), _variable("y", 1)
    with pytest.raises(GraphError, match="does not depend on y of type") as caught:
        grad(x.sum(), [x, y])
    assert "ignore" in caught.value.hint


def test_a_path_without_derivative_is_named() -> None:
    x = _variable("x", 2)
    cost = (x.tanh().argmax(axis=1) * 1.5).mean()
    with pytest.raises(GraphError) as caught:
        grad(cost, x)
    assert "true_div <- sum <- mul <- cast <- argmax <- tanh" in caught.value.message
    assert "where cast passes no derivative on" in caught.value.message


def test_disconnected_inputs_give_zeros_when_asked() -> None:
    x, y = _variable("x", 1), _variable("y", 1)
    (value,) = evaluate([grad(x.sum(), y, disconnected_inputs="ignore")], {y: np.ones(3)})
    np.testing.assert_array_equal(value, np.zeros(3))
    with pytest.warns(UserWarning, match="does not depend on y"):
        grad(x.sum(), y, disconnected_inputs="warn")
    with pytest.raises(GraphError, match="disconnected_inputs='maybe'"):
        grad(x.sum(), y, disconnected_inputs="maybe")


def test_verify_grad_notices_a_wrong_derivative() -> None:
    wrong = elementwise("wrong", numpy=np.sin, cl="sin({0})", vjp=lambda g, out, _x: (g * out,))
    try:
        with pytest.raises(GraphError, match="finite differences give"):
            verify_grad(wrong, [np.array([0.3, 1.0])], np.random.default_rng(0))
    finally:
        OPS.remove("wrong")
        FUNCTIONS.remove("wrong")


def test_one_call_makes_a_complete_operation() -> None:
    cube = elementwise(
        "cube", numpy=lambda x: x**3, cl="{0} * {0} * {0}", vjp=lambda g, _out, x: (g * 3 * x**2,)
    )
    try:
        w = shared(np.array([[1.0, 2.0]]), "w", (True, False))
        x = _variable("x", 2)
        (value,) = evaluate([grad(cube(w * x).sum(), w)], {x: np.ones((3, 2))})
        np.testing.assert_allclose(value, [[9, 36]])
        verify_grad(lambda x: x.cube(), [np.array([0.3, 1.0])], np.random.default_rng(0))
    finally:
        OPS.remove("cube")
        FUNCTIONS.remove("cube")

"""Wrong expressions: each message names what does not fit and where it was made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from workbench.core.errors import GraphError, InputError
from workbench.engine.graph import ops  # noqa: F401 - registers the functions
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.origin import made_by
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import FUNCTIONS, Variable, shared

_X = np.zeros((3, 5))


def _variable(name: str, ndim: int, dtype: str = "float64") -> Variable:
    return Variable(TensorType(dtype, (False,) * ndim), None, name)


def _call(name: str, *args: Any, **named: Any) -> Callable[[Variable], Any]:
    return lambda x: FUNCTIONS[name](x, *args, **named)


@pytest.mark.parametrize(
    ("build", "parts"),
    [
        (lambda x: x.sum(axis=2), ["no axis 2", "x of type float64(?, ?)"]),
        (lambda x: x.sum(axis=(0, 0)), ["[0, 0]", "twice"]),
        (lambda x: x.dimshuffle(1), ["leaves out axis 0", "broadcastable"]),
        (lambda x: x.dimshuffle(0, 0, 1), ["(0, 0, 1)", "at most once"]),
        (lambda x: x.dimshuffle("y", 0, 1), ["('y', 0, 1)", '"x"']),
        (lambda x: x.reshape((-1, -1)), ["more than one -1"]),
        (lambda x: x.reshape((2.5, 2)), ["must be a 0-d integer", "2.5"]),
        (lambda x: x.flatten(3), ["flattened to 3 axes", "x of type float64(?, ?)"]),
        (lambda x: x.broadcast_to((3,)), ["more axes than the 1", "x of type"]),
        (lambda x: x.dot("w"), ["'w' cannot be part of an expression"]),
        (lambda x: x.and_(1), ["and_ does not take float64", "x of type"]),
        (lambda x: x.arange(), ["single numbers", "x of type"]),
        (lambda x: x.categorical_crossentropy(x.sum()), ["categorical_crossentropy", "labels"]),
        (lambda x: x.argmax().softmax().sum(), ["softmax does not take float64()"]),
        (lambda x: FUNCTIONS["concatenate"]([x, x.sum()]), ["same number of axes", "x of type"]),
        (lambda _x: FUNCTIONS["concatenate"]([]), ["no tensors"]),
        (lambda x: FUNCTIONS["stack"](x, 1.0), ["same number of axes"]),
        (lambda _x: FUNCTIONS["arange"](0, 5, 0), ["step of 0"]),
        (lambda x: FUNCTIONS["exp"](x, x), ["exp takes 1 arguments, not 2"]),
        (lambda x: FUNCTIONS["zeros"](x.argmax(axis=0)), ["known number of axes"]),
        (lambda x: bool(x > 0), ["gt(...) of type bool", "switch()"]),
        (lambda x: len(x), ["no length yet", "x.shape[0]"]),
        (lambda x: list(x), ["cannot be iterated over"]),
    ],
)
def test_wrong_expressions(build: Callable[[Variable], Any], parts: list[str]) -> None:
    x = _variable("x", 2)
    with pytest.raises(GraphError) as caught:
        build(x)
    for part in parts:
        assert part in str(caught.value)
    if "x of type" in str(caught.value):
        assert "test_errors.py, line" in str(caught.value)


@pytest.mark.parametrize(
    ("build", "parts"),
    [
        (lambda x, y: x + y, ["add got shapes", "(3, 5) and (1, 3)"]),
        (lambda x, y: x.dot(y), ["(3, 5) and (3, 1)"]),
        (lambda x, y: x.dot(y.dimshuffle(0, "x")), ["5 columns meet 3 rows"]),
        (lambda x, y: FUNCTIONS["concatenate"]([x, y.dimshuffle("x", 0)]), ["(3, 5) and (1, 3)"]),
        (lambda x, y: x.reshape((4, 4)) + y.sum(), ["cannot make (4, 4) of shape (3, 5)"]),
        (lambda x, y: y.broadcast_to(x.shape), ["cannot stretch shape (3,) to (3, 5)"]),
        (lambda x, y: x[:, :0].max(axis=1) + y, ["max over axes (1,) of shape (3, 0)"]),
        (lambda x, y: x[:0].argmax(axis=0) + y.sum(), ["argmax over axes (0,) of shape (0, 5)"]),
        (lambda x, y: x[:, :0].softmax().sum() + y, ["softmax got shape (3, 0)"]),
        (lambda x, y: y.reshape((1, -1)).retype((False, True)) + x, ["Axis 1", "length 3"]),
    ],
)
def test_shapes_that_do_not_fit(
    build: Callable[[Variable, Variable], Variable], parts: list[str]
) -> None:
    x, y = _variable("x", 2), _variable("y", 1)
    with pytest.raises(GraphError) as caught:
        evaluate([build(x, y)], {x: _X, y: np.zeros(3)})
    for part in parts:
        assert part in str(caught.value)
    assert "test_errors.py, line" in str(caught.value)


def test_a_layer_is_named() -> None:
    x = _variable("x", 2)
    with made_by(2, "dense"):
        w = shared(np.zeros((4, 2)), "w")
        y = x.dot(w)
    with pytest.raises(GraphError, match=r"at layer 3 \(dense\)") as caught:
        evaluate([y], {x: _X})
    assert "w of type float64(?, ?), made at layer 3 (dense)" in str(caught.value)


def test_values_that_are_missing_or_of_another_type() -> None:
    x = _variable("x", 2)
    with pytest.raises(GraphError, match="No value is given for x"):
        evaluate([x * 2])
    with pytest.raises(GraphError, match="dtype float32"):
        evaluate([x * 2], {x: _X.astype("float32")})
    with pytest.raises(GraphError, match=r"shape \(5,\)"):
        evaluate([x * 2], {x: _X[0]})
    row = Variable(TensorType("float64", (True, False)), None, "row")
    with pytest.raises(GraphError, match=r"shape \(3, 5\)"):
        evaluate([row * 2], {row: _X})


def test_an_unknown_function_is_advised_upon() -> None:
    with pytest.raises(AttributeError, match="sofmax"):
        _ = _variable("x", 2).sofmax
    with pytest.raises(InputError, match="Did you mean 'softmax'"):
        FUNCTIONS["sofmax"]


def test_shared_variables_are_read() -> None:
    w = shared(np.arange(3.0), "w")
    (value,) = evaluate([w * 2])
    np.testing.assert_array_equal(value, [0, 2, 4])
    w.set_value([1, 1, 1])
    (value,) = evaluate([w * 2])
    np.testing.assert_array_equal(value, [2, 2, 2])
    with pytest.raises(GraphError, match="Give 1 axes"):
        w.set_value([[1.0]])


def test_a_value_given_for_an_intermediate_is_taken() -> None:
    x = _variable("x", 2)
    h = x.tanh()
    (value,) = evaluate([h.sum()], {h: np.ones((2, 2))})
    assert float(value) == 4

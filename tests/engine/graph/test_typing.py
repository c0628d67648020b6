"""The typing rules, row by row as the document states them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.core.errors import GraphError
from workbench.engine.graph import ops
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.types import DTYPES, TensorType
from workbench.engine.graph.variable import FUNCTIONS, Constant, Variable, shared

_DOCUMENT = Path(ops.__file__).parents[4] / "docs" / "typing.md"


def _rows() -> list[list[str]]:
    lines = [line for line in _DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "left"]


def _operand(text: str, ndim: int) -> Any:
    if text in DTYPES:
        return Variable(TensorType(text, (False,) * ndim))
    return ast.literal_eval(text)


def _numpy_operand(text: str) -> Any:
    return np.ones(2, text) if text in DTYPES else ast.literal_eval(text)


_NUMPY = {
    "mul": np.multiply,
    "sub": np.subtract,
    "true_div": np.true_divide,
    "int_div": np.floor_divide,
    "pow": np.power,
    "lt": np.less,
    "eq": np.equal,
    "and_": np.bitwise_and,
    "neg": np.negative,
}


def test_the_document_has_rows() -> None:
    assert len(_rows()) > 50


@pytest.mark.parametrize("row", _rows(), ids=lambda row: " ".join(row[:3]))
def test_row_of_the_document(row: list[str]) -> None:
    left, operation, right, result = row[:4]
    operands = [_operand(text, 1) for text in (left, right) if text]
    assert FUNCTIONS[operation](*operands).dtype == result


@pytest.mark.parametrize(
    "row", [r for r in _rows() if r[4] == "as here"], ids=lambda row: " ".join(row[:3])
)
def test_row_agrees_with_numpy_where_it_says_so(row: list[str]) -> None:
    left, operation, right, result = row[:4]
    function = _NUMPY.get(operation) or getattr(np, operation)
    operands = [_numpy_operand(text) for text in (left, right) if text]
    assert np.asarray(function(*operands)).dtype == result


@pytest.mark.parametrize(
    "row", [r for r in _rows() if r[4] == "OverflowError"], ids=lambda row: " ".join(row[:3])
)
def test_numpy_refuses_what_widens_here(row: list[str]) -> None:
    left, operation, right = row[:3]
    function = _NUMPY.get(operation) or getattr(np, operation)
    with pytest.raises(OverflowError):
        function(_numpy_operand(left), _numpy_operand(right))


@pytest.mark.parametrize("left", DTYPES)
@pytest.mark.parametrize("right", DTYPES)
def test_variables_combine_as_in_numpy(left: str, right: str) -> None:
    total = _operand(left, 1) * _operand(right, 1)
    assert total.dtype == np.result_type(left, right).name


def test_a_python_number_is_weak_and_a_numpy_scalar_is_not() -> None:
    x = Variable(TensorType("float32", (False,)))
    assert (x * 0.5).dtype == "float32"
    assert (x * np.float64(0.5)).dtype == "float64"
    assert (0.5 * x).dtype == "float32"
    assert (np.float64(0.5) * x).dtype == "float64"


def test_numpy_arrays_on_the_left_leave_the_operation_to_the_variable() -> None:
    x = Variable(TensorType("float64", (False,)))
    y = np.ones(3) + x
    assert isinstance(y, Variable)
    (value,) = evaluate([y], {x: np.arange(3.0)})
    np.testing.assert_array_equal(value, [1, 2, 3])


def test_constants_fold_and_stay_weak() -> None:
    half = FUNCTIONS["true_div"](1, 2)
    assert isinstance(half, Constant)
    assert float(half.value) == 0.5
    x = Variable(TensorType("float32", ()))
    assert (x * half).dtype == "float32"


@pytest.mark.parametrize("dtype", ["float16", "complex128", "object", "U1"])
def test_foreign_dtypes_are_refused(dtype: str) -> None:
    with pytest.raises(GraphError, match="cannot be part of an expression"):
        as_variable(np.zeros(2).astype(dtype))


def test_lists_become_constants_and_lists_with_variables_are_stacked() -> None:
    x = Variable(TensorType("float64", ()))
    stacked = as_variable([x, 2.0, 3])
    (value,) = evaluate([stacked], {x: np.float64(1)})
    np.testing.assert_array_equal(value, [1, 2, 3])
    assert as_variable([1, 2]).dtype == "int64"


@pytest.mark.parametrize(
    ("left", "right", "result"),
    [
        ((False, False), (False, False), (False, False)),
        ((False, True), (True, False), (False, False)),
        ((False,), (False, False), (False, False)),
        ((True,), (True, True), (True, True)),
        ((), (False, True), (False, True)),
    ],
)
def test_axes_stay_broadcastable_where_all_inputs_are(
    left: tuple[bool, ...], right: tuple[bool, ...], result: tuple[bool, ...]
) -> None:
    x, y = Variable(TensorType("float64", left)), Variable(TensorType("float64", right))
    assert (x + y).broadcastable == result


def test_only_marked_axes_stretch() -> None:
    x = Variable(TensorType("float64", (False,)), None, "x")
    y = Variable(TensorType("float64", (False,)), None, "y")
    with pytest.raises(GraphError) as caught:
        evaluate([x + y], {x: np.ones(3), y: np.ones(1)})
    text = str(caught.value)
    assert "(3,)" in text
    assert "(1,)" in text
    assert "x of type float64(?)" in text
    assert "y of type float64(?)" in text
    assert "test_typing.py, line" in text


def test_where_broadcastable_axes_come_from() -> None:
    x = Variable(TensorType("float64", (False, False)))
    assert x.sum(axis=1, keepdims=True).broadcastable == (False, True)
    assert x.dimshuffle(0, "x", 1).broadcastable == (False, True, False)
    assert x[None, 0].broadcastable == (True, False)
    assert x.reshape((x.shape[0], 1, -1)).broadcastable == (False, True, False)
    assert FUNCTIONS["zeros"]((1, x.shape[0])).broadcastable == (True, False)
    assert as_variable(np.zeros((1, 2))).broadcastable == (True, False)
    assert x.retype((True, False)).broadcastable == (True, False)
    assert shared(np.zeros((1, 2))).broadcastable == (False, False)
    assert shared(np.zeros((1, 2)), None, (True, False)).broadcastable == (True, False)


@pytest.mark.parametrize("name", ["sub", "neg"])
def test_bools_are_not_subtracted(name: str) -> None:
    x = Variable(TensorType("bool", (False,)))
    with pytest.raises(GraphError, match=f"{name} does not take bool"):
        FUNCTIONS[name](*([x] * (2 if name == "sub" else 1)))


def test_an_integer_is_not_raised_to_a_negative_literal() -> None:
    x = Variable(TensorType("int32", (False,)))
    with pytest.raises(GraphError, match="negative integer -2"):
        x**-2

"""What functions are given: nothing is lost, and what stands in for a variable has its axes."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.errors import GraphError
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import function
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

device = ReferenceDevice()


def free(dtype: str, *stretches: bool) -> Variable:
    return Variable(TensorType(dtype, stretches), name="v")


def test_an_empty_list_is_an_empty_tensor_of_any_dtype() -> None:
    x = free("int64", False)
    assert function([x], x + 1, device=device)([]).dtype == "int64"


def test_numbers_that_are_not_finite_fit_every_float() -> None:
    x = free("float32", False)
    given = [np.inf, -np.inf, np.nan, 1]
    np.testing.assert_array_equal(function([x], x * 1, device=device)(given), np.float32(given))


def test_what_stands_in_for_a_row_is_a_row() -> None:
    row, matrix = free("float64", True, False), free("float64", False, False)
    f = function([matrix], T.mean(row, axis=0), givens={row: matrix}, device=device)
    np.testing.assert_array_equal(f(np.ones((1, 3))), np.ones(3))
    with pytest.raises(GraphError, match="broadcastable but has length 5"):
        f(np.ones((5, 3)))


def test_what_stands_in_for_a_matrix_does_not_stretch() -> None:
    x, y = free("float64", False, False), free("float64", False, False)
    f = function([y], x + y, givens={x: np.ones((1, 3))}, device=device)
    np.testing.assert_array_equal(f(np.ones((1, 3))), np.full((1, 3), 2))
    with pytest.raises(GraphError, match="shapes that do not fit"):
        f(np.ones((5, 3)))


def test_a_shared_variable_keeps_its_broadcastable_axes() -> None:
    row = shared(np.ones((1, 3)), broadcastable=(True, False))
    row.set_value(np.zeros((1, 4)))
    with pytest.raises(GraphError, match=r"cannot take a value of shape \(5, 3\)"):
        row.set_value(np.ones((5, 3)))
    with pytest.raises(GraphError, match=r"cannot take a value of shape \(2, 3\)"):
        shared(np.ones((2, 3)), broadcastable=(True, False))
    with pytest.raises(GraphError, match=r"cannot take a value of shape \(3,\)"):
        row.set_value(np.ones(3))


def test_no_number_loses_its_fraction_or_its_size() -> None:
    whole, small, count = free("int64"), free("float32"), shared(np.int64(3))
    with pytest.raises(GraphError, match="dtype float64"):
        function([], whole + 1, givens={whole: 2.7}, device=device)
    with pytest.raises(GraphError, match="dtype float64"):
        function([], updates=[(count, 2.7)], device=device)
    with pytest.raises(GraphError, match="dtype float64"):
        function([small], small + 1, device=device)(1e300)

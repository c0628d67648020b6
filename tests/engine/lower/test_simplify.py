"""Movements that move nothing, and those that only seem to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import Function, function
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it


def matrix(name: str) -> Variable:
    return Variable(TensorType("float64", (False, False)), name=name)


def compiled(inputs: Sequence[Variable], output: Variable) -> Function:
    return function(inputs, output, device=ReferenceDevice())


def test_a_gather_of_no_rows_takes_any_shape() -> None:
    x, rows = matrix("x"), Variable(TensorType("int64", (False,)), name="rows")
    f = compiled([x, rows], T.reshape(x[rows], (rows.shape[0], -1)))
    assert f(np.ones((9, 5)), np.zeros(2, np.int64)).shape == (2, 5)
    assert f(np.ones((9, 5)), np.zeros(0, np.int64)).shape == (0, 0)


def test_a_reshape_folds_into_the_loads_of_arithmetic_that_is_deep_and_shared() -> None:
    x = matrix("x")
    value: Variable = x
    for _ in range(400):
        value = (value + value) * 0.5
    f = compiled([x], T.reshape(value, (-1,)))
    data = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(f(data), data.ravel())
    assert len(f.plans[0].steps) == 1
    assert "reshape" not in f.plan_text()


def test_replacing_all_rows_in_reverse_is_not_the_new_rows() -> None:
    x, y = matrix("x"), matrix("y")
    data = np.arange(6.0).reshape(2, 3)
    f = compiled([x, y], T.set_subtensor(x[::-1], y))
    np.testing.assert_array_equal(f(data, data), data[::-1])
    f = compiled([x, y], T.set_subtensor(x[:], y))
    np.testing.assert_array_equal(f(data, data + 1), data + 1)


def test_plans_say_under_which_shape_a_buffer_is_read() -> None:
    x = matrix("x")
    data = np.arange(16.0).reshape(4, 4)
    plain = compiled([x], x[0:2, 0:2])
    wide = compiled([x], T.reshape(x, (2, 8))[0:2, 0:2])
    np.testing.assert_array_equal(plain(data), [[0, 1], [4, 5]])
    np.testing.assert_array_equal(wide(data), [[0, 1], [8, 9]])
    assert "b0[2, 8]" in wide.plan_text()
    assert plain.plans[0].digest != wide.plans[0].digest


def test_a_division_by_a_power_of_two_is_a_product_of_the_same_bits() -> None:
    x = matrix("x")
    data = np.array([[1.1, -3.0, np.inf], [5e-324, np.nan, -0.0]])
    for divisor in (256, -0.5, 2.0**90):
        f = compiled([x], x / divisor)
        assert "true_div" not in f.plan_text()
        with np.errstate(all="ignore"):
            assert f(data).tobytes() == (data / divisor).tobytes()
    for divisor in (3, 0.0, 2.0**-1000):
        assert "true_div" in compiled_text(x, divisor, data)


def compiled_text(x: Variable, divisor: float, data: np.ndarray) -> str:
    f = compiled([x], x / divisor)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(f(data), data / np.float64(divisor))
    return f.plan_text()

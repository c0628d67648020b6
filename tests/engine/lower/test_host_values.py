"""Numbers that the host computes: each call has its own, and shapes follow them."""

from __future__ import annotations

import numpy as np

from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import function
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

device = ReferenceDevice()


def scalar(name: str, dtype: str = "float64") -> Variable:
    return Variable(TensorType(dtype), name=name)


def vector(name: str, dtype: str = "float64") -> Variable:
    return Variable(TensorType(dtype, (False,)), name=name)


def test_equal_numbers_that_are_not_the_same_are_told_apart() -> None:
    rate = scalar("rate")
    f = function([rate], 1 / rate, device=device)
    given = [0.0, -0.0, float("nan"), 0.0, 1, True, -0.0, float("nan"), np.float32(1)]
    np.testing.assert_array_equal(
        [f(value) for value in given],
        [np.inf, -np.inf, np.nan, np.inf, 1, 1, -np.inf, np.nan, 1],
    )
    assert len(f.plans) == 1


def test_a_length_is_not_an_input_whose_serial_number_it_equals() -> None:
    x, number = vector("x"), scalar("number", "int64")
    f = function([x, number], [number * 2, x.shape[0] * 2], device=device)
    length = number.serial
    assert f(np.zeros(length), 7) == [14, 2 * length]


def test_a_length_is_that_of_the_call_and_not_of_the_call_before() -> None:
    x, count, place = vector("x"), scalar("count", "int64"), scalar("place", "int64")
    twice = T.concatenate([x[:count], x[:count]])
    f = function([x, count, place], [twice[place], twice.shape[0]], device=device)
    assert f(np.arange(9.0), 2, 1) == [1, 4]
    assert f(np.arange(9.0), 5, 7) == [2, 10]
    assert f(np.arange(9.0), 2, 3) == [1, 4]
    assert len(f.plans) == 2


def test_arithmetic_that_uses_each_number_twice_takes_no_longer() -> None:
    x, start = vector("x"), scalar("start")
    number = start
    for _ in range(60):
        number = (number + number) / 2
    f = function([x, start], x * number, device=device)
    np.testing.assert_array_equal(f(np.ones(2), 0.75), [0.75, 0.75])
    assert len(f.plans[0].scalar_dtypes) == 1

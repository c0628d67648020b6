"""Compiled functions: what they take, what they refuse, and when they make plans."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from workbench.core.errors import GraphError
from workbench.engine import function as function_module
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import MAX_PLANS, Function, function
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

device = ReferenceDevice()


def scalar(name: str, dtype: str = "float64") -> Variable:
    return Variable(TensorType(dtype), name=name)


def vector(name: str, dtype: str = "float64") -> Variable:
    return Variable(TensorType(dtype, (False,)), name=name)


def test_outputs_come_back_as_they_were_asked_for() -> None:
    x = vector("x")
    assert function([x], x.sum(), device=device)([1, 2, 3]) == 6
    one, two = function([x], [x.sum(), x * 2], device=device)([1, 2])
    assert one == 3
    np.testing.assert_array_equal(two, [2, 4])
    assert function([], None, device=device)() == []


def test_a_new_shape_makes_a_plan_and_an_old_one_does_not() -> None:
    x, rate = vector("x"), scalar("rate")
    f = function([x, rate], x * rate, device=device)
    for length in (3, 4, 3, 4):
        f(np.ones(length), 0.5)
    assert len(f.plans) == 2
    f(np.ones(3), 0.25)
    assert len(f.plans) == 2


def test_numbers_passed_by_value_change_nothing_but_the_result() -> None:
    x, start, count = vector("x"), scalar("start", "int64"), scalar("count", "int64")
    f = function([x, start, count], x[start : start + count], device=device)
    data = np.arange(10.0)
    for first in (0, 3, 7):
        np.testing.assert_array_equal(f(data, first, 3), data[first : first + 3])
    assert len(f.plans) == 1
    np.testing.assert_array_equal(f(data, 8, 5), data[8:])
    assert len(f.plans) == 2


def test_equal_numbers_that_are_not_the_same_are_told_apart() -> None:
    x, data = scalar("x"), shared(np.zeros(2))
    f = function([x], [x + data, 1 / x], device=device)
    for value in (0.0, -0.0, 0, 1, 1.0, float("nan"), float("inf"), 0.0, -0.0, 1):
        found, inverse = f(value)
        np.testing.assert_array_equal(found, np.full(2, float(value)))
        assert np.signbit(inverse) == np.signbit(np.float64(value))


def test_a_number_that_is_known_meets_the_present_shapes_and_is_still_checked() -> None:
    n, data = scalar("n", "int64"), shared(np.arange(6.0))
    f = function([n], data[:n].sum(), device=device)
    assert (f(4), f(4)) == (6, 6)
    data.set_value(np.array([5.0, 5.0]))
    assert f(4) == 10
    data.set_value(np.arange(6.0))
    assert f(4) == 6
    for _ in range(2):
        with pytest.raises(GraphError, match="value for n"):
            f(4.5)


def test_numbers_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_module, "_MAX_REMEMBERED", 8)
    x = scalar("x", "float32")
    f = function([x], x + 1, device=device)
    for k in range(100):  # all of them the same number in float32
        assert f(1 + 1e-13 * k) == 2
    assert len(f._by_numbers) <= 8


def test_runs_wait_for_collection_in_order_whatever_their_plans() -> None:
    data = shared(np.arange(10.0))
    start, count = scalar("start", "int64"), scalar("count", "int64")
    f = function([start, count], [data[start : start + count].sum()], device=device, slots=3)
    f.enqueue(0, 4)
    f.enqueue(4, 4)
    f.enqueue(8, 2)
    with pytest.raises(GraphError, match="3 runs waiting"):
        f.enqueue(0, 4)
    (sums,) = f.collect()
    np.testing.assert_array_equal(sums, [6, 22, 17])
    (none,) = f.collect()
    assert len(none) == 0


def test_plans_that_were_used_longest_ago_are_given_up() -> None:
    x = vector("x")
    f = function([x], (x * 2).sum(), device=device, slots=2)
    for length in range(1, MAX_PLANS + 1):
        f(np.ones(length))
    first, second = f.plans[:2]
    f(np.ones(1))
    f.enqueue(np.ones(MAX_PLANS + 1))
    # The first was used again since.
    assert len(f.plans) == MAX_PLANS
    assert first in f.plans
    assert second not in f.plans
    f.enqueue(np.ones(2))
    np.testing.assert_array_equal(f.collect(), [[2 * MAX_PLANS + 2, 4]])
    assert len(f.plans) == MAX_PLANS
    assert len(f._calls) == MAX_PLANS


def test_givens_stand_in_for_variables() -> None:
    x = vector("x")
    data = shared(np.arange(4.0), "data")
    f = function([], x.sum(), givens={x: data[1:]}, device=device)
    assert f() == 6
    data.set_value([1, 1])
    assert f() == 1


def test_updates_and_outputs_of_one_call() -> None:
    total = shared(np.zeros(()), "total")
    x = scalar("x")
    f = function([x], total, updates=[(total, total + x)], device=device)
    assert [float(f(k)) for k in (1.0, 2.0, 3.0)] == [0.0, 1.0, 3.0]
    assert total.get_value() == 6


def test_arguments_keep_their_dtype() -> None:
    x = vector("x", "float32")
    f = function([x], x * 2, device=device)
    assert f([1, 2]).dtype == np.float32
    with pytest.raises(GraphError, match="dtype float64"):
        f(np.ones(2))
    k = vector("k", "int32")
    g = function([k], k + k, device=device)
    assert g([1, 2]).dtype == np.int32
    with pytest.raises(GraphError, match="dtype int64"):
        g([2**40])


def wrong_functions() -> dict[str, tuple[str, Callable[[], Function]]]:
    x, y, s = vector("x"), vector("y"), shared(np.zeros(3), "s")
    i = vector("i", "int64")
    m = Variable(TensorType("float64", (False, False)), name="m")
    return {
        "shared input": ("givens", lambda: function([s], s, device=device)),
        "computed input": ("free variable", lambda: function([x + 1], x, device=device)),
        "input twice": ("twice", lambda: function([x, x], x, device=device)),
        "unused input": ("depends", lambda: function([x, y], x, device=device)),
        "update of no shared variable": (
            "not a shared variable",
            lambda: function([x], x, updates=[(y, x)], device=device),  # type: ignore[list-item]
        ),
        "update of another dtype": (
            "dtype",
            lambda: function([i], i, updates=[(s, i)], device=device),
        ),
        "update of other axes": ("axes", lambda: function([m], m, [(s, m)], device=device)),
        "two updates": (
            "two updates",
            lambda: function([x], x, [(s, x), (s, x + 1)], device=device),
        ),
        "givens of another type": ("stand in", lambda: function([], x, [], {x: i}, device=device)),
        "input in givens": ("both", lambda: function([x], x, [], {x: y}, device=device)),
    }


@pytest.mark.parametrize("name", wrong_functions())
def test_a_function_that_cannot_be_says_why(name: str) -> None:
    words, build = wrong_functions()[name]
    with pytest.raises(GraphError, match=words):
        build()


def test_a_call_that_does_not_fit_says_why() -> None:
    x, y = vector("x"), vector("y")
    f = function([x, y], x + y, device=device, name="add")
    with pytest.raises(GraphError, match="takes 2 arguments, not 1"):
        f([1])
    with pytest.raises(GraphError, match=r"shape \(\)"):
        f(1.0, [2])
    with pytest.raises(GraphError, match=r"\(2,\) and \(3,\)"):
        f([1, 2], [1, 2, 3])
    with pytest.raises(GraphError, match=r"No value is given for y.*which add\(\.\.\.\) of type"):
        function([x], x + y, device=device)
    s = shared(np.zeros(3), "s")
    with pytest.raises(GraphError, match=r"shape \(2,\) instead of \(3,\)"):
        function([x], None, [(s, x)], device=device)([1, 2])


def test_a_shape_that_only_the_device_knows_is_refused() -> None:
    n = shared(np.array(3), "n")
    with pytest.raises(GraphError, match="only the device knows"):
        function([], T.zeros((n,)), device=device)

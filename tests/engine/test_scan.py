"""Loops against plain Python, on the reference; their derivatives against finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.loops import CASES, LoopCase
from workbench.core.errors import GraphError
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import CompileOptions, function
from workbench.engine.graph.check import verify_grad
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.grad import grad
from workbench.engine.graph.random import RandomStreams
from workbench.engine.graph.scan import Updates, scan
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable, shared
from workbench.engine.lower.plan import Repeat
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

device = ReferenceDevice()
cases = pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)


def matrix(name: str = "x") -> Variable:
    return Variable(TensorType("float64", (False, False)), name=name)


def vector(name: str = "v") -> Variable:
    return Variable(TensorType("float64", (False,)), name=name)


def whole(name: str = "n") -> Variable:
    return Variable(TensorType("int64"), name=name)


def projected(case: LoopCase, *inputs: Variable) -> Variable:
    """Return all outputs in one vector."""
    return T.concatenate([T.flatten(T.sin(v)) for v in case.outputs(inputs)])


@cases
def test_a_loop_gives_what_python_gives(case: LoopCase) -> None:
    inputs, arrays = case.inputs("float64"), case.arrays("float64")
    outputs = case.outputs(inputs)
    wanted = case.expected(arrays)
    ways = [
        evaluate(outputs, dict(zip(inputs, arrays, strict=True))),
        function(inputs, outputs, device=device)(*arrays),
        function(inputs, outputs, device=device, options=CompileOptions(fuse=False))(*arrays),
    ]
    for results in ways:
        for found, right in zip(results, wanted, strict=True):
            assert found.shape == right.shape
            np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-13)


@cases
def test_derivatives_go_through_a_loop(case: LoopCase) -> None:
    rng = np.random.default_rng(0)
    verify_grad(lambda *inputs: projected(case, *inputs), case.arrays("float64"), rng)


@cases
def test_compiled_derivatives_are_those_of_the_oracle(case: LoopCase) -> None:
    inputs, arrays = case.inputs("float64"), case.arrays("float64")
    slopes = grad(projected(case, *inputs).sum(), inputs)
    wanted = evaluate(slopes, dict(zip(inputs, arrays, strict=True)))
    for found, right in zip(function(inputs, slopes, device=device)(*arrays), wanted, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-13)


def test_a_second_derivative_goes_through_a_loop() -> None:
    def slope(x: Variable, h: Variable) -> Variable:
        states, _ = scan(lambda v, s: T.tanh(v * s) + v, x, h)
        return grad(T.sqr(states).sum(), x)

    rng = np.random.default_rng(0)
    verify_grad(slope, [rng.uniform(-1, 1, (4, 3)), rng.uniform(-1, 1, 3)], rng)


def test_the_last_state_alone_has_a_derivative() -> None:
    a, x = shared(0.5, "a"), vector()
    _, updates = scan(lambda v: {a: a * T.cos(v)}, x)
    slope_a, slope_x = grad(updates[a], [a, x])
    values = np.array([0.1, 0.7, -0.4])
    cosines = np.cos(values)
    found = function([x], [updates[a], slope_a, slope_x], device=device)(values)
    tangents = -0.5 * cosines.prod() * np.tan(values)
    for one, right in zip(found, [0.5 * cosines.prod(), cosines.prod(), tangents], strict=True):
        np.testing.assert_allclose(one, right)


def test_a_derivative_goes_back_only_as_many_steps_as_allowed() -> None:
    x, h = vector(), Variable(TensorType("float64"), name="h")
    for allowed in (0, 2, 4, 9):
        states, _ = scan(lambda v, s: s * v, x, h, truncate_gradient=allowed)
        f = function([x, h], grad(states[-1], [x, h]), device=device, on_unused_input="ignore")
        by_x, by_h = f([2.0, 3.0, 5.0, 7.0], 1.5)
        every = 1.5 * 210 / np.array([2.0, 3.0, 5.0, 7.0])
        kept = np.arange(4) >= 4 - allowed
        np.testing.assert_allclose(by_x, np.where(kept, every, 0))
        assert by_h == pytest.approx(210 if allowed >= 4 else 0)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_number_of_steps_may_be_an_input(count: int) -> None:
    n, start = whole(), vector()
    powers, _ = scan(lambda p, by: p * by, None, T.ones_like(start), start, n_steps=n)
    cost = powers.sum()
    f = function([n, start], [powers, grad(cost, start)], device=device)
    values = np.array([2.0, -1.0, 0.5])
    found, slope = f(count, values)
    exponents = np.arange(1, count + 1)[:, None]
    assert found.shape == (count, 3)
    np.testing.assert_allclose(found, values**exponents)
    np.testing.assert_allclose(slope, (exponents * values ** (exponents - 1)).sum(0))


def test_a_loop_over_nothing_leaves_states_as_they_were() -> None:
    x, counter = matrix(), shared(np.array([1.0, 2.0]), "counter")
    states, updates = scan(lambda row: (row * 2, {counter: counter + row}), x)
    f = function([x], [states, updates[counter]], device=device)
    nothing, same = f(np.zeros((0, 2)))
    assert nothing.shape == (0, 2)
    np.testing.assert_array_equal(same, [1, 2])


def test_steps_are_compiled_once_whatever_their_number() -> None:
    x, w = matrix(), shared(np.eye(3), "w")
    states, _ = scan(lambda row, h: T.tanh(T.dot(h, w) + row), x, T.zeros_like(x[0]))
    f = function([x], grad(states.sum(), w), device=device)
    for steps in (2, 50):
        f(np.ones((steps, 3)))
    one, other = f.plans
    assert [type(s) for s in one.steps] == [type(s) for s in other.steps]
    assert [s.count for s in other.steps if isinstance(s, Repeat)] == [50, 50]
    assert "50 turns, the last place first" in other.text
    assert one.digest != other.digest


def test_a_loop_is_told_by_what_a_step_takes_and_gives() -> None:
    states, _ = scan(lambda row, h: T.tanh(row + h), matrix("x"), vector("h"))
    assert "(x[t], h[t-1]) -> (tanh)" in str(states.owner and states.owner.op)


def test_results_of_one_loop_are_computed_together() -> None:
    x = matrix()
    (a, b), _ = scan(lambda row: [row * 2, row.sum()], x)
    plan_of = function([x], [a, b, a.sum()], device=device)
    plan_of(np.ones((4, 2)))
    assert sum(isinstance(s, Repeat) for s in plan_of.plans[0].steps) == 1


def test_what_a_step_updates_it_sees_in_the_next() -> None:
    total, x = shared(0.0, "total"), vector()
    seen, updates = scan(lambda v: (total * 1, [(total, total + v)]), x)
    assert isinstance(updates, Updates)
    f = function([x], seen, updates=updates, device=device)
    np.testing.assert_array_equal(f([1.0, 2.0, 3.0]), [0, 1, 3])
    assert total.get_value() == 6
    other = shared(0.0, "other")
    assert list(updates + {other: other + 1}) == [total, other]
    first = [(other, other + 1)]
    assert list(first + updates) == [other, total]


def test_updates_alone_need_no_outputs() -> None:
    total = shared(1.0, "total")
    nothing, updates = scan(lambda: {total: total * 2}, n_steps=10)
    assert nothing is None
    function([], None, updates=updates, device=device)()
    assert total.get_value() == 1024


def draws(seed: int, steps: int) -> np.ndarray:
    stream = RandomStreams(seed)
    u = stream.uniform((3,))
    f = function([], u, device=device)
    return np.stack([f() for _ in range(steps)])


@pytest.mark.parametrize("told", [True, False])
def test_random_numbers_are_new_at_every_step_and_call(told: bool) -> None:
    stream = RandomStreams(7)
    drawn, updates = scan(lambda: stream.uniform((3,)), n_steps=4)
    f = function([], drawn, updates=updates if told else (), device=device)
    np.testing.assert_array_equal(np.concatenate([f(), f(), f()]), draws(7, 12))


def test_a_loop_in_a_loop_goes_on_in_the_stream() -> None:
    stream = RandomStreams(7)

    def outer() -> Any:
        return scan(lambda: stream.uniform((3,)), n_steps=2)

    drawn, updates = scan(outer, n_steps=3)
    f = function([], drawn, updates=updates, device=device)
    np.testing.assert_array_equal(np.concatenate([f(), f()]).reshape(12, 3), draws(7, 12))


def test_a_derivative_sees_the_numbers_that_were_drawn() -> None:
    stream, h = RandomStreams(3), vector("h")
    states, updates = scan(lambda s: s * stream.uniform((3,)), None, h, n_steps=4)
    f = function([h], grad(states[-1].sum(), h), updates=updates, device=device)
    start = np.ones(3)
    np.testing.assert_allclose(f(start), draws(3, 4).prod(0))
    np.testing.assert_allclose(f(start), draws(3, 8)[4:].prod(0))


def test_what_stands_in_for_a_variable_does_so_in_a_loop() -> None:
    x, w, data = matrix(), vector("w"), shared(np.arange(6.0).reshape(3, 2))
    sums, _ = scan(lambda row: (row * w).sum(), x)
    f = function([w], sums, givens={x: data}, device=device)
    np.testing.assert_allclose(f([1.0, 10.0]), [10, 32, 54])


def test_a_number_given_to_a_loop_may_decide_a_shape() -> None:
    x, k = matrix(), whole("k")
    f = function([x, k], scan(lambda row, n: row[:n] * n, x, None, k)[0], device=device)
    values = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(f(values, 2), values[:, :2] * 2)
    np.testing.assert_array_equal(f(values, 3), values * 3)


def test_a_state_keeps_the_dtype_it_starts_with() -> None:
    x = Variable(TensorType("float32", (False,)), name="x")
    start = np.float32(0)
    f = function([x], scan(lambda v, s: s + v * 0.5, x, start)[0], device=device)
    assert f(np.ones(3, "float32")).dtype == "float32"


def _mismatch() -> None:
    states, _ = scan(lambda row, h: T.concatenate([h, row]), matrix(), vector("h"))
    f = function(_free(states), states, device=device)
    f(np.ones((2, 3)), np.ones(3))


def _free(states: Variable) -> list[Variable]:
    assert states.owner is not None
    return list(states.owner.inputs[:2])


def _short() -> None:
    x = matrix()
    function([x], scan(lambda row: row, x, n_steps=5)[0], device=device)(np.ones((3, 2)))


@pytest.mark.parametrize(
    ("wrong", "parts"),
    [
        (lambda: scan(lambda: 1.0), ["neither sequences nor n_steps", "Give n_steps"]),
        (lambda: scan(lambda v: v, T.sum(vector())), ["cannot walk along sum"]),
        (lambda: scan(lambda v: v, vector(), n_steps=-1), ["-1 steps", "go_backwards"]),
        (lambda: scan(lambda v, s: v + s, vector(), [None, 0.0]), ["returns 1 outputs", "has 2"]),
        (lambda: scan(lambda v, s: s + v, vector(), np.int64(0)), ["starts from", "cast()"]),
        (lambda: scan(lambda v, s: v * s * matrix(), vector(), vector()), ["one dtype"]),
        (
            lambda: scan(lambda v, a, b: v + a * b, vector(), {"initial": 0.0, "taps": [-2, -1]}),
            ["2 initial values", "oldest first"],
        ),
        (
            lambda: scan(lambda v, s: v * s, vector(), {"initial": vector(), "taps": [0]}),
            ["taps [0]", "below 0"],
        ),
        (
            lambda: scan(lambda v: (v, {vector("w"): v}), vector()),
            ["updates <w", "no shared variable"],
        ),
        (_mismatch, ["h[t-1]", "(6,)", "instead of (3,)"]),
        (_short, ["loop of 5 turns", "(3, 2)"]),
    ],
)
def test_wrong_loops(wrong: Any, parts: list[str]) -> None:
    with pytest.raises(GraphError) as caught:
        wrong()
    assert all(part in str(caught.value) for part in parts), str(caught.value)

"""Shapes that only a device can tell, and functions and expressions made of others."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from workbench.core.errors import GraphError, NotSupported

X = np.arange(9.0)


@pytest.fixture(params=["reference", None], ids=["reference", "default"], autouse=True)
def _device(request: pytest.FixtureRequest) -> None:
    theano.config.device = request.param


def test_elements_of_a_vector_decide_shapes() -> None:
    x, i = T.vector("x"), T.ivector("i")
    part = x[i[0] : i[1]]
    outputs = [part, T.grad((part**2).sum(), x), x[:6].reshape((i[0], i[2])), part.shape[0]]
    f = theano.function([x, i], outputs)
    for first, last, width in (2, 5, 3), (3, 9, 2), (1, 1, 6):
        cut, slope, table, length = f(X, [first, last, width])
        np.testing.assert_array_equal(cut, X[first:last])
        np.testing.assert_array_equal(slope, np.where((first <= X) & (last > X), 2 * X, 0))
        np.testing.assert_array_equal(table, X[:6].reshape(first, width))
        assert length == last - first
    vector = theano.function([x, i], x.reshape(i, ndim=2))
    np.testing.assert_array_equal(vector(X, [3, 3]), X.reshape(3, 3))
    with pytest.raises(GraphError, match=r"reshape"):
        vector(X, [3, 4])


def test_a_shared_number_counts_mini_batches() -> None:
    data, k = theano.shared(X), theano.shared(0, "k")
    x = T.vector("x")
    f = theano.function([], x.sum(), givens={x: data[k * 3 : (k + 1) * 3]}, updates={k: k + 1})
    assert [float(f()) for _ in range(3)] == [3, 12, 21]
    assert k.get_value() == 3
    assert len(f.plan_text().split("b0:")) == 3  # one plan for the number, one for the rest


def test_numbers_that_decide_may_be_computed_and_depend_on_each_other() -> None:
    x, y = T.vector("x"), T.vector("y")
    count = T.cast((x > 0).sum(), "int64")
    inner = y[:count]
    outer = y[: T.cast(inner.max(), "int64")]
    f = theano.function([x, y], [inner, outer, T.zeros((count, 2))])
    found = f([1.0, -1.0, 2.0, 3.0], [4.0, 5.0, 2.0, 7.0, 8.0, 9.0])
    assert [list(v) for v in found[:2]] == [[4, 5, 2], [4, 5, 2, 7, 8]]
    assert found[2].shape == (3, 2)


def test_random_numbers_that_decide_are_those_that_come_out() -> None:
    stream = T.shared_randomstreams.RandomStreams(5)
    n = T.cast(stream.uniform((), 1, 20), "int64")
    f = theano.function([], [n, T.ones((n,)).sum()])
    found = [tuple(float(v) for v in f()) for _ in range(5)]
    assert all(n == total for n, total in found)
    assert len(set(found)) > 1


def test_a_function_may_be_copied() -> None:
    state, other, step = theano.shared(0, "state"), theano.shared(0, "other"), T.iscalar("step")
    add = theano.function([step], state, updates=[(state, state + step)])
    assert add(10) == 0
    there = add.copy(swap={state: other}, name="there")
    assert there(100) == 0
    assert there.name == "there"
    assert (state.get_value(), other.get_value()) == (10, 100)
    assert add.copy(delete_updates=True)(5) == 10
    assert state.get_value() == 10
    with pytest.raises(GraphError, match="cannot stand in"):
        add.copy(swap={state: theano.shared(0.5)})
    with pytest.raises(NotSupported, match="cannot be pickled"):
        pickle.dumps(add)


def test_an_expression_may_be_an_input() -> None:
    x = T.vector("x")
    h = T.tanh(x)
    f = theano.function([h], h * 2)
    np.testing.assert_array_equal(f([1.0, 2.0]), [2, 4])
    g = theano.function([x, h], h * 2 + x)
    np.testing.assert_array_equal(g([1.0, 1.0], [1.0, 2.0]), [3, 5])
    with pytest.raises(GraphError, match=r"tanh.*shape \(\)"):
        f(1.0)


def test_expressions_may_be_copied_and_pickled() -> None:
    x, w = T.vector("x"), theano.shared(np.ones(3), "w")
    y = T.nnet.softmax(x * w)[0, 1] + T.log(w).sum()
    theano.function([x], y, updates=[(w, w * 2)])([1.0, 2.0, 3.0])
    made: list[Any] = [pickle.loads(pickle.dumps((x, w, y))), copy.deepcopy((x, w, y))]
    for a, b, c in made:
        np.testing.assert_array_equal(b.get_value(), [2, 2, 2])
        b.set_value([1, 1, 1])
        wanted = theano.function([x], y, givens={w: np.ones(3)})([1.0, 2.0, 3.0])
        assert theano.function([a], c)([1.0, 2.0, 3.0]) == wanted
    np.testing.assert_array_equal(w.get_value(), [2, 2, 2])
    assert copy.copy(w).serial != w.serial


def test_one_expression_may_take_the_place_of_another() -> None:
    x, w = T.vector("x"), theano.shared(np.ones(2), "w")
    y = (x * w).sum()
    twice = theano.clone(y, replace={w: w * 2})
    assert theano.function([x], [y, *theano.clone([twice, y + 1], [(x, x + 1)])])([1, 2]) == [
        3,
        10,
        6,
    ]
    with pytest.raises(NotSupported, match="inputs"):
        theano.clone(y, share_inputs=False)


def test_a_choice_of_two() -> None:
    a, b, x, y = T.scalar("a"), T.scalar("b"), T.matrix("x"), T.matrix("y")
    cost = theano.ifelse.ifelse(T.lt(a, b), x.mean(), (y**2).mean(), name="cost")
    pair = theano.ifelse.ifelse(a, [x, b], [y, 2 * b])
    f = theano.function([a, b, x, y], [cost, T.grad(cost, y), *pair])
    ones, twos = np.ones((2, 2)), np.full((2, 2), 2.0)
    less, slope, chosen, number = f(0, 1, ones, twos)
    assert (less, slope.sum(), chosen.sum(), number) == (1, 0, 8, 2)
    more, slope, chosen, number = f(3, 1, ones, twos)
    assert (more, slope.sum(), chosen.sum(), number) == (4, 4, 4, 1)
    for condition, one, other in (x, a, b), (a, x, b), (a, [x, y], [x]):
        with pytest.raises(GraphError, match="ifelse"):
            theano.ifelse.ifelse(condition, one, other)

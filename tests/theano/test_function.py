"""Compiled functions: what goes in, what comes out, and what is counted."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from workbench.core.errors import GraphError, NotSupported


def test_outputs_have_the_form_that_was_asked_for() -> None:
    x = T.vector("x")
    one = theano.function([x], x.sum())([1, 2])
    assert isinstance(one, np.ndarray)
    assert one.shape == ()
    assert one == 3
    assert [float(v) for v in theano.function([x], [x.sum(), x.max()])([1, 2])] == [3, 2]
    assert len(theano.function([x], [x.sum()])([1, 2])) == 1
    by_key = theano.function([x], {"sum": x.sum(), "twice": x * 2})([1, 2])
    assert list(by_key) == ["sum", "twice"]
    np.testing.assert_array_equal(by_key["twice"], [2, 4])
    assert theano.function([x], on_unused_input="ignore")([1]) == []
    assert theano.function([], 5)() == 5
    assert theano.function([x], theano.Out(x.sum(), borrow=True))([1, 2]) == 3
    np.testing.assert_array_equal(theano.function([x], x)([1, 2]), [1, 2])


def test_inputs_have_names_and_defaults() -> None:
    x, y, w = T.dscalars("x", "y", "w")
    f = theano.function(
        [x, theano.In(y, value=1), theano.In(w, value=2, name="w_by_name")], (x + y) * w
    )
    calls: list[tuple[tuple[Any, ...], dict[str, Any], float]] = [
        ((33,), {}, 68),
        ((33, 2), {}, 70),
        ((33, 0, 1), {}, 33),
        ((33,), {"w_by_name": 1}, 34),
        ((33,), {"w_by_name": 1, "y": 0}, 33),
        ((), {"x": 1}, 4),
    ]
    for args, named, wanted in calls:
        assert f(*args, **named) == wanted
    assert theano.function([x, theano.Param(y, default=3, name="b")], x - y)(1, b=0.5) == 0.5
    with pytest.raises(GraphError, match="'x' twice"):
        f(1, x=2)
    with pytest.raises(GraphError, match="takes 3 inputs, not 4"):
        f(1, 2, 3, 4)
    with pytest.raises(NotSupported, match="shared variable"):
        theano.In(x, value=0, update=x + 1)
    with pytest.raises(GraphError, match="dtype"):
        theano.function([theano.In(T.iscalar("n"), value=0.5)], 1, on_unused_input="ignore")


@pytest.mark.parametrize("form", [list, dict, OrderedDict, tuple])
def test_updates_and_givens_in_every_form(form: Any) -> None:
    a, b = theano.shared(1.0, "a"), theano.shared(2.0, "b")
    x = T.dscalar("x")
    # Both see the values of before the call.
    f = theano.function([], a + x, updates=form([(a, b), (b, a)]), givens=form([(x, b * 10)]))
    assert f() == 21
    assert (a.get_value(), b.get_value()) == (2, 1)


def test_givens_take_constants_and_replace_expressions() -> None:
    x = T.dvector("x")
    h = T.tanh(x)
    assert theano.function([], h.sum(), givens={x: np.zeros(3)})() == 0
    assert theano.function([], h.sum(), givens=[(h, [1.0, 2.0])])() == 3


def test_values_lose_precision_only_where_that_is_allowed() -> None:
    x = T.fvector("x")
    exact = theano.function([x], x * 2)
    np.testing.assert_array_equal(exact([1.5, 2]), [3, 4])
    with pytest.raises(GraphError, match="float64"):
        exact(np.ones(2))
    assert theano.function([x], x * 2, allow_input_downcast=True)(np.ones(2)).dtype == np.float32
    assert theano.function([theano.In(x, allow_downcast=True)], x)(np.ones(2)).dtype == np.float32


def test_an_unused_input_may_be_warned_of() -> None:
    x = T.vector("x")
    with pytest.warns(UserWarning, match="Nothing depends on the input x"):
        theano.function([x], T.constant(1.0), on_unused_input="warn")


def test_what_had_to_do_with_the_machinery_is_taken_and_left() -> None:
    x = T.vector("x")
    f = theano.function([x], x.sum(), mode="FAST_RUN", profile=True, name="total")
    assert f([1, 2]) == 3
    assert f.name == "total"
    with pytest.raises(AttributeError, match="plan_text"):
        _ = f.maker
    with pytest.raises(GraphError, match="Give a list"):
        theano.function(x, x.sum())


def test_a_function_names_its_device_and_counts() -> None:
    theano.config.device = None
    x = T.vector("x")
    w = theano.shared(np.ones(3))
    f = theano.function([x], (x * w).sum(), updates=[(w, w + 1)])
    other = theano.function([x], x.sum())
    assert f([1, 2, 3]) == 6
    first = f.counters.snapshot()
    other([1, 2])
    assert f.counters == first
    assert f([1, 2, 3]) == 12
    assert f.device.id == theano.config.device
    if theano.config.device != "reference":
        assert first.kernels_launched > 0
        assert first.programs_compiled > 0
        assert first.buffers_allocated > 0
        assert f.counters.kernels_launched == 2 * first.kernels_launched
        assert f.counters.programs_compiled == first.programs_compiled
        assert f.counters.buffers_allocated == first.buffers_allocated
        assert f.counters.bytes_from_device == 2 * first.bytes_from_device
    assert "step 0" in f.plan_text()


def test_mini_batches_by_symbolic_index_compile_copy_and_allocate_once() -> None:
    theano.config.device = None
    data = theano.shared(np.arange(40.0).reshape(20, 2))
    x, i, total = T.dmatrix("x"), T.lscalar("i"), theano.shared(np.zeros(2))
    f = theano.function(
        [i], None, updates=[(total, total + x.sum(axis=0))], givens={x: data[i * 4 : (i + 1) * 4]}
    )
    f(0)
    before = f.counters.snapshot()
    for k in range(1, 5):
        f(k)
    np.testing.assert_array_equal(total.get_value(), np.arange(40.0).reshape(20, 2).sum(0))
    assert f.counters.programs_compiled == before.programs_compiled
    assert f.counters.buffers_allocated == before.buffers_allocated
    assert f.counters.bytes_to_device == before.bytes_to_device


def test_a_value_may_be_asked_for_without_a_function() -> None:
    x, y = T.scalars("x", "y")
    assert (x + y).eval({x: 1, y: 2}) == 3
    np.testing.assert_array_equal(T.arange(3).eval(), [0, 1, 2])


def test_random_streams_advance_by_themselves() -> None:
    stream = T.shared_randomstreams.RandomStreams(seed=7)
    u = stream.uniform((3,))
    f = theano.function([], u)
    held = theano.function([], u, no_default_updates=True)
    assert (f() != f()).all()
    np.testing.assert_array_equal(held(), held())
    zero = theano.function([], u + u - 2 * u)
    np.testing.assert_array_equal(zero(), np.zeros(3))


def test_the_trap_of_redefined_names() -> None:
    x = T.scalar("x")
    p = x * 2
    ll = p + 1
    p = x * 100
    assert theano.function([x], ll)(1) == 3
    assert theano.function([x], theano.function([x], p)(1) + ll)(1) == 103

"""Loops as Theano's programs write them, in all forms of its documentation."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from workbench.core.errors import NotSupported
from workbench.theano.tensor.shared_randomstreams import RandomStreams

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_a_power_by_repeated_products() -> None:
    k, A = T.iscalar("k"), T.vector("A")  # noqa: N806 - what such programs call it
    result, updates = theano.scan(
        fn=lambda prior_result, by: prior_result * by,
        outputs_info=T.ones_like(A),
        non_sequences=A,
        n_steps=k,
    )
    power = theano.function(inputs=[A, k], outputs=result[-1], updates=updates)
    np.testing.assert_array_equal(power(range(10), 2), np.arange(10.0) ** 2)
    np.testing.assert_array_equal(power(range(10), 4), np.arange(10.0) ** 4)


def test_a_polynomial_by_its_coefficients() -> None:
    coefficients, x = T.vector("coefficients"), T.scalar("x")
    components, _ = theano.scan(
        lambda coefficient, power, free: coefficient * (free**power),
        outputs_info=None,
        sequences=[coefficients, T.arange(10000)],
        non_sequences=x,
    )
    value = theano.function([coefficients, x], components.sum())
    assert value([1, 0, 2], 3) == 19


def test_a_triangular_sum_needs_a_start_of_its_dtype() -> None:
    up_to = T.iscalar("up_to")
    start = T.as_tensor_variable(np.asarray(0, "int64"))
    sums, _ = theano.scan(
        lambda value, total: total + value, outputs_info=start, sequences=T.arange(up_to)
    )
    triangular = theano.function([up_to], sums)
    np.testing.assert_array_equal(triangular(15), np.arange(15).cumsum())


def test_several_outputs_with_taps() -> None:
    W, u, x0, y0 = T.matrix("W"), T.matrix("u"), T.matrix("x0"), T.vector("y0")  # noqa: N806

    def one_step(u_tm4: Any, u_t: Any, x_tm3: Any, x_tm1: Any, y_tm1: Any, W: Any) -> Any:  # noqa: N803
        return [T.tanh(T.dot(x_tm1, W) + u_t + u_tm4 - x_tm3), y_tm1 * 0.5 + x_tm3]

    ([x, y], updates) = theano.scan(
        fn=one_step,
        sequences={"input": u, "taps": [-4, -0]},
        outputs_info=[{"initial": x0, "taps": [-3, -1]}, y0],
        non_sequences=[W],
        strict=True,
        name="steps",
    )
    assert not updates
    rng = np.random.default_rng(0)
    values = [rng.normal(size=s) for s in ((3, 3), (7, 3), (3, 3), (3,))]
    found = theano.function([W, u, x0, y0], [x, y])(*values)
    w, inputs, before, last = values
    states, others = list(before), [last]
    for t in range(4, 7):
        states.append(np.tanh(states[-1] @ w + inputs[t] + inputs[t - 4] - states[-3]))
        others.append(others[-1] * 0.5 + states[-4])
    np.testing.assert_allclose(found[0], states[3:])
    np.testing.assert_allclose(found[1], others[1:])


def test_gibbs_sampling_moves_its_stream() -> None:
    W = theano.shared(np.full((3, 4), 0.1), "W")  # noqa: N806
    stream = RandomStreams(1234)
    sample = T.vector("sample")

    def one_step(v: Any) -> Any:
        h = stream.binomial(size=(4,), n=1, p=T.nnet.sigmoid(T.dot(v, W)))
        return stream.binomial(size=(3,), n=1, p=T.nnet.sigmoid(T.dot(h, W.T)), dtype=v.dtype)

    values, updates = theano.scan(one_step, outputs_info=sample, n_steps=10)
    assert len(updates) == 2
    draw = theano.function([sample], values, updates=updates)
    first, second = draw(np.ones(3)), draw(np.ones(3))
    assert first.shape == (10, 3)
    assert set(np.unique(first)) == {0.0, 1.0}
    assert (first != second).any()


def test_shorter_forms() -> None:
    x = T.vector("x")
    squares, _ = theano.map(lambda v, k: v**2 + k, x, non_sequences=np.float64(1))
    left, _ = theano.foldl(lambda v, a: 2 * a + v, x, T.constant(0.0))
    right, _ = theano.foldr(lambda v, a: 2 * a + v, x, T.constant(0.0))
    (total, count), _ = theano.reduce(
        lambda v, a, n: [a + v, n + 1], x, [T.constant(0.0), T.constant(np.int64(0))]
    )
    found = theano.function([x], [squares, left, right, total, count])([1, 2, 3])
    np.testing.assert_array_equal(found[0], [2, 5, 10])
    assert [float(v) for v in found[1:]] == [11, 17, 6, 3]
    listed, _ = theano.scan(lambda v: v, x, return_list=True)
    assert isinstance(listed, list)


def test_a_loop_that_ends_by_itself_is_refused_with_the_way_round() -> None:
    with pytest.raises(NotSupported, match=r"number of steps must be known\. Give n_steps"):
        theano.scan(
            lambda v: (v * 2, theano.scan_module.until(v > 100)),
            outputs_info=T.constant(1.0),
            n_steps=1024,
        )


def test_an_elman_network_learns_to_echo() -> None:
    theano.config.device = None
    assert runpy.run_path(str(EXAMPLES / "elman_echo.py"))["main"]() == 0

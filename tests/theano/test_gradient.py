"""Derivatives under Theano's names."""

from __future__ import annotations

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from workbench.core.errors import GraphError, NotSupported


def test_one_or_many() -> None:
    a, b = T.dscalars("a", "b")
    assert theano.function([a, b], T.grad(a * b, a), on_unused_input="ignore")(2, 3) == 3
    assert isinstance(T.grad(a * b, [a, b]), list)
    assert isinstance(theano.grad(a * b, (a, b)), tuple)
    with pytest.raises(NotSupported, match="known_grads"):
        T.grad(a * b, a, known_grads={a: b})


def test_what_is_held_constant_and_what_is_disconnected() -> None:
    x, y = T.dvectors("x", "y")
    square = x**2
    by_x = theano.function([x], T.grad((x * square).sum(), x, consider_constant=[square]))
    np.testing.assert_array_equal(by_x([1, 2]), [1, 4])
    zeros = T.grad(square.sum(), y, disconnected_inputs="ignore")
    np.testing.assert_array_equal(theano.function([y], zeros)([1, 2]), [0, 0])
    with pytest.warns(UserWarning, match="does not depend on y"):
        T.grad(square.sum(), y, disconnected_inputs="warn")
    cut = T.grad((x * theano.gradient.disconnected_grad(x)).sum(), x)
    np.testing.assert_array_equal(theano.function([x], cut)([1, 2]), [1, 2])
    with pytest.raises(GraphError, match="disconnected_grad passes no derivative"):
        T.grad(theano.gradient.disconnected_grad(x).sum(), x)
    none = T.grad(theano.gradient.consider_constant(square).sum(), x)
    np.testing.assert_array_equal(theano.function([x], none)([1, 2]), [0, 0])
    limited = T.grad((theano.gradient.grad_clip(x, -1, 1) ** 2).sum(), x)
    np.testing.assert_array_equal(theano.function([x], limited)([0.25, -3]), [0.5, -1])


def test_verify_grad() -> None:
    rng = np.random.RandomState(42)
    theano.gradient.verify_grad(lambda x: T.tanh(x) ** 2, [rng.randn(3, 4)], rng=rng)
    with pytest.raises(GraphError, match="finite differences"):
        T.verify_grad(
            lambda x: x * theano.gradient.disconnected_grad(x), [np.ones(3)], n_tests=1, eps=1e-5
        )

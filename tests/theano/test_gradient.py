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
    with pytest.raises(NotSupported, match="'None'"):
        T.grad(a * b, a, return_disconnected="None")
    with pytest.raises(GraphError, match="neither a cost"):
        T.grad(None, a)


def test_known_derivatives_take_the_place_of_what_would_be_found() -> None:
    x, k = T.dvector("x"), T.dvector("k")
    h = x**2
    cost = (h * x).sum()
    in_parts = T.grad(None, x, known_grads={h: T.grad(cost, h)})
    replaced = T.grad(cost, x, known_grads=[(h, k)])
    f = theano.function([x, k], [in_parts, replaced], on_unused_input="ignore")
    values, known = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    parts, with_known = f(values, known)
    np.testing.assert_array_equal(parts, values * 2 * values)
    np.testing.assert_array_equal(with_known, values**2 + known * 2 * values)
    with pytest.raises(GraphError, match="no derivative by"):
        T.grad(None, x, known_grads={h: k.sum()})
    with pytest.raises(GraphError, match="does not depend on k"):
        T.grad(None, k, known_grads={h: k})


def test_matrices_of_derivatives_and_products_with_them() -> None:
    x, w, u, v = T.dvector("x"), T.dmatrix("w"), T.dvector("u"), T.dmatrix("v")
    y = T.tanh(T.dot(x, w))
    by_x, by_w = theano.gradient.jacobian(y, [x, w])
    outputs = [by_x, by_w, T.Rop(y, w, v), T.Lop(y, w, u), T.jacobian(y.sum(), x)]
    outputs += [T.hessian(y.sum(), x), *theano.gradient.hessian((x**3).sum(), [x])]
    # The second derivative of a square does not depend on it.
    product = theano.function([x, u], T.grad((T.grad((x**2).sum(), x) * u).sum(), x))
    rng = np.random.default_rng(2)
    a, b, c, d = rng.normal(size=2), rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=6)
    d = d.reshape(2, 3)
    found = theano.function([x, w, u, v], outputs)(a, b, c, d)
    t = np.tanh(a @ b)
    slope = 1 - t**2
    wanted = [
        (b * slope).T,
        np.eye(3)[:, None, :] * (slope[:, None, None] * a[None, :, None]),
        (a @ d) * slope,
        np.outer(a, c * slope),
        b @ slope,
        (b * (-2 * t * slope)) @ b.T,
        np.diag(6 * a),
    ]
    for got, value in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, value, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(product(a, a), 2 * a)
    both = T.Rop([y, y * 2], [w], [v])
    one, two = theano.function([x, w, v], both)(a, b, d)
    np.testing.assert_allclose(two, 2 * one)
    with pytest.raises(GraphError, match="flatten"):
        T.jacobian(w * 2, w)


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

"""Making variables: names, dtypes, axes, constants and shared values."""

from __future__ import annotations

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from workbench.core.errors import GraphError, NotSupported

AXES = {
    "scalar": (),
    "vector": (False,),
    "row": (True, False),
    "col": (False, True),
    "matrix": (False, False),
    "tensor3": (False,) * 3,
    "tensor4": (False,) * 4,
}
DTYPES = {"b": "int8", "w": "int16", "i": "int32", "l": "int64", "f": "float32", "d": "float64"}


@pytest.mark.parametrize("name", AXES)
def test_makers(name: str) -> None:
    plural = "matrices" if name == "matrix" else f"{name}s"
    for prefix, dtype in {"": "float64", **DTYPES}.items():
        made = getattr(T, prefix + name)("v")
        assert (made.name, made.dtype, made.broadcastable) == ("v", dtype, AXES[name])
        assert getattr(T, prefix + name)().name is None
        two = getattr(T, prefix + plural)("a", "b")
        assert [v.name for v in two] == ["a", "b"]
        assert len(getattr(T, prefix + plural)(3)) == 3
    assert getattr(T, name)("v", dtype="int8").dtype == "int8"
    theano.config.floatX = "float32"
    assert getattr(T, name)("v").dtype == "float32"
    assert getattr(T, f"d{name}")("v").dtype == "float64"


def test_types_make_variables() -> None:
    kind = T.TensorType("floatX", [False, True, False, False, False])
    x = kind("x")
    assert (x.ndim, x.dtype, x.broadcastable[1]) == (5, "float64", True)
    assert T.dmatrix == T.TensorType("float64", (False, False))
    with pytest.raises(NotSupported, match="complex"):
        _ = T.zmatrix


def test_a_type_makes_more_of_its_kind() -> None:
    x = T.col("x")
    y = (x * 2).type("y")
    assert (y.name, y.type, x.type().name) == ("y", x.type, None)


def test_a_variable_is_there_and_takes_notes() -> None:
    x, w = T.matrix("x"), theano.shared(np.zeros(2))
    assert x
    assert w
    x.tag.test_value = np.zeros((2, 2))
    assert x.tag.test_value.shape == (2, 2)
    assert not hasattr(w.tag, "test_value")
    for wrong in (x > 0, T.eq(x, 1)):
        with pytest.raises(GraphError, match="no value yet"):
            bool(wrong)


def test_methods_that_are_not_there_tell_the_way_round() -> None:
    x = T.matrix("x")
    assert not hasattr(x, "ravel")
    with pytest.raises(NotSupported, match=r"'ravel'.*flatten\(\)"):
        x.ravel()
    with pytest.raises(NotSupported, match=r"RandomStreams\.seed"):
        _ = x.rng


def test_constants() -> None:
    assert (T.constant(0.5) * T.fvector()).dtype == "float32"
    assert (T.constant(0.5, dtype="float64") * T.fvector()).dtype == "float64"
    assert T.constant(np.ones((1, 3)), "c").broadcastable == (True, False)
    assert T.as_tensor_variable([1.0, 2.0], ndim=2).broadcastable == (True, False)
    with pytest.raises(GraphError, match="no constant"):
        T.constant(T.vector("x"))


def test_what_is_made_without_a_dtype_has_that_of_the_configuration() -> None:
    theano.config.floatX = "float32"
    x = T.vector("x")
    made = [T.zeros((2,)), T.ones(2), T.eye(2), T.alloc(0.0, 2), T.switch(x > 0, 1.0, 0.0)]
    made += [T.cast(T.ivector(), "floatX"), T.ivector().astype("floatX"), x * 0.1, x.mean()]
    stream = T.shared_randomstreams.RandomStreams(1)
    made += [stream.uniform((2,)), stream.normal((2,))]
    assert {v.dtype for v in made} == {"float32"}


def test_shared_variables() -> None:
    start = np.zeros(3)
    w = theano.shared(start, "w", borrow=True)
    start += 1
    assert w.name == "w"
    np.testing.assert_array_equal(w.get_value(borrow=True), np.zeros(3))
    w.get_value()[:] = 5
    np.testing.assert_array_equal(w.get_value(), np.zeros(3))
    w.set_value([1, 2], borrow=True)
    np.testing.assert_array_equal(w.get_value(), [1, 2])
    with pytest.raises(GraphError, match=r"shape \(1, 2\)"):
        w.set_value([[1.0, 2.0]])
    row = theano.shared(np.zeros((1, 3)), broadcastable=(True, False))
    assert theano.function([], (row + np.ones((2, 3))).sum())() == 6
    assert theano.shared(0).dtype == "int64"
    assert theano.shared(0.0).dtype == "float64"
    assert theano.shared(np.float32(0)).dtype == "float32"
    with pytest.raises(GraphError, match="dtype"):
        theano.shared("text")


def test_methods_and_operators() -> None:
    x = T.matrix("x")
    value = np.arange(6.0).reshape(2, 3) + 0.5
    pairs = [
        (x.sum(), value.sum()),
        (x.mean(axis=0), value.mean(0)),
        (x.mean(dtype="float32"), np.float32(3)),
        (x.var(1, 1), value.var(1, ddof=1)),
        (x.T, value.T),
        (x.transpose(1, 0), value.T),
        (x.dimshuffle("x", 1, 0), value.T[None]),
        (x.flatten(), value.ravel()),
        (T.flatten(x, outdim=2), value),
        (x.reshape((3, 2), ndim=2), value.reshape(3, 2)),
        (x.astype("int32"), value.astype("int32")),
        (x.max(axis=1, keepdims=True), value.max(1, keepdims=True)),
        (x.argmax(axis=1), value.argmax(1)),
        (x.dot(x.T), value @ value.T),
        (x.clip(1, 2), value.clip(1, 2)),
        (x[1, ::-1], value[1, ::-1]),
        (x[:, None, 1], value[:, None, 1]),
        (2 ** abs(-x) // 3 % 2, 2**value // 3 % 2),
        (1 / x - (x + 1) * 0.5, 1 / value - (value + 1) * 0.5),
        ((x > 1) & (x <= 3) | ~(x < 4), (value > 1) & (value <= 3) | ~(value < 4)),
        (True & (x > 1), value > 1),
        (value @ x.T, value @ value.T),
        (np.float64(2) * x, 2 * value),
        (T.stack([x[0], x[1]], 1), np.stack(list(value), 1)),
        (T.stack(x[0], x[1]), value),
        (T.add(x, x, 1), 2 * value + 1),
        (T.mul(x, 2, x), 2 * value**2),
        (T.abs_(-x), value),
        (T.shape(x)[1], 3),
        (x.repeat(2, axis=0), value.repeat(2, 0)),
        (T.patternbroadcast(x[:1], (True, False)) + x, value[:1] + value),
        (T.addbroadcast(x[:1], 0) + x, value[:1] + value),
    ]
    found = theano.function([x], [v for v, _ in pairs])(value)
    for (variable, wanted), got in zip(pairs, found, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12, err_msg=str(variable))
    assert T.unbroadcast(T.row("r"), 0).broadcastable == (False, False)


def test_lengths_are_a_tuple_and_in_arithmetic_a_vector() -> None:
    x = T.matrix("x")
    outputs = [x.shape * 2, 1 + x.shape, x.shape // 2, x.shape.prod(), x.size, x.shape[0]]
    found = theano.function([x], outputs)(np.zeros((3, 5)))
    wanted = [[6, 10], [4, 6], [1, 2], 15, 15, 3]
    for got, value in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(got, value)
    np.testing.assert_array_equal(theano.function([x], x.shape)(np.zeros((3, 5))), [3, 5])
    assert (x[1:].reshape(x.shape) + T.zeros(x.shape)).ndim == 2


def test_softmax_of_a_vector_is_a_row() -> None:
    x = T.vector("x")
    p, logs = theano.function([x], [T.nnet.softmax(x), T.nnet.logsoftmax(x)])([1.0, 1.0])
    np.testing.assert_allclose(p, [[0.5, 0.5]])
    np.testing.assert_allclose(logs, np.log(p))

"""What is computed from arranged values is what is computed from permuted ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import function
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.grad import grad
from workbench.engine.graph.ops.dimshuffle import Dimshuffle
from workbench.engine.graph.ops.windows import Arranged, windows
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

SHAPE, ORDER = (4, 6, 3, 1), (2, 0, 3, 1)

#: On x of shape (3, 4, 1, 6), arranged, and y of the same shape in its own order.
USES: dict[str, Callable[[Variable, Variable], Variable]] = {
    "elementwise": lambda x, y: T.tanh(x) * y + 2,
    "two arranged": lambda x, _: x * T.exp(x) - x,
    "another order": lambda x, y: x.dimshuffle(1, 0, 2, 3) * y.dimshuffle(1, 0, 2, 3),
    "a bias": lambda x, y: x + y[0, :, 0, 0].dimshuffle("x", 0, "x", "x"),
    "one axis stretched": lambda x, y: x.dimshuffle(0, 1, 3) + y[:, :, 0, 0].dimshuffle(0, 1, "x"),
    "axes added": lambda x, _: x.dimshuffle("x", 3, 0, 1, "x") * 2,
    "sum": lambda x, _: x.sum(axis=(0, 3)),
    "sum of all": lambda x, _: (x * x).sum(),
    "mean, kept": lambda x, _: x - x.mean(axis=1, keepdims=True),
    "max": lambda x, _: T.max(x, axis=(1, 3)) * 2,
    "argmax": lambda x, _: T.argmax(x, axis=1),
    "argmax of all": lambda x, _: T.argmax(x),
    "split": lambda x, _: x.reshape((3, 2, 2, 1, 3, 2)) * 2,
    "split and joined": lambda x, _: x.reshape((3, 2, 2, 6)) * 2,
    "joined": lambda x, _: x.reshape((12, 6)) * 2,
    "flattened": lambda x, _: x.flatten(2) + 1,
    "all joined": lambda x, _: x.flatten() * 2,
    "axes of one": lambda x, _: x.reshape((1, 3, 4, 1, 1, 6, 1)) * 2,
    "slice": lambda x, _: x[1:, ::2, :, -3:] * 2,
    "one place": lambda x, _: x[:, 1] * 2,
    "windows": lambda x, _: windows(x, 3, 3, 2) * 2,
    "pooled": lambda x, _: T.pool_2d(x.dimshuffle(2, 0, 1, 3), (2, 2)),
    "pooled with steps": lambda x, _: T.pool_2d(x.dimshuffle(2, 0, 1, 3), 2, True, (1, 2)),
    "product": lambda x, y: T.dot(x.flatten(2), y.flatten(2).T),
    "convolution": lambda x, y: T.conv2d(x, y[:2, :, :, :2]),
}


@pytest.mark.parametrize("name", USES)
def test_arranged_values_and_their_derivatives(name: str) -> None:
    rng = np.random.default_rng(0)
    source = Variable(TensorType("float64", (False, False, False, True)))
    y = Variable(TensorType("float64", (False, False, True, False)))
    arrays = [rng.standard_normal(SHAPE), rng.standard_normal((3, 4, 1, 6))]
    plain, arranged = (
        USES[name](kind(ORDER)(T.tanh(source)), y) for kind in (Dimshuffle, Arranged)
    )
    given = {source: arrays[0], y: arrays[1]}
    found = function(
        list(given),
        _with_slopes(arranged, given),
        device=ReferenceDevice(),
        on_unused_input="ignore",
    )(*arrays)
    expected = evaluate(_with_slopes(plain, given), given)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def _with_slopes(value: Variable, inputs: Iterable[Variable]) -> list[Variable]:
    if not value.type.is_float:
        return [value]
    slopes = grad(T.sum(T.sqr(value)), list(inputs), disconnected_inputs="ignore")
    return [value, *(T.tanh(slope) for slope in slopes)]


def test_nothing_is_transposed_between_convolutions() -> None:
    """Only the images are put in order before, and the result behind."""
    x = Variable(TensorType("float64", (False,) * 4))
    filters = [Variable(TensorType("float64", (False,) * 4)) for _ in range(2)]
    bias = Variable(TensorType("float64", (False,)))
    h = T.conv2d(x, filters[0]) + bias.dimshuffle("x", 0, "x", "x")
    h = T.conv2d(T.relu(T.pool_2d(h, 2)), filters[1])
    f = function([x, *filters, bias], T.tanh(h), device=ReferenceDevice())
    rng = np.random.default_rng(0)
    shapes = ((5, 2, 9, 8), (3, 2, 2, 3), (4, 3, 2, 2), (3,))
    f(*(rng.standard_normal(shape) for shape in shapes))
    (plan,) = f.plans
    kinds = [type(step).__name__ for step in plan.steps]
    assert kinds == ["Loops", "Product", "Loops", "Product", "Loops"]

"""Softmax, its logarithm, and the costs that go with probabilities.

Responsible for forms that neither overflow nor lose small values; knows nothing of kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.ops import reductions
from workbench.engine.graph.ops.arithmetic import cast
from workbench.engine.graph.ops.comparison import eq
from workbench.engine.graph.ops.dimshuffle import dimshuffle
from workbench.engine.graph.ops.elementwise import with_dtype
from workbench.engine.graph.ops.generated import arange
from workbench.engine.graph.ops.lengths import RowWise
from workbench.engine.graph.ops.registry import FLOATS, Case, Sample, declare, language
from workbench.engine.graph.ops.transcendental import exp, log
from workbench.engine.graph.promotion import DEFAULTS, as_variable, float_dtype
from workbench.engine.graph.types import Shape
from workbench.engine.graph.variable import FUNCTIONS, Variable


@attrs.frozen
class Softmax(RowWise):
    """``exp(x) / reductions.sum(exp(x))`` along the last axis."""

    name = "softmax"

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Subtract the greatest first."""
        return np.asarray(np.exp(_log_softmax(arrays[0])))

    def expand(self, *inputs: Variable) -> Variable:
        """Subtract the greatest, so that no exponential overflows."""
        (x,) = inputs
        e = exp(x - reductions.max(x, axis=-1, keepdims=True))
        return e / reductions.sum(e, axis=-1, keepdims=True)

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Weigh what is left of the derivative after its mean under the probabilities."""
        return [output * (grad - reductions.sum(grad * output, axis=-1, keepdims=True))]


@attrs.frozen
class LogSoftmax(RowWise):
    """``log(softmax(x))`` along the last axis, finite where the probability underflows."""

    name = "log_softmax"

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Subtract the greatest first."""
        return _log_softmax(arrays[0])

    def expand(self, *inputs: Variable) -> Variable:
        """Subtract the greatest, then the logarithm of the sum."""
        (x,) = inputs
        rest = x - reductions.max(x, axis=-1, keepdims=True)
        return rest - log(reductions.sum(exp(rest), axis=-1, keepdims=True))

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Take away each row's total, spread by its probabilities."""
        return [grad - Softmax()(inputs[0]) * reductions.sum(grad, axis=-1, keepdims=True)]


def _log_softmax(x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        rest = x - x.max(axis=-1, keepdims=True)
        return np.asarray(rest - np.log(np.exp(rest).sum(axis=-1, keepdims=True)))


def _floats(x: Any) -> Variable:
    variable = as_variable(x)
    return with_dtype(variable, float_dtype([variable]))


@language
def softmax(x: Any) -> Variable:
    """Return probabilities: ``exp(x) / reductions.sum(exp(x))`` along the last axis."""
    return Softmax()(_floats(x))


@language
def log_softmax(x: Any) -> Variable:
    """Return the logarithm of `softmax`, exact also where a probability is too small to write."""
    return LogSoftmax()(_floats(x))


@language
def categorical_crossentropy(probabilities: Any, target: Any) -> Variable:
    """Return ``-log`` of the target's probability in each row.

    Parameters
    ----------
    probabilities
        (rows, classes).
    target
        Labels (rows,) of an integer dtype, or the distribution (rows, classes).
    """
    p, target = as_variable(probabilities), as_variable(target)
    if target.ndim == p.ndim:
        return -reductions.sum(target * log(p), axis=-1)
    if p.ndim == 2 and target.ndim == 1 and target.type.is_integer:
        return -log(p)[arange(p.shape[0]), target]
    raise GraphError(
        f"categorical_crossentropy does not take {p.describe()} and {target.describe()}.",
        "Give integer labels (rows,) or a distribution shaped as the probabilities.",
    )


@language
def binary_crossentropy(probability: Any, target: Any) -> Variable:
    """Return ``-(t log p + (1 - t) log(1 - p))``, element by element."""
    p, t = as_variable(probability), as_variable(target)
    return -(t * log(p) + (1 - t) * log(1 - p))


@language
def to_one_hot(labels: Any, nb_class: Any, dtype: str | None = None) -> Variable:
    """Return a row for each label (0 to below `nb_class`), 1 in its column and 0 elsewhere.

    A label out of that range gives a row of zeros.
    """
    labels = as_variable(labels)
    if labels.ndim != 1 or not labels.type.is_integer:
        raise GraphError(
            f"to_one_hot does not take {labels.describe()}.", "Give a vector of integers."
        )
    hot = eq(dimshuffle(labels, 0, "x"), dimshuffle(arange(nb_class), "x", 0))
    return cast(hot, dtype or DEFAULTS.float_dtype)


FUNCTIONS.add("logsoftmax")(log_softmax)

_SHAPES = ((3, 5), (0, 4), (7,), (2, 3, 4), (1, 1))


def _naive(x: np.ndarray) -> Any:
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


declare("softmax", Softmax, FLOATS, *(Case(softmax, (Sample(s),), _naive) for s in _SHAPES))
declare(
    "log_softmax",
    LogSoftmax,
    FLOATS,
    *(Case(log_softmax, (Sample(s),), lambda x: np.log(_naive(x))) for s in _SHAPES),
)
_LABELS = Sample((3,), "int32", 0, 4)
declare(
    "categorical_crossentropy",
    None,
    FLOATS,
    Case(
        categorical_crossentropy,
        (Sample((3, 5), low=0.1, high=0.9), _LABELS),
        lambda p, y: -np.log(p)[np.arange(3), y],
    ),
    Case(
        categorical_crossentropy,
        (Sample((3, 5), low=0.1, high=0.9), Sample((3, 5), low=0.1, high=0.9)),
        lambda p, t: -(t * np.log(p)).sum(-1),
    ),
)
declare(
    "binary_crossentropy",
    None,
    FLOATS,
    Case(
        binary_crossentropy,
        (Sample((3, 5), low=0.1, high=0.9), Sample((3, 5), low=0.1, high=0.9)),
        lambda p, t: -(t * np.log(p) + (1 - t) * np.log(1 - p)),
    ),
)
declare(
    "to_one_hot",
    None,
    ("uint8", "int32", "int64"),
    Case(lambda y: to_one_hot(y, 5), (Sample((7,), low=0, high=4),), lambda y: np.eye(5)[y]),
    Case(
        lambda y: to_one_hot(y, 3, "float32"),
        (Sample((0,)),),
        lambda y: np.eye(3, dtype="float32")[y],
    ),
)

"""Axes of length 1 added, dropped and marked.

Responsible for what is spelled out in dimshuffles and retypes; knows no arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.ops.dimshuffle import dimshuffle, normal_axes
from workbench.engine.graph.ops.registry import SAMPLED, Case, Sample, declare, language
from workbench.engine.graph.ops.shape import retype
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.variable import Variable


@language
def shape_padleft(x: Any, n_ones: int = 1) -> Variable:
    """Return `x` with `n_ones` broadcastable axes added on the left."""
    x = as_variable(x)
    return dimshuffle(x, ["x"] * n_ones + list(range(x.ndim)))


@language
def shape_padright(x: Any, n_ones: int = 1) -> Variable:
    """Return `x` with `n_ones` broadcastable axes added on the right."""
    x = as_variable(x)
    return dimshuffle(x, list(range(x.ndim)) + ["x"] * n_ones)


@language
def shape_padaxis(x: Any, axis: int) -> Variable:
    """Return `x` with a broadcastable axis added where `axis` says, counted in the result.

    Raises
    ------
    GraphError
        The result has no such axis.
    """
    x = as_variable(x)
    ndim = x.ndim + 1
    if not -ndim <= axis < ndim:
        raise GraphError(
            f"There is no place {axis} for a new axis in {x.describe()}.",
            f"Count from {-ndim} to {ndim - 1}.",
        )
    order: list[Any] = list(range(x.ndim))
    order.insert(axis % ndim, "x")
    return dimshuffle(x, order)


@language
def squeeze(x: Any, axis: Any = None) -> Variable:
    """Return `x` without its broadcastable axes, or without those of length 1 that `axis` names."""
    x = as_variable(x)
    if axis is None:
        dropped = [a for a, stretches in enumerate(x.broadcastable) if stretches]
    else:
        dropped = list(normal_axes(x, axis))
        x = addbroadcast(x, *dropped)
    return dimshuffle(x, [a for a in range(x.ndim) if a not in dropped])


@language
def addbroadcast(x: Any, *axes: int) -> Variable:
    """Return `x` with these axes marked broadcastable; another length than 1 is an error then."""
    x = as_variable(x)
    marked = normal_axes(x, axes)
    return retype(x, [a in marked or flag for a, flag in enumerate(x.broadcastable)])


@language
def unbroadcast(x: Any, *axes: int) -> Variable:
    """Return `x` with these axes no longer broadcastable."""
    x = as_variable(x)
    freed = normal_axes(x, axes)
    return retype(x, [a not in freed and flag for a, flag in enumerate(x.broadcastable)])


_MATRIX = (Sample((3, 5)),)
_ROW = Sample((1, 5, 1), stretch=(0,))
declare(
    "shape_pad",
    None,
    SAMPLED,
    Case(lambda x: shape_padleft(x, 2), _MATRIX, lambda x: x[None, None]),
    Case(lambda x: shape_padright(x), _MATRIX, lambda x: x[..., None]),
    Case(lambda x: shape_padaxis(x, 1), _MATRIX, lambda x: x[:, None]),
    Case(lambda x: shape_padaxis(x, -1), (Sample(()),), lambda x: x[None]),
    Case(lambda x, y: x + shape_padleft(y), (*_MATRIX, Sample((5,))), np.add),
)
declare(
    "squeeze",
    None,
    SAMPLED,
    Case(squeeze, (_ROW,), lambda x: x[0]),
    Case(lambda x: squeeze(x, -1), (_ROW,), lambda x: x[..., 0]),
    Case(lambda x, y: addbroadcast(x, 0) + y, (Sample((1, 5)), Sample((3, 5))), np.add),
    Case(lambda x: unbroadcast(x, 0, 2), (_ROW,), np.asarray),
)

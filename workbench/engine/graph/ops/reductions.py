"""Reductions of the language: sums, products, extremes and what is composed of them.

Responsible for axes, dtypes and compositions; the folds themselves are `folds`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.engine.graph.ops.arithmetic import cast, sqr
from workbench.engine.graph.ops.axes import shape_padright
from workbench.engine.graph.ops.comparison import truth
from workbench.engine.graph.ops.dimshuffle import dimshuffle, normal_axes
from workbench.engine.graph.ops.folds import (
    AllTrue,
    AnyTrue,
    ArgMax,
    ArgMin,
    Fold,
    Logical,
    Max,
    Min,
    Position,
    Prod,
    Sum,
)
from workbench.engine.graph.ops.lengths import axis_length, product
from workbench.engine.graph.ops.registry import (
    NUMBERS,
    SAMPLED,
    Case,
    Sample,
    call,
    declare,
    language,
)
from workbench.engine.graph.ops.shape import flatten
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.variable import Variable

Axis = int | Sequence[int] | None


@language
def sum(
    x: Any,
    axis: Axis = None,
    dtype: str | None = None,
    keepdims: bool = False,
    acc_dtype: str | None = None,
) -> Variable:
    """Return the sum over `axis` (all if None); integers are added up in 64 bits.

    Parameters
    ----------
    dtype
        The dtype of the result, and of the sum in the making unless `acc_dtype` says otherwise.
    """
    return _accumulated(Sum, x, axis, dtype, keepdims, acc_dtype)


@language
def prod(
    x: Any,
    axis: Axis = None,
    dtype: str | None = None,
    keepdims: bool = False,
    acc_dtype: str | None = None,
) -> Variable:
    """Return the product over `axis` (all if None); integers are multiplied in 64 bits.

    Parameters
    ----------
    dtype
        The dtype of the result, and of the product in the making unless `acc_dtype` says otherwise.
    """
    return _accumulated(Prod, x, axis, dtype, keepdims, acc_dtype)


def _accumulated(
    op: type[Fold], x: Any, axis: Axis, dtype: str | None, keepdims: bool, acc_dtype: str | None
) -> Variable:
    x = as_variable(x)
    wide = acc_dtype or dtype
    if wide is not None:
        x = cast(x, wide)
    result = op(normal_axes(x, axis), keepdims)(x)
    return result if dtype is None else cast(result, dtype)


@language
def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """Return the greatest element over `axis` (all if None); NaN if there is one."""
    x = as_variable(x)
    return Max(normal_axes(x, axis), keepdims)(x)


@language
def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """Return the least element over `axis` (all if None); NaN if there is one."""
    x = as_variable(x)
    return Min(normal_axes(x, axis), keepdims)(x)


@language
def argmax(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """Return the position (int64) of the greatest element along `axis`, the first of equals.

    Over several axes it is counted in C order, as if they were one.
    """
    return _position(ArgMax, x, axis, keepdims)


@language
def argmin(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """Return the position (int64) of the least element along `axis`, the first of equals.

    Over several axes it is counted in C order, as if they were one.
    """
    return _position(ArgMin, x, axis, keepdims)


def _position(op: type[Position], x: Any, axis: Axis, keepdims: bool) -> Variable:
    x = as_variable(x)
    axes = normal_axes(x, axis)
    if len(axes) == 1:
        return op(axes, keepdims)(x)
    kept = [a for a in range(x.ndim) if a not in axes]
    rows = flatten(dimshuffle(x, [*kept, *axes]), len(kept) + 1) if axes else shape_padright(x)
    found = op((len(kept),), False)(rows)
    if not keepdims:
        return found
    return dimshuffle(found, [kept.index(a) if a in kept else "x" for a in range(x.ndim)])


@language
def max_and_argmax(x: Any, axis: Axis = None, keepdims: bool = False) -> tuple[Variable, Variable]:
    """Return the greatest element along `axis` and its position."""
    return max(x, axis, keepdims), argmax(x, axis, keepdims)


@language
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """Return whether any element over `axis` is not 0."""
    return _logical(AnyTrue, x, axis, keepdims)


@language
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """Return whether no element over `axis` is 0."""
    return _logical(AllTrue, x, axis, keepdims)


def _logical(op: type[Logical], x: Any, axis: Axis, keepdims: bool) -> Variable:
    x = as_variable(x)
    return op(normal_axes(x, axis), keepdims)(truth(x))


@language
def mean(
    x: Any,
    axis: Axis = None,
    dtype: str | None = None,
    keepdims: bool = False,
    acc_dtype: str | None = None,
) -> Variable:
    """Return the mean over `axis` (all if None); of integers in float64, NaN over nothing.

    Parameters
    ----------
    dtype
        The dtype of the result, and of the sum in the making unless `acc_dtype` says otherwise.
    """
    x = as_variable(x)
    x = cast(x, acc_dtype or dtype or (x.dtype if x.type.is_float else "float64"))
    result = sum(x, axis, keepdims=keepdims) / cast(_count(x, axis), x.dtype)
    return result if dtype is None else cast(result, dtype)


def _count(x: Variable, axis: Axis) -> Variable:
    return product([axis_length(x, a) for a in normal_axes(x, axis)])


@language
def var(x: Any, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Variable:
    """Return the variance over `axis` (all if None), divided by the count less `ddof`."""
    x = as_variable(x)
    if not x.type.is_float:
        x = cast(x, "float64")
    squares = sqr(x - mean(x, axis, keepdims=True))
    if ddof == 0:
        return mean(squares, axis, keepdims=keepdims)
    return sum(squares, axis, keepdims=keepdims) / cast(_count(x, axis) - ddof, x.dtype)


@language
def std(x: Any, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Variable:
    """Return the standard deviation over `axis` (all if None): the root of the variance."""
    return call("sqrt", var(x, axis, ddof, keepdims))


def _declare(
    name: str, op: type[Fold] | None, function: Any, numpy: Any, dtypes: tuple[str, ...]
) -> None:
    axes: list[Any] = [(None, (3, 5)), (0, (3, 5)), (-1, (7, 3)), (1, (2, 3, 2))]
    axes += [(None, ()), (None, (40, 33))]
    if op is None or not issubclass(op, Position):
        axes += [((0, 2), (2, 3, 4)), ((), (3, 5))]
    axes.append((1, (0, 4)))
    if op in (Sum, Prod, AnyTrue, AllTrue):
        axes += [(0, (0, 4)), (None, (3, 0))]
    ties = op is not None and issubclass(op, Position | Logical)
    declare(
        name,
        op,
        dtypes,
        *(
            Case(
                lambda x, axis=axis, keepdims=keepdims: function(x, axis=axis, keepdims=keepdims),
                (Sample(shape, ties=ties, low=-2.0, high=2.0),),
                lambda x, axis=axis, keepdims=keepdims: numpy(x, axis=axis, keepdims=keepdims),
                # The root of a variance of 0 has no derivative.
                differentiable=not ties and not (name == "std" and (axis == () or shape == ())),
            )
            for axis, shape in axes
            for keepdims in (False, True)
        ),
    )


def _over(numpy: Any, x: np.ndarray, axes: tuple[int, ...], keepdims: bool) -> Any:
    """Return the position over several axes in plain NumPy."""
    axes = tuple(sorted(a % x.ndim for a in axes))
    kept = [a for a in range(x.ndim) if a not in axes]
    length = math.prod(x.shape[a] for a in axes)
    rows = x.transpose(kept + list(axes)).reshape([*(x.shape[a] for a in kept), length])
    found = numpy(rows, axis=-1)
    return np.expand_dims(found, axes) if keepdims else found


_declare("sum", Sum, sum, np.sum, SAMPLED)
_declare("prod", Prod, prod, np.prod, SAMPLED)
_declare("max", Max, max, np.max, SAMPLED)
_declare("min", Min, min, np.min, SAMPLED)
_declare("argmax", ArgMax, argmax, np.argmax, SAMPLED)
_declare("argmin", ArgMin, argmin, np.argmin, SAMPLED)
_declare("any", AnyTrue, any, np.any, SAMPLED)
_declare("all", AllTrue, all, np.all, SAMPLED)
_declare("mean", None, mean, np.mean, SAMPLED)
_declare("var", None, var, np.var, tuple(d for d in SAMPLED if d in NUMBERS))
_declare("std", None, std, np.std, tuple(d for d in SAMPLED if d in NUMBERS))
for _name, _function, _numpy in (("argmax", argmax, np.argmax), ("argmin", argmin, np.argmin)):
    declare(
        f"{_name} over axes",
        None,
        SAMPLED,
        *(
            Case(
                lambda x, f=_function, axes=axes, keepdims=keepdims: f(x, axes, keepdims),
                (Sample((2, 3, 4), ties=True),),
                lambda x, f=_numpy, axes=axes, keepdims=keepdims: _over(f, x, axes, keepdims),
            )
            for axes in ((0, 2), (-2, 0), (0, 1, 2), ())
            for keepdims in (False, True)
        ),
    )
declare(
    "sum in a dtype",
    None,
    SAMPLED,
    Case(
        lambda x: sum(x, 0, "float64", acc_dtype="float32"),
        (Sample((7, 3)),),
        lambda x: x.astype("float32").sum(0).astype("float64"),
        dtypes=("bool", "int8", "uint8", "int32"),
    ),
    Case(
        lambda x: sum(x, dtype="int8"),
        (Sample((7, 3)),),
        lambda x: x.astype("int8").sum(dtype="int8"),
    ),
    Case(lambda x: mean(x, 1, "float64"), (Sample((7, 3)),), lambda x: x.mean(1, dtype="float64")),
)

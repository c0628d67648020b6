"""Pooling: the greatest, the sum or the average of each window of an image.

Responsible for which windows there are and what is made of each; knows no kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.errors import GraphError, NotSupported
from workbench.engine.graph.ops import reductions
from workbench.engine.graph.ops.arithmetic import cast, maximum, minimum
from workbench.engine.graph.ops.dimshuffle import dimshuffle
from workbench.engine.graph.ops.generated import arange
from workbench.engine.graph.ops.lengths import axis_length
from workbench.engine.graph.ops.margins import Pair, padded, pair_of
from workbench.engine.graph.ops.registry import FLOATS, Case, Sample, declare, language
from workbench.engine.graph.ops.shape import reshape
from workbench.engine.graph.ops.slicing import Slice
from workbench.engine.graph.ops.windows import windows
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.types import Shape
from workbench.engine.graph.variable import Variable

MODES = ("max", "sum", "average_inc_pad", "average_exc_pad")


@language
def pool_2d(
    input: Any,
    ws: Any = None,
    ignore_border: bool | None = None,
    stride: Any = None,
    pad: Any = (0, 0),
    mode: str = "max",
    ds: Any = None,
    st: Any = None,
    padding: Any = None,
) -> Variable:
    """Return what is made of each window of the last two axes.

    Where several elements of a window are its greatest, each of them gets the whole derivative.

    Parameters
    ----------
    input
        At least two axes, the last of which are rows and columns.
    ws, ds
        Rows and columns of a window: one or two numbers. `ds` is the older name.
    ignore_border
        Whether windows that reach beyond the last row or column are left out; otherwise they hold
        what there is. None means False.
    stride, st
        How far the next window begins from one; a window further unless told. `st` is the older
        name.
    pad, padding
        Width of the margin around the image: for rows and for columns, less than a window; only
        with `ignore_border`. It never is the greatest, and counts as 0 in sums. `padding` is the
        older name.
    mode
        "max", "sum", "average_inc_pad" (the margin counts), "average_exc_pad" (it does not). What a
        window lacks beyond the image's end never counts.

    Raises
    ------
    GraphError
        The arguments do not make sense.
    NotSupported
        A length is a variable.
    """
    x = as_variable(input)
    size_ = _whole("ws", 1, ws, ds)
    step = _whole("stride", 1, stride, st, size_)
    margin = _whole("pad", 0, padding, pad)
    if x.ndim < 2:
        raise GraphError(
            f"pool_2d does not take {x.describe()}.", "Give rows and columns as the last axes."
        )
    if mode not in MODES:
        raise GraphError(f"pool_2d's mode is {mode!r}.", f"Use one of {', '.join(MODES)}.")
    if any(p >= n for p, n in zip(margin, size_, strict=True)):
        raise GraphError(
            f"pool_2d's pad {margin} is not less than its window {size_}.", "Pad less."
        )
    if any(margin) and not ignore_border:
        raise NotSupported(
            f"pool_2d with pad {margin} and ignore_border=False is not offered.",
            "Set ignore_border=True.",
        )
    whole = bool(ignore_border)
    around = _least(x.dtype) if mode == "max" else 0
    rows, columns = x.ndim - 2, x.ndim - 1
    full = padded(x, {rows: (margin[0],) * 2, columns: (margin[1],) * 2}, around)
    for axis, n, s in ((rows, size_[0], step[0]), (columns, size_[1], step[1])):
        full = _cut(full, axis, n, s, whole, around)
    return _folded(full, x, size_, step, margin, whole, mode)


def _whole(what: str, least: int, *values: Any) -> Pair:
    """Return the first value that is given."""
    value = next((v for v in values if v is not None), None)
    parts = value if isinstance(value, (tuple, list)) else [value]
    if any(isinstance(v, Variable) for v in parts):
        raise NotSupported(f"pool_2d with a symbolic {what} is not offered.", "Give numbers.")
    return pair_of(value, f"pool_2d's {what}", least)


def _least(dtype: str) -> float | int:
    """Return what no element is less than."""
    if dtype.startswith("float"):
        return -np.inf
    return 0 if dtype == "bool" else int(np.iinfo(dtype).min)


def _cut(
    x: Variable, axis: int, length: int, step: int, whole: bool, around: float | int
) -> Variable:
    """Return the windows along an axis, their elements along a new last axis."""
    n = axis_length(x, axis)
    if whole:
        count = maximum((n - length) // step + 1, 0)
    else:
        started = n - 1 if step >= length else n - 1 - length + step
        count = minimum(maximum(started // step + 1, 0 if step >= length else 1), n)
        x = padded(x, {axis: (0, maximum((count - 1) * step + length - n, 0))}, around)
    if step != length:
        return windows(x, axis, length, step)
    # Windows side by side are the axis under another shape, and so is their derivative.
    used = Slice((axis,), (1,), (False,))(x, as_variable(np.int64(0)), count * length)
    lengths = list(x.shape)
    split = reshape(used, (*lengths[:axis], count, length, *lengths[axis + 1 :]))
    others = [a for a in range(x.ndim + 1) if a != axis + 1]
    return dimshuffle(split, [*others, axis + 1])


def _folded(
    full: Variable, x: Variable, size_: Pair, step: Pair, margin: Pair, whole: bool, mode: str
) -> Variable:
    """Make one number of each window of `full`, whose last two axes are its rows and columns."""
    inside = (full.ndim - 2, full.ndim - 1)
    if mode == "max":
        return reductions.max(full, inside)
    total = reductions.sum(full, inside)
    if mode == "sum":
        return cast(total, x.dtype)
    total = cast(total, x.dtype if x.type.is_float else "float64")
    if whole and (mode == "average_inc_pad" or not any(margin)):
        return total / (size_[0] * size_[1])
    rows, columns = (
        cast(_present(full, x, axis, size_[i], step[i], margin[i]), total.dtype)
        for i, axis in enumerate((x.ndim - 2, x.ndim - 1))
    )
    return total / (dimshuffle(rows, 0, "x") * columns)


def _present(
    full: Variable, x: Variable, axis: int, length: int, step: int, margin: int
) -> Variable:
    """Return how many of each window's places along an axis lie within the image."""
    first = arange(axis_length(full, axis)) * step - margin
    return minimum(first + length, axis_length(x, axis)) - maximum(first, 0)


_NUMPY: dict[str, Callable[[np.ndarray], Any]] = {
    "max": np.max,
    "sum": np.sum,
    "average_inc_pad": np.mean,
    "average_exc_pad": np.mean,
}


def _by_hand(
    x: np.ndarray,
    ws: Any,
    ignore_border: bool = False,
    stride: Pair | None = None,
    pad: Pair = (0, 0),
    mode: str = "max",
) -> np.ndarray:
    """Pool in NumPy, window after window."""
    ws = np.broadcast_to(ws, 2).tolist()
    stride = stride or ws
    starts = []
    for n, k, s, p in zip(x.shape[-2:], ws, stride, pad, strict=True):
        last = n + 2 * p - k
        if not ignore_border:
            last = n - 1 if s >= k else max(last + s - 1, 0) if n else -1
        starts.append([i - p for i in range(0, last + 1, s)])
    is_mean = mode.startswith("average") and x.dtype.kind != "f"
    shape = (*x.shape[:-2], len(starts[0]), len(starts[1]))
    result = np.zeros(shape, "float64" if is_mean else x.dtype)
    for (i, r), (j, c) in ((a, b) for a in enumerate(starts[0]) for b in enumerate(starts[1])):
        window = x[..., max(r, 0) : r + ws[0], max(c, 0) : c + ws[1]]
        if mode == "average_inc_pad" and ignore_border:
            result[..., i, j] = window.sum((-2, -1)) / (ws[0] * ws[1])
        else:
            fold: Any = _NUMPY[mode]
            result[..., i, j] = fold(window, axis=(-2, -1))
    return result


_USES: list[tuple[Shape, str, dict[str, Any]]] = [
    ((2, 3, 4, 6), "max", {"ws": (2, 2)}),
    ((2, 3, 5, 7), "sum", {"ws": (2, 3), "ignore_border": True}),
    ((2, 3, 5, 7), "max", {"ws": (2, 3), "ignore_border": True}),
    ((2, 3, 5, 7), "max", {"ws": (2, 3)}),
    ((2, 3, 5, 7), "average_inc_pad", {"ws": (2, 3)}),
    ((1, 2, 7, 8), "max", {"ws": (3, 4), "stride": (2, 1)}),
    ((1, 2, 7, 8), "average_exc_pad", {"ws": (3, 4), "stride": (2, 1)}),
    ((6, 5), "sum", {"ws": (2, 1), "stride": (3, 2)}),
    ((6, 5), "max", {"ws": (2, 2), "stride": (3, 4), "ignore_border": True}),
    ((3, 2, 3), "max", {"ws": (4, 4), "stride": (1, 3)}),
    ((3, 2, 3), "average_inc_pad", {"ws": (3, 3), "ignore_border": True}),
    ((0, 2, 4, 4), "max", {"ws": (2, 2)}),
    ((2, 0, 3), "sum", {"ws": (2, 2)}),
    *(
        ((2, 7, 8), mode, {"ws": 3, "stride": (2, 3), "ignore_border": True, "pad": (1, 2)})
        for mode in MODES
    ),
]
declare(
    "pool_2d",
    None,
    ("bool", "uint8", "int64", *FLOATS),
    *(
        Case(
            lambda x, mode=mode, options=options: pool_2d(x, mode=mode, **options),
            (Sample(shape, ties=ties),),
            lambda x, mode=mode, options=options: _by_hand(x, mode=mode, **options),
            differentiable=not ties,
            dtypes=FLOATS if number > 3 else ("bool", "uint8", "int64", *FLOATS),
        )
        for number, (shape, mode, options) in enumerate(_USES)
        for ties in ((False, True) if number < 1 else (False,))
    ),
)

"""Indexing with Python's meaning: integers, slices, new axes and integer tensors.

Responsible for taking a key apart; the movements themselves know nothing of keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import attrs
import numpy as np

from workbench.core.errors import GraphError, NotSupported
from workbench.engine.graph.ops.arithmetic import clip, maximum, minimum
from workbench.engine.graph.ops.comparison import lt, switch
from workbench.engine.graph.ops.dimshuffle import Dimshuffle, dimshuffle
from workbench.engine.graph.ops.elementwise import with_dtype
from workbench.engine.graph.ops.lengths import axis_length, size
from workbench.engine.graph.ops.registry import SAMPLED, Case, Sample, declare, language
from workbench.engine.graph.ops.shape import broadcast_to
from workbench.engine.graph.ops.slicing import Insert, Slice
from workbench.engine.graph.ops.take import put, scatter_add, take_rows, wrap_index
from workbench.engine.graph.promotion import as_variable, common_dtype
from workbench.engine.graph.variable import Constant, Variable


@attrs.frozen(eq=False)
class _Taking:
    """How a variable was taken from a tensor: what `set_subtensor` has to undo.

    Parameters
    ----------
    cut
        The slices of the tensor that were taken from: an index of it, or the tensor itself.
    order
        The axes of `cut`, the indexed ones first.
    indices
        The integer tensors, counted from 0.
    """

    x: Variable
    cut: Variable
    order: tuple[int, ...]
    indices: tuple[Variable, ...]


#: By what integer tensors have taken. An expression alone does not tell what was indexed:
#: ``x[:, i]`` and ``x.T[i].T`` are the same one.
_TAKINGS: WeakKeyDictionary[Variable, _Taking] = WeakKeyDictionary()


@attrs.frozen
class Bounds:
    """Where a slice of one axis starts, how many elements it has, and its step."""

    start: Variable
    length: Variable
    step: int


def slice_bounds(key: slice, n: Variable) -> Bounds:
    """Return the bounds of ``x[key]`` for an axis of length `n`, as Python defines them.

    Raises
    ------
    GraphError
        The step is not a constant integer other than 0.
    """
    step = 1 if key.step is None else key.step
    if isinstance(step, Constant) and step.ndim == 0:
        step = step.value.item()
    if not isinstance(step, (int, np.integer)) or step == 0:
        raise GraphError(f"A slice has the step {step!r}.", "Give a constant integer other than 0.")
    step = int(step)
    if step > 0:
        start = _bound(key.start, n, size(0), 0)
        stop = _bound(key.stop, n, n, 0)
        span = stop if _is_zero(start) else stop - start
    else:
        start = _bound(key.start, n, n - 1, -1)
        span = start - _bound(key.stop, n, size(-1), -1)
    length = span if abs(step) == 1 else (span + (abs(step) - 1)) // abs(step)
    return Bounds(start, length if span is n else maximum(length, 0), step)


def _bound(value: Any, n: Variable, default: Variable, lowest: int) -> Variable:
    """Return a start or stop counted from 0 and limited to the axis, `lowest` to `lowest` + n."""
    if value is None:
        return default
    value = size(value)
    highest = n if lowest == 0 else n - 1
    if isinstance(value, Constant):
        if int(value.value) < 0:
            return maximum(n + value, lowest)
        return minimum(value, highest) if not _is_zero(value) or lowest else value
    return clip(switch(lt(value, 0), value + n, value), lowest, highest)


def _is_zero(value: Variable) -> bool:
    return isinstance(value, Constant) and int(value.value) == 0


@language
def index(x: Any, key: Any) -> Variable:
    """Return ``x[key]`` for integers, slices, None, Ellipsis and integer tensors.

    Integers may be symbolic; negative ones count from the end, and one that is out of range is an
    error when the function is called (in an integer tensor on a device it is limited to the range).

    Raises
    ------
    NotSupported
        Boolean masks; None beside integer tensors.
    GraphError
        More indices than axes, or an index that is none.
    """
    x = as_variable(x)
    keys = _spelled_out(x, key)
    if any(_is_tensor(k) for k in keys):
        return _index_by_tensors(x, keys)
    axes, starts, lengths, steps, single = [], [], [], [], []
    order: list[Any] = []
    axis = 0
    for k in keys:
        if k is None:
            order.append("x")
            continue
        if not isinstance(k, slice):
            bounds = Bounds(wrap_index(size(k), axis_length(x, axis)), size(1), 1)
        else:
            bounds = slice_bounds(k, axis_length(x, axis))
            order.append(axis)
        if not (isinstance(k, slice) and k == slice(None)):
            axes.append(axis)
            starts.append(bounds.start)
            lengths.append(bounds.length)
            steps.append(bounds.step)
            single.append(not isinstance(k, slice))
        axis += 1
    cut = Slice(tuple(axes), tuple(steps), tuple(single))(x, *starts, *lengths)
    return dimshuffle(cut, order)


def _spelled_out(x: Variable, key: Any) -> list[Any]:
    """Return one key for each axis of `x`, and None for each new one."""
    keys = list(key) if isinstance(key, tuple) else [key]
    for k in keys:
        _check_key(x, k)
    dots = [i for i, k in enumerate(keys) if k is Ellipsis]
    if len(dots) > 1:
        raise GraphError(f"{x.describe()} is indexed with more than one Ellipsis.")
    used = len([k for k in keys if k is not None and k is not Ellipsis])
    if used > x.ndim:
        raise GraphError(
            f"{x.describe()} is indexed with {used} indices.", f"It has {x.ndim} axes."
        )
    place = dots[0] if dots else len(keys)
    whole = [slice(None)] * (x.ndim - used)
    return keys[:place] + whole + keys[place + 1 :]


def _check_key(x: Variable, key: Any) -> None:
    if key is None or key is Ellipsis or isinstance(key, slice):
        return
    variable = as_variable(key)
    if variable.dtype == "bool":
        raise NotSupported(
            f"{x.describe()} is indexed with a boolean mask, so its shape would depend on values.",
            "Use switch(mask, x, 0), or multiply by the mask.",
        )
    if not variable.type.is_integer:
        raise GraphError(
            f"{x.describe()} is indexed with {variable.describe()}.", "Cast it to int64."
        )


def _is_tensor(key: Any) -> bool:
    if key is None or key is Ellipsis or isinstance(key, slice):
        return False
    return as_variable(key).ndim > 0


def _index_by_tensors(x: Variable, keys: Sequence[Any]) -> Variable:
    """Slice first, then bring the indexed axes to the front, take, and put the axes back."""
    if any(k is None for k in keys):
        raise NotSupported(
            f"{x.describe()} is indexed with None beside integer tensors.",
            "Index first, then add the axis with dimshuffle.",
        )
    slices = tuple(k if isinstance(k, slice) else slice(None) for k in keys)
    cut = index(x, slices) if any(k != slice(None) for k in slices) else x
    chosen = [axis for axis, k in enumerate(keys) if not isinstance(k, slice)]
    rest = [axis for axis in range(x.ndim) if axis not in chosen]
    taken = take_rows(dimshuffle(cut, chosen + rest), [keys[axis] for axis in chosen])
    assert taken.owner is not None
    _TAKINGS[taken] = _Taking(x, cut, (*chosen, *rest), taken.owner.inputs[1:])
    first, count = chosen[0], taken.ndim - len(rest)
    if first == 0 or chosen != list(range(first, first + len(chosen))):
        # NumPy puts the new axes first when the indexed axes do not stand together.
        return taken
    before = range(count, count + first)
    return dimshuffle(taken, [*before, *range(count), *range(count + first, taken.ndim)])


@language
def set_subtensor(view: Any, value: Any) -> Variable:
    """Return the tensor that `view` is an index of, with `value` at that place.

    Of several values for one element the last stays.

    Raises
    ------
    NotSupported
        `view` is not an index of a tensor.
    """
    return _subtensor(view, value, increase=False)


@language
def inc_subtensor(view: Any, value: Any) -> Variable:
    """Return the tensor that `view` is an index of, with `value` added at that place.

    An element that integer tensors name twice is increased twice.
    """
    return _subtensor(view, value, increase=True)


def _subtensor(view: Variable, value: Any, increase: bool) -> Variable:
    order: Sequence[Any] = range(view.ndim)
    inner = view
    if view not in _TAKINGS and view.owner is not None and isinstance(view.owner.op, Dimshuffle):
        order, inner = view.owner.op.order, view.owner.inputs[0]
    op = inner.owner.op if inner.owner is not None else None
    if inner.owner is None or not (isinstance(op, Slice) or inner in _TAKINGS):
        raise NotSupported(
            f"{view.describe()} is not an index of a tensor.",
            "Write set_subtensor(x[key], value).",
        )
    x = inner.owner.inputs[0] if isinstance(op, Slice) else _TAKINGS[inner].x
    value = as_variable(value)
    if common_dtype([x, value]) != x.dtype:
        raise GraphError(
            f"{value.describe()} does not fit into {x.describe()}.", f"Cast it to {x.dtype}."
        )
    new = broadcast_to(with_dtype(value, x.dtype), view.shape)
    back = [order.index(a) if a in order else "x" for a in range(inner.ndim)]
    new = dimshuffle(new, back)
    if isinstance(op, Slice):
        starts = inner.owner.inputs[1 : 1 + len(op.axes)]
        return Insert(op.axes, op.steps)(x, inner + new if increase else new, *starts)
    return _put_back(_TAKINGS[inner], new, increase)


def _put_back(taking: _Taking, new: Variable, increase: bool) -> Variable:
    """Return the tensor that was taken from, with `new` put or added where it was taken."""
    order, cut = taking.order, taking.cut
    moved = dimshuffle(cut, order)
    if increase:
        changed = moved + scatter_add(moved, taking.indices, new)
    else:
        changed = put(moved, taking.indices, new)
    changed = dimshuffle(changed, [order.index(axis) for axis in range(cut.ndim)])
    return changed if cut is taking.x else _subtensor(cut, changed, increase=False)


_KEYS: list[Any] = [
    np.s_[1],
    np.s_[-1, 2],
    np.s_[1:],
    np.s_[:, ::-1],
    np.s_[::2, 1:-1],
    np.s_[5:1:-2, ..., None],
    np.s_[None, 3:1],
    np.s_[..., 0],
    np.s_[-100:100, -2:],
    np.s_[::-3],
]
declare(
    "slice",
    Slice,
    SAMPLED,
    *(
        Case(lambda x, key=key: index(x, key), (Sample((7, 5)),), lambda x, key=key: x[key])
        for key in _KEYS
    ),
    Case(lambda x: x[1:], (Sample((0, 3)),), lambda x: x[1:]),
    Case(
        lambda x, i: x[i * 2 : (i + 1) * 2, i],
        (Sample((7, 5)), Sample((), "int64", 0, 3)),
        lambda x, i: x[i * 2 : (i + 1) * 2, i],
    ),
    Case(
        lambda x, i, j: x[i:j],
        (Sample((7, 5)), Sample((), "int64", -9, 9), Sample((), "int32", -9, 9)),
        lambda x, i, j: x[i:j],
    ),
)


def _assigned(x: np.ndarray, value: np.ndarray, key: Any) -> np.ndarray:
    result = x.copy()
    result[key] = value
    return result


def _increased(x: np.ndarray, value: np.ndarray, key: Any) -> np.ndarray:
    result = x.copy()
    np.add.at(result, key, value)
    return result


declare(
    "insert",
    Insert,
    SAMPLED,
    *(
        Case(
            lambda x, y, key=key: set_subtensor(index(x, key), y),
            (Sample((7, 5)), Sample(())),
            lambda x, y, key=key: _assigned(x, y, key),
        )
        for key in _KEYS
    ),
    Case(
        lambda x, y: inc_subtensor(x[1::2, 1:4], y),
        (Sample((7, 5)), Sample((3,))),
        lambda x, y: _increased(x, y, np.s_[1::2, 1:4]),
    ),
    Case(
        lambda x, y: set_subtensor(x[:0], y),
        (Sample((0, 5)), Sample((5,))),
        lambda x, _y: x,
    ),
    Case(
        lambda x, y: inc_subtensor(x[np.array([1, 4, 1])], y),
        (Sample((7, 5)), Sample((3, 5))),
        lambda x, y: _increased(x, y, np.array([1, 4, 1])),
    ),
    Case(
        lambda x, i, y: set_subtensor(x[i], y),
        (Sample((7, 5)), Sample((6,), "int32", -7, 6), Sample((6, 5))),
        lambda x, i, y: _assigned(x, y, i),
    ),
    Case(
        lambda x, i, j, y: set_subtensor(x[i, j], y),
        (Sample((3, 2, 2)), *[Sample((4,), "int64", 0, 1)] * 2, Sample((4, 2))),
        lambda x, i, j, y: _assigned(x, y, (i, j)),
    ),
    Case(
        lambda x, i, y: set_subtensor(x[:, i], y),
        (Sample((3, 5)), Sample((0,), "int64"), Sample((3, 1), stretch=(1,))),
        lambda x, _i, _y: x,
    ),
    Case(
        lambda x, i, y: inc_subtensor(x[1:, i], y),
        (Sample((3, 5)), Sample((6,), "uint8", 0, 4), Sample((6,))),
        lambda x, i, y: _increased(x, y, np.s_[1:, i]),
        dtypes=("uint8", "int64"),
    ),
)

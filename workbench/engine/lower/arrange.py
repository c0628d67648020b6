"""Arranged values: what is computed from a convolution stays in the convolution's order in memory.

Responsible for moving a permutation of axes from the inputs of an operation to its output; knows
nothing of steps.

A product makes a convolution's output with the batch last, as the next one reads it, while
expressions have it first. ``Arranged`` stands between the two. An operation on arranged values is
the same operation on their sources with its axes renamed, and the result is arranged in turn: so
nothing is transposed between one convolution and the next, or on the way back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import attrs
import numpy as np

from workbench.engine.graph.op import Elementwise, MatMul, Op, Reduction
from workbench.engine.graph.ops.dimshuffle import Dimshuffle
from workbench.engine.graph.ops.folds import Sum
from workbench.engine.graph.ops.shape import Reshape
from workbench.engine.graph.ops.slicing import Slice
from workbench.engine.graph.ops.windows import Arranged, Collected, LaidOut, Placed, Windows
from workbench.engine.graph.types import Shape
from workbench.engine.lower.node import Load, Node, Stretch

#: Makes a node from an operation, its inputs, a shape and a dtype.
Make = Callable[[Op, Sequence[Node], Shape, str], Node]
Order = tuple[int, ...]
#: Neighbours in memory that are worth adding up by themselves.
_ROW = 16


def arrange(make: Make, op: Op, inputs: Sequence[Node], shape: Shape, dtype: str) -> Node | None:
    """Return `op` on arranged inputs as an arranged value; None where it has to stay as it is."""
    if isinstance(op, Elementwise):
        return _elementwise(make, op, inputs, shape, dtype)
    if isinstance(op, LaidOut):
        return inputs[0] if _is_computed(inputs[0]) else None
    if not inputs or not isinstance(inputs[0].op, Arranged):
        return None
    order, source = _order(inputs[0]), inputs[0].inputs[0]
    if isinstance(op, Dimshuffle):
        return _shuffled(make, op, order, source)
    if isinstance(op, Reshape):
        return _reshaped(make, order, source, inputs[0].shape, shape)
    if isinstance(op, Reduction):
        return _reduced(make, op, order, source, dtype)
    renamed: Op
    if isinstance(op, Slice) and not any(op.single):
        renamed = attrs.evolve(op, axes=tuple(order[axis] for axis in op.axes))
    elif isinstance(op, Windows):
        renamed, order = attrs.evolve(op, axis=order[op.axis]), (*order, len(order))
    elif isinstance(op, Placed | Collected) and order[-1] == len(order) - 1:
        renamed = attrs.evolve(op, axis=order[op.axis])
    elif isinstance(op, Stretch) and len(shape) == len(order):
        renamed = op
    else:
        return None
    value = make(renamed, [source, *inputs[1:]], _permuted(shape, _inverse(order)), dtype)
    return _arranged(make, order, value)


def _elementwise(
    make: Make, op: Elementwise, inputs: Sequence[Node], shape: Shape, dtype: str
) -> Node | None:
    leaders = [n for n in inputs if isinstance(n.op, Arranged) and n.shape == shape]
    if not leaders:
        return None
    order = _order(leaders[0])
    moved = [_moved_back(make, n, order) for n in inputs]
    shape = _permuted(shape, _inverse(order))
    flat = _matrix(moved, shape)
    if flat is None:
        return _arranged(make, order, make(op, moved, shape, dtype))
    # At the index of the product it rides in its epilogue.
    matrix = Reshape((False, False))
    moved = [make(matrix, [n], flat, n.dtype) if n.ndim else n for n in moved]
    value = make(op, moved, flat, dtype)
    return _arranged(make, order, make(Reshape((False,) * len(shape)), [value], shape, dtype))


def _moved_back(make: Make, node: Node, order: Order) -> Node:
    """Return the value whose axes `order` would put in the order of `node`."""
    if not node.ndim:
        return node
    if isinstance(node.op, Arranged) and node.op.order == order:
        return node.inputs[0]
    back = _inverse(order)
    if isinstance(node.op, Stretch) and node.inputs[0].ndim == node.ndim:
        inner = _moved_back(make, node.inputs[0], order)
        return make(node.op, [inner], _permuted(node.shape, back), node.dtype)
    shape, names = _permuted(node.shape, back), tuple[int | str, ...](back)
    while isinstance(node.op, Dimshuffle):
        names = _composed(names, node.op.order)
        node = node.inputs[0]
    if names == tuple(range(node.ndim)):
        return node
    return make(Dimshuffle(names), [node], shape, node.dtype)


def _matrix(values: Sequence[Node], shape: Shape) -> Shape | None:
    """Return the shape of the product that all values hang on at the same index, if there is."""
    found = None
    for node in values:
        of = node.inputs[0] if isinstance(node.op, Reshape) else node
        if isinstance(node.op, Reshape) and isinstance(of.op, MatMul | Elementwise):
            if of.ndim != 2 or of.shape[0] != shape[0] or found not in (None, of.shape):
                return None
            found = of.shape
        elif node.ndim and not isinstance(node.op, Load | Stretch):
            return None
    return found


def _shuffled(make: Make, op: Dimshuffle, order: Order, source: Node) -> Node:
    """Return a dimshuffle of an arranged value; new axes come last in memory."""
    names = _composed(op.order, order)
    kept = sorted(name for name in names if isinstance(name, int))
    inside: tuple[int | str, ...] = (*kept, *("x" for name in names if isinstance(name, str)))
    if inside != tuple(range(source.ndim)):
        lengths = tuple(1 if isinstance(n, str) else source.shape[n] for n in inside)
        source = make(Dimshuffle(inside), [source], lengths, source.dtype)
    new = iter(range(len(kept), len(names)))
    places = tuple(next(new) if isinstance(n, str) else kept.index(n) for n in names)
    return _arranged(make, places, source)


def _reduced(make: Make, op: Reduction, order: Order, source: Node, dtype: str) -> Node | None:
    if op.fold in ("argmax", "argmin") and len(op.axes) > 1:
        return None
    axes = tuple(sorted(order[axis] for axis in op.axes))
    last = source.ndim - 1
    if op.fold == "sum" and len(axes) > 1 and last in axes and source.shape[last] >= _ROW:
        # Rows first, as they lie in memory: kernels that share out a long sum cut one axis alone.
        ones = (*source.shape[:last], 1)
        source = make(Sum((last,), True), [source], ones, dtype)
    # All reductions are frozen attrs classes with these two fields.
    renamed: Reduction = attrs.evolve(op, axes=axes)  # type: ignore[misc]
    if op.keepdims:
        shape = tuple(1 if axis in axes else n for axis, n in enumerate(source.shape))
        return _arranged(make, order, make(renamed, [source], shape, dtype))
    kept = [axis for axis in range(source.ndim) if axis not in axes]
    value = make(renamed, [source], tuple(source.shape[axis] for axis in kept), dtype)
    return _arranged(make, tuple(kept.index(axis) for axis in order if axis in kept), value)


def _reshaped(make: Make, order: Order, source: Node, old: Shape, new: Shape) -> Node | None:
    """Return a reshape whose axes are split, or joined where they are neighbours in memory."""
    groups = _groups(old, new)
    if groups is None:
        return None
    first: dict[int, Sequence[int]] = {}
    for before, behind in groups:
        long = [order[axis] for axis in before if old[axis] != 1] or [order[before[0]]]
        if long != list(range(long[0], long[0] + len(long))):
            return None
        first[long[0]] = behind
    inside = [axis for place in sorted(first) for axis in first[place]]
    shape = tuple(new[axis] for axis in inside)
    value = make(Reshape((False,) * len(shape)), [source], shape, source.dtype)
    return _arranged(make, tuple(inside.index(axis) for axis in range(len(new))), value)


def _groups(old: Shape, new: Shape) -> list[tuple[list[int], list[int]]] | None:
    """Return which axes of `old` become which of `new`, as few as can be; None for no axes."""
    if 0 in old or not old or not new:
        return None
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(old) or j < len(new):
        if i == len(old) or j == len(new):
            # Only axes of length 1 are left.
            groups[-1][0].extend(range(i, len(old)))
            groups[-1][1].extend(range(j, len(new)))
            break
        before, behind = [i], [j]
        while (one := math.prod(old[a] for a in before)) != (
            other := math.prod(new[a] for a in behind)
        ):
            if one < other:
                before.append(before[-1] + 1)
            else:
                behind.append(behind[-1] + 1)
        groups.append((before, behind))
        i, j = before[-1] + 1, behind[-1] + 1
    return groups


def _is_computed(node: Node) -> bool:
    """Whether a value is computed in its own order, and so in memory in that order if at all."""
    while isinstance(node.op, Reshape):
        node = node.inputs[0]
    return isinstance(node.op, Elementwise | Reduction | MatMul | LaidOut)


def _arranged(make: Make, order: Order, value: Node) -> Node:
    if order == tuple(range(value.ndim)):
        return value
    return make(Arranged(order), [value], _permuted(value.shape, order), value.dtype)


def _order(node: Node) -> Order:
    op = node.op
    assert isinstance(op, Arranged)
    return tuple(axis for axis in op.order if isinstance(axis, int))


def _permuted(shape: Shape, order: Order) -> Shape:
    return tuple(shape[axis] for axis in order)


def _inverse(order: Order) -> Order:
    return tuple(int(axis) for axis in np.argsort(order))


def _composed(outer: tuple[int | str, ...], inner: Sequence[int | str]) -> tuple[int | str, ...]:
    return tuple(name if isinstance(name, str) else inner[name] for name in outer)

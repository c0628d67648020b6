"""Elements chosen by integer tensors, and the derivative that puts them back.

Responsible for gathering along leading axes; knows nothing of how Python writes an index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.op import LengthSource, Movement, Read
from workbench.engine.graph.ops.arithmetic import cast
from workbench.engine.graph.ops.comparison import eq, switch
from workbench.engine.graph.ops.dimshuffle import dimshuffle
from workbench.engine.graph.ops.elementwise import align, elementwise
from workbench.engine.graph.ops.generated import arange, is_range
from workbench.engine.graph.ops.lengths import axis_length, product, size
from workbench.engine.graph.ops.registry import SAMPLED, Case, Sample, call, declare
from workbench.engine.graph.ops.shape import broadcast_to, reshape, zeros_like
from workbench.engine.graph.ops.slicing import Insert
from workbench.engine.graph.promotion import as_variable, join_flags
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Constant, Variable


def _wrap(i: np.ndarray, n: np.ndarray) -> np.ndarray:
    outside = (i < -n) | (i >= n)
    if outside.any():
        found = np.broadcast_to(i, outside.shape)[outside].flat[0]
        length = np.broadcast_to(n, outside.shape)[outside].flat[0]
        raise GraphError(
            f"Index {found} is out of range for an axis of length {length}.",
            f"Give one from {-length} to {length - 1}." if length else "It has no elements.",
        )
    return np.where(i < 0, i + n, i)


#: An index counted from 0, given one that may count from the end. The host and the reference refuse
#: one that is out of range; a device, which cannot raise, limits it to the range.
wrap_index = elementwise(
    "wrap_index",
    arity=2,
    dtypes=("int64",),
    numpy=_wrap,
    cl="{0} < -{1} || {1} == 0 ? 0 : {0} < 0 ? {0} + {1} : {0} < {1} ? {0} : {1} - 1",
    cost=3,
    domain=((-4.0, 3.0), (4.0, 4.0)),
)


@attrs.frozen
class Take(Movement):
    """Elements of the leading axes, chosen by integer tensors that broadcast with each other.

    Parameters
    ----------
    flags
        For each index tensor, which of its axes are broadcastable.
    """

    name = "take"
    flags: tuple[tuple[bool, ...], ...]

    @property
    def _ndim(self) -> int:
        return max(len(f) for f in self.flags)

    def infer_type(self, *types: TensorType) -> TensorType:
        """Put the index tensors' axes in place of the leading ones."""
        x, *indices = types
        if x.ndim < len(indices) or any(i.dtype != "int64" for i in indices):
            raise GraphError(f"take of {x} by {' and '.join(str(i) for i in indices)}.")
        return TensorType(x.dtype, join_flags(self.flags) + x.broadcastable[len(indices) :])

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Broadcast the index tensors."""
        x, *indices = shapes
        shape = self._index_shape(indices)
        for of_index, flags in zip(indices, self.flags, strict=True):
            if any(n != (1 if f else m) for n, f, m in zip(of_index, flags, shape, strict=False)):
                text = " and ".join(str(s) for s in indices)
                raise GraphError(
                    f"take got index tensors of shapes {text}.",
                    "Only axes of length 1 that are marked broadcastable stretch.",
                )
        if 0 in x[: len(indices)] and 0 not in shape:
            raise GraphError(f"take from shape {x}, which has no elements.")
        return shape + x[len(indices) :]

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at an index tensor that is not stretched, or at the tensor's rest."""
        x, *indices = inputs
        if axis >= self._ndim:
            return x, axis - self._ndim + len(indices)
        return next(((i, axis) for i in indices if i.ndim and not i.broadcastable[axis]), None)

    def _index_shape(self, indices: Sequence[Shape]) -> Shape:
        lengths = [1] * self._ndim
        for of_index, flags in zip(indices, self.flags, strict=True):
            for axis, (n, flag) in enumerate(zip(of_index, flags, strict=True)):
                lengths[axis] = lengths[axis] if flag else n
        return tuple(lengths)

    def source_index(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> tuple[Any, ...]:
        """Read each index tensor."""
        rows = []
        for number, flags in enumerate(self.flags):
            at = tuple(0 if f else i for f, i in zip(flags, index, strict=False))
            rows.append(read(1 + number, at))
        return (*rows, *index[self._ndim :])

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Gather in NumPy."""
        x, *indices = arrays
        return np.asarray(x[tuple(np.broadcast_arrays(*indices))])

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Put the derivative back where the elements came from."""
        x, *indices = inputs
        back = scatter_add(x, indices, grad) if x.type.is_float else None
        return [back, *[None] * len(indices)]


def take_rows(x: Variable, indices: Sequence[Any]) -> Variable:
    """Return ``x[indices[0], indices[1], ...]``; negative indices count from the end."""
    wrapped = []
    for axis, i in enumerate(indices):
        n = axis_length(x, axis)
        position = cast(as_variable(i), "int64")
        inside = is_range(position) and same_length(axis_length(position, 0), n)
        wrapped.append(position if inside else wrap_index(position, n))
    aligned = align(wrapped)
    return Take(tuple(i.broadcastable for i in aligned))(x, *aligned)


def same_length(a: Variable, b: Variable) -> bool:
    """Whether two lengths are the same for all shapes, as far as their expressions tell."""
    if a is b:
        return True
    if isinstance(a, Constant) and isinstance(b, Constant):
        return bool(a.value == b.value)
    if a.owner is None or b.owner is None or a.owner.op != b.owner.op:
        return False
    pairs = zip(a.owner.inputs, b.owner.inputs, strict=True)
    return all(same_length(v, w) for v, w in pairs)


def _one_hot(x: Variable, indices: Sequence[Variable]) -> Variable | None:
    """Return which columns ``x[arange(n), y]`` takes, (n, columns), or None for any other index."""
    if len(indices) != 2 or indices[0].ndim != 1:
        return None
    rows, columns = indices
    if rows.owner is not None and rows.owner.op.name == "wrap_index":
        rows = rows.owner.inputs[0]
    if not is_range(rows):
        return None
    places = dimshuffle(arange(axis_length(x, 1)), "x", 0)
    return eq(dimshuffle(columns, 0, "x") if columns.ndim else columns, places)


def _into_rows(x: Variable, rows: Variable, indices: Sequence[Variable]) -> Variable:
    """Return zeros shaped as `x` whose first rows are `rows`."""
    if same_length(axis_length(indices[0], 0), axis_length(x, 0)):
        return rows
    return Insert((0,), (1,))(zeros_like(x), rows, size(0))


def scatter_add(x: Variable, indices: Sequence[Variable], values: Variable) -> Variable:
    """Return zeros shaped as `x` with `values` added where the index tensors point.

    One row, one column: a comparison spreads the values. Otherwise each element is the sum of the
    values whose index matches, as a product of matrices: no order of additions is left to chance.
    """
    hot = _one_hot(x, indices)
    if hot is not None:
        chosen = dimshuffle(hot, 0, 1, *"x" * (x.ndim - 2))
        spread = dimshuffle(values, 0, "x", *range(1, values.ndim))
        return _into_rows(x, switch(chosen, spread, 0), indices)
    length, flat, rows = _as_rows(x, indices, values)
    places = dimshuffle(arange(length), 0, "x")
    matches = cast(eq(places, dimshuffle(flat, "x", 0)), x.dtype)
    return reshape(call("dot", matches, rows), x.shape)


def _as_rows(
    x: Variable, indices: Sequence[Variable], values: Variable
) -> tuple[Variable, Variable, Variable]:
    """Return how many rows `x` has with its indexed axes made one, which are meant, and values."""
    count = len(indices)
    lengths = [axis_length(x, axis) for axis in range(count)]
    flat = indices[0]
    for n, i in zip(lengths[1:], indices[1:], strict=True):
        flat = flat * n + i
    taken = values.shape[: values.ndim - (x.ndim - count)]
    flat = reshape(broadcast_to(flat, taken), (product(taken),))
    rows = reshape(values, (product(taken), product(x.shape[count:])))
    return product(lengths), flat, rows


def put(x: Variable, indices: Sequence[Variable], values: Variable) -> Variable:
    """Return `x` with `values` where the index tensors point; the last of several stays.

    One row, one column: a comparison places the values. Otherwise each row of `x` looks for the
    last index that means it.
    """
    hot = _one_hot(x, indices)
    if hot is not None and same_length(axis_length(indices[0], 0), axis_length(x, 0)):
        chosen = dimshuffle(hot, 0, 1, *"x" * (x.ndim - 2))
        return switch(chosen, dimshuffle(values, 0, "x", *range(1, values.ndim)), x)
    length, flat, rows = _as_rows(x, indices, values)
    width = axis_length(rows, 1)
    # Counted from 1: 0 stands for none, and for a row of zeros in front of the values.
    numbers = arange(1, axis_length(flat, 0) + 1)
    matches = eq(dimshuffle(arange(length), 0, "x"), dimshuffle(flat, "x", 0))
    found = switch(matches, dimshuffle(numbers, "x", 0), 0)
    none = zeros_like(dimshuffle(arange(length), 0, "x"))
    last = call("max", call("concatenate", [none, found], 1), axis=1)
    zeros = call("zeros", (size(1), width), x.dtype)
    new = take_rows(call("concatenate", [zeros, rows]), [last])
    old = reshape(x, (length, width))
    return reshape(switch(dimshuffle(last, 0, "x") > 0, new, old), x.shape)


_ROWS = Sample((4,), "int32", -7, 6)
declare(
    "take",
    Take,
    SAMPLED,
    Case(lambda x, i: x[i], (Sample((7, 5)), _ROWS), lambda x, i: x[i]),
    Case(lambda x, i: x[i], (Sample((7,)), Sample((2, 3), "int64", 0, 6)), lambda x, i: x[i]),
    Case(lambda x, i: x[:, i], (Sample((2, 7, 3)), _ROWS), lambda x, i: x[:, i]),
    Case(lambda x, i: x[i, 1:, i], (Sample((7, 3, 7)), _ROWS), lambda x, i: x[i, 1:, i]),
    Case(
        lambda x, i, j: x[i, j],
        (Sample((7, 5, 2)), _ROWS, Sample((4,), "int64", -5, 4)),
        lambda x, i, j: x[i, j],
    ),
    Case(
        lambda x, y: x[arange(x.shape[0]), y],
        (Sample((7, 5)), Sample((7,), "int32", 0, 4)),
        lambda x, y: x[np.arange(7), y],
    ),
    Case(
        lambda x, y: x[arange(y.shape[0]), y],
        (Sample((7, 5)), Sample((4,), "uint8", 0, 4)),
        lambda x, y: x[np.arange(4), y],
    ),
    Case(lambda x, i: x[i], (Sample((7, 5)), Sample((0,), "int64")), lambda x, i: x[i]),
    Case(lambda x: x[[0, 2, 2]], (Sample((3, 5)),), lambda x: x[[0, 2, 2]]),
    Case(lambda x, i: x[i, 2], (Sample((7, 5)), _ROWS), lambda x, i: x[i, 2]),
)

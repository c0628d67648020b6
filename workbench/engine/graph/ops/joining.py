"""Joins: tensors one after the other or side by side.

Responsible for which element comes from where; knows nothing of how an index is written down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError, NotSupported
from workbench.engine.graph.op import LengthSource, Piecewise, Read
from workbench.engine.graph.ops.dimshuffle import dimshuffle, normal_axes
from workbench.engine.graph.ops.elementwise import with_dtype
from workbench.engine.graph.ops.lengths import axis_length, size, sizes_of
from workbench.engine.graph.ops.registry import SAMPLED, Case, Sample, declare, language
from workbench.engine.graph.ops.shape import BroadcastTo
from workbench.engine.graph.ops.slicing import Pieces, Slice
from workbench.engine.graph.promotion import as_variable, common_dtype
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Constant, Variable


@attrs.frozen
class Join(Piecewise):
    """Tensors one after the other along an axis."""

    name = "join"
    axis: int

    def infer_type(self, *types: TensorType) -> TensorType:
        """Take tensors of one dtype and number of axes."""
        first = types[0]
        if any(t.dtype != first.dtype or t.ndim != first.ndim for t in types):
            raise GraphError(f"join does not take {' and '.join(str(t) for t in types)}.")
        flags = (
            axis != self.axis and any(t.broadcastable[axis] for t in types)
            for axis in range(first.ndim)
        )
        return TensorType(first.dtype, tuple(flags))

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Add the lengths along the axis; the others must be equal."""
        first = list(shapes[0])
        for shape in shapes[1:]:
            other = list(shape)
            first[self.axis] += other[self.axis]
            other[self.axis] = first[self.axis]
            if other != first:
                raise GraphError(
                    f"join along axis {self.axis} got shapes {shapes[0]} and {shape}.",
                    "All other axes must have equal lengths.",
                )
        return tuple(first)

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the first input, but along the seam."""
        return None if axis == self.axis else (inputs[0], axis)

    def pieces(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> Pieces:
        """Look on which side of each seam the index lies."""
        found: list[tuple[Sequence[tuple[Any, Any, Any]], int, tuple[Any, ...]]] = []
        offset, along = 0, index[self.axis]
        for position, of_input in enumerate(shapes):
            end = offset + of_input[self.axis]
            place = (*index[: self.axis], along - offset, *index[self.axis + 1 :])
            last = position == len(shapes) - 1
            found.append(([] if last else [(offset, along, end)], position, place))
            offset = end
        return found

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Concatenate in NumPy."""
        return np.concatenate(arrays, axis=self.axis)

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Cut the derivative at the seams."""
        parts: list[Variable | None] = []
        offset = size(0)
        cut = Slice((self.axis,), (1,), (False,))
        for x in inputs:
            length = axis_length(x, self.axis)
            parts.append(cut(grad, offset, length) if x.type.is_float else None)
            offset = offset + length
        return parts


@language
def concatenate(tensors: Sequence[Any], axis: int = 0) -> Variable:
    """Return the tensors one after the other along `axis`, in their common dtype."""
    variables = [as_variable(t) for t in tensors]
    if not variables:
        raise GraphError("concatenate got no tensors.", "Give at least one.")
    if len({v.ndim for v in variables}) > 1 or not variables[0].ndim:
        raise GraphError(
            "concatenate got " + " and ".join(v.describe() for v in variables) + ".",
            "Give tensors with the same number of axes.",
        )
    (axis,) = normal_axes(variables[0], axis)
    dtype = common_dtype(variables)
    return Join(axis)(*(with_dtype(v, dtype) for v in variables))


@language
def join(axis: int, *tensors: Any) -> Variable:
    """Return the tensors one after the other along `axis`."""
    return concatenate(tensors, axis)


@language
def stack(*tensors: Any, axis: int = 0) -> Variable:
    """Return the tensors side by side along a new axis; a list will do, with the axis behind it."""
    first, *rest = tensors or (None,)
    if isinstance(first, (list, tuple)) and (not rest or isinstance(rest[0], int)):
        tensors, axis = tuple(first), rest[0] if rest else axis
    variables = [as_variable(t) for t in tensors]
    if not variables or len({v.ndim for v in variables}) > 1:
        raise GraphError(
            "stack got " + (" and ".join(v.describe() for v in variables) or "nothing") + ".",
            "Give tensors with the same number of axes.",
        )
    ndim = variables[0].ndim + 1
    if not -ndim <= axis < ndim:
        raise GraphError(f"stack along axis {axis} of tensors with {ndim - 1} axes.")
    order: list[Any] = list(range(ndim - 1))
    order.insert(axis % ndim, "x")
    return concatenate([dimshuffle(v, order) for v in variables], axis % ndim)


@language
def split(x: Any, splits_size: Any, n_splits: int | None = None, axis: int = 0) -> list[Variable]:
    """Return `x` cut along `axis` into parts of the lengths `splits_size`.

    Parameters
    ----------
    splits_size
        Numbers or 0-d integer variables; they must add up to the length of the axis, else calling
        the function is an error.
    n_splits
        How many there are, where that is to be checked.

    Raises
    ------
    NotSupported
        `splits_size` is a vector variable: how many parts there are must be known.
    """
    x = as_variable(x)
    (axis,) = normal_axes(x, axis)
    if isinstance(splits_size, Variable) and not isinstance(splits_size, Constant):
        raise NotSupported(
            f"split by {splits_size.describe()}, whose number of elements is not known.",
            "Give a list of lengths: [n, x.shape[0] - n].",
        )
    lengths = sizes_of(splits_size)
    if not lengths or n_splits not in (None, len(lengths)):
        raise GraphError(f"split got {len(lengths)} lengths for {n_splits} parts.", "Name each.")
    parts, start = [], size(0)
    for length in lengths[:-1]:
        parts.append(Slice((axis,), (1,), (False,))(x, start, length))
        start = start + length
    rest = Slice((axis,), (1,), (False,))(x, start, axis_length(x, axis) - start)
    # Stretches nothing: its length must be the last one asked for.
    shape = [*x.shape[:axis], lengths[-1], *x.shape[axis + 1 :]]
    flags = tuple(flag and a != axis for a, flag in enumerate(x.broadcastable))
    return [*parts, BroadcastTo(flags, (False,) * x.ndim)(rest, *shape)]


_PAIR = (Sample((3, 2)), Sample((3, 5)))
declare(
    "join",
    Join,
    SAMPLED,
    Case(lambda x, y: concatenate([x, y], 1), _PAIR, lambda x, y: np.concatenate([x, y], 1)),
    Case(
        lambda x, y, z: concatenate([x, y, z]),
        (Sample((3, 2)), Sample((0, 2)), Sample((1, 2))),
        lambda x, y, z: np.concatenate([x, y, z]),
    ),
    Case(
        lambda x, y: stack(x, y, axis=1),
        (Sample((5,)), Sample((5,))),
        lambda x, y: np.stack([x, y], 1),
    ),
    Case(
        lambda x, y: concatenate([x, y], -1),
        (Sample((3, 0)), Sample((3, 0))),
        lambda x, y: np.concatenate([x, y], -1),
    ),
)
declare(
    "split",
    None,
    SAMPLED,
    Case(
        lambda x: concatenate(split(x, [1, 0, 4], 3, axis=-1)[::-1], 1),
        (Sample((3, 5)),),
        lambda x: np.concatenate([x[:, 1:], x[:, :1]], 1),
    ),
    Case(
        lambda x, n: split(x, (n, x.shape[0] - n))[1],
        (Sample((7, 2)), Sample((), "int64", 0, 7)),
        lambda x, n: x[n:],
    ),
    Case(lambda x: split(x, [3])[0], (Sample((3, 5)),), lambda x: x),
)

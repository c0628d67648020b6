"""Slices, and insertions where slices were: what each of the two makes of the other's derivative.

Responsible for which element comes from where; knows nothing of how Python writes a slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.op import LengthSource, Movement, Piecewise, Read
from workbench.engine.graph.ops.lengths import axis_length
from workbench.engine.graph.ops.shape import zeros_like
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Variable

Pieces = Sequence[tuple[Sequence[tuple[Any, Any, Any]], int, tuple[Any, ...]]]


@attrs.frozen
class Slice(Movement):
    """Every `step`-th element of some axes. Inputs: the tensor, the starts, the lengths.

    Parameters
    ----------
    axes
        The sliced axes.
    steps
        Their steps, not 0.
    single
        Which of them have length 1 in any case and so become broadcastable.
    """

    name = "slice"
    axes: tuple[int, ...]
    steps: tuple[int, ...]
    single: tuple[bool, ...]

    @property
    def shape_inputs(self) -> tuple[int, ...]:
        """The lengths."""
        return tuple(range(1 + len(self.axes), 1 + 2 * len(self.axes)))

    def infer_type(self, *types: TensorType) -> TensorType:
        """Sliced axes are not broadcastable, unless their length is known to be 1."""
        flags = list(types[0].broadcastable)
        for axis, single in zip(self.axes, self.single, strict=True):
            flags[axis] = single
        return TensorType(types[0].dtype, tuple(flags))

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Put in the lengths."""
        shape = list(shapes[0])
        for axis, length, step in zip(self.axes, sizes, self.steps, strict=True):
            if length < 0 or (length and (length - 1) * abs(step) >= shape[axis]):
                raise GraphError(
                    f"slice of {length} elements (step {step}) from axis {axis} of {shapes[0]}."
                )
            shape[axis] = length
        return tuple(shape)

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the length asked for, or at the input's where nothing is cut."""
        if axis not in self.axes:
            return inputs[0], axis
        return inputs[1 + len(self.axes) + self.axes.index(axis)]

    def source_index(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> tuple[Any, ...]:
        """Count from the start."""
        source = list(index)
        for number, (axis, step) in enumerate(zip(self.axes, self.steps, strict=True)):
            along = index[axis] if step == 1 else index[axis] * step
            source[axis] = along + read(1 + number, ())
        return tuple(source)

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Gather in NumPy."""
        x, *starts = arrays
        for axis, step, start in zip(self.axes, self.steps, starts, strict=True):
            x = np.take(x, int(start) + step * np.arange(shape[axis]), axis=axis)
        return x

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Put the derivative into zeros."""
        x, *rest = inputs
        starts = rest[: len(self.axes)]
        back = (
            Insert(self.axes, self.steps)(zeros_like(x), grad, *starts) if x.type.is_float else None
        )
        return [back, *[None] * len(rest)]


@attrs.frozen
class Insert(Piecewise):
    """A tensor with a slice of it replaced. Inputs: the tensor, the new values, the starts."""

    name = "insert"
    axes: tuple[int, ...]
    steps: tuple[int, ...]

    def infer_type(self, *types: TensorType) -> TensorType:
        """Keep the tensor's type."""
        base, value, *starts = types
        if base.dtype != value.dtype or base.ndim != value.ndim or len(starts) != len(self.axes):
            raise GraphError(f"insert does not put {value} into {base}.")
        return base

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Keep the tensor's shape; whole axes must be replaced by whole axes."""
        base, value, *_ = shapes
        for axis, (n, m) in enumerate(zip(base, value, strict=True)):
            if n != m and (axis not in self.axes or m > n):
                raise GraphError(f"insert cannot put shape {value} into shape {base}.")
        return base

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the tensor."""
        return inputs[0], axis

    def pieces(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> Pieces:
        """Take the new value where the index lies in the slice, else the old one."""
        bounds: list[tuple[Any, Any, Any]] = []
        place = list(index)
        for number, (axis, step) in enumerate(zip(self.axes, self.steps, strict=True)):
            start = read(2 + number, ())
            ahead = index[axis] - start if step > 0 else start - index[axis]
            stride = abs(step)
            bounds.append((0, ahead, stride * shapes[1][axis]))
            if stride > 1:
                bounds.append((0, ahead % stride, 1))
            place[axis] = ahead // stride if stride > 1 else ahead
        return [(bounds, 1, tuple(place)), ([], 0, index)]

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Copy and assign in NumPy."""
        base, value, *starts = arrays
        result = base.copy()
        where: list[Any] = [slice(None)] * base.ndim
        for axis, step, start in zip(self.axes, self.steps, starts, strict=True):
            where[axis] = int(start) + step * np.arange(value.shape[axis])
        axes = [
            np.arange(n) if isinstance(w, slice) else w for n, w in zip(shape, where, strict=True)
        ]
        result[np.ix_(*axes)] = value
        return result

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Give the slice's derivative to the new values, the rest to the tensor."""
        base, value, *starts = inputs
        if not base.type.is_float:
            return [None] * len(inputs)
        lengths = [axis_length(value, axis) for axis in self.axes]
        cut = Slice(self.axes, self.steps, tuple(value.broadcastable[a] for a in self.axes))
        return [
            self(grad, zeros_like(value), *starts),
            cut(grad, *starts, *lengths),
            *[None] * len(starts),
        ]

"""Lengths of axes as 0-d integers, and arithmetic on them.

Responsible for tracing a length back to where its axis comes from; knows nothing of what uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.op import Composite, Length, LengthSource
from workbench.engine.graph.ops.arithmetic import cast
from workbench.engine.graph.ops.dimshuffle import normal_axes
from workbench.engine.graph.ops.registry import SAMPLED, Case, Sample, declare, language
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Constant, Variable


@attrs.frozen
class AxisLength(Length):
    """The length of one axis."""

    name = "length"
    axis: int

    def infer_type(self, *types: TensorType) -> TensorType:
        """Lengths are int64."""
        return TensorType("int64")

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Give a number."""
        return ()

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Read the length."""
        return np.asarray(arrays[0].shape[self.axis], dtype="int64")

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Lengths do not depend on the numbers."""
        return [None]


@language
def axis_length(x: Any, axis: int) -> Variable:
    """Return the length of an axis as an int64 scalar, traced back to where the axis comes from."""
    x = as_variable(x)
    (axis,) = normal_axes(x, axis)
    if x.broadcastable[axis]:
        return size(1)
    if isinstance(x, Constant):
        return size(x.value.shape[axis])
    source = x.owner.op.length_source(x.owner.inputs, axis) if x.owner is not None else None
    if source is None:
        return AxisLength(axis)(x)
    return source if isinstance(source, Variable) else axis_length(*source)


class RowWise(Composite):
    """A composite that works along the last axis of one float input and keeps its shape."""

    def infer_type(self, *types: TensorType) -> TensorType:
        """Keep the type; there must be an axis to work along."""
        (type_,) = types
        if not type_.is_float or not type_.ndim:
            raise GraphError(f"{self.name} does not take {type_}.", "Give floats with an axis.")
        return type_

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Keep the shape; there must be something in each row."""
        if shapes[0][-1] == 0:
            raise GraphError(f"{self.name} got shape {shapes[0]}, whose rows are empty.")
        return shapes[0]

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the input."""
        return inputs[0], axis


def size(length: Any) -> Variable:
    """Return a length given as a Python number or a 0-d integer variable as an int64 variable."""
    variable = as_variable(length)
    if variable.ndim or not variable.type.is_integer:
        raise GraphError(
            f"A length must be a 0-d integer, not {variable.describe()}.", "Cast it to int64."
        )
    return cast(variable, "int64")


def is_one(length: Any) -> bool:
    """Whether a length is known to be 1."""
    return isinstance(length, Constant) and length.ndim == 0 and int(length.value) == 1


def sizes_of(shape: Any) -> list[Variable]:
    """Return a shape, given as numbers, variables or one integer vector variable, as lengths."""
    if isinstance(shape, (int, np.integer)) or (isinstance(shape, Variable) and shape.ndim == 0):
        shape = (shape,)
    if isinstance(shape, Variable) and not isinstance(shape, Constant):
        raise GraphError(
            f"A shape must have a known number of axes; {shape.describe()} is a vector.",
            "Give a tuple of lengths: (x.shape[0], 3).",
        )
    if isinstance(shape, Constant):
        shape = tuple(int(n) for n in shape.value)
    return [size(n) for n in shape]


def product(lengths: Sequence[Variable]) -> Variable:
    """Return the product of lengths."""
    total = size(1)
    for n in lengths:
        total = n if is_one(total) else total * n
    return total


declare(
    "length",
    AxisLength,
    SAMPLED,
    # Written into a tensor, because lengths alone are the host's business.
    Case(
        lambda x: cast(x, "int64") * axis_length(x, 1),
        (Sample((3, 5)),),
        lambda x: x.astype("int64") * 5,
    ),
    Case(
        lambda x: cast(x, "int64") + axis_length(x, -1),
        (Sample((3, 0)),),
        lambda x: x.astype("int64"),
    ),
)

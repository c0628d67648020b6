"""Reduction operations: axes folded by a sum, a product, an extreme or logic.

Responsible for their types, references and derivatives; knows nothing of how they are scheduled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.op import LengthSource, Reduction
from workbench.engine.graph.ops.arithmetic import cast
from workbench.engine.graph.ops.comparison import eq, switch
from workbench.engine.graph.ops.dimshuffle import dimshuffle
from workbench.engine.graph.ops.shape import like
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Variable


@attrs.frozen
class Fold(Reduction):
    """What all reductions share: their fields, type and shape."""

    axes: tuple[int, ...]
    keepdims: bool

    #: Whether folding nothing has no result.
    needs_elements: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The fold's name."""
        return self.fold

    def result(self, dtype: str) -> str:
        """Return the output's dtype for inputs of `dtype`."""
        return dtype

    def infer_type(self, *types: TensorType) -> TensorType:
        """Drop the folded axes, or keep them as broadcastable ones."""
        (type_,) = types
        if any(not 0 <= axis < type_.ndim for axis in self.axes):
            raise GraphError(f"{self.name} over axes {self.axes} does not fit {type_}.")
        flags = self._folded(type_.broadcastable, True)
        return TensorType(self.result(type_.dtype), flags)

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Drop the folded lengths, or make them 1."""
        (shape,) = shapes
        if self.needs_elements and any(shape[axis] == 0 for axis in self.axes):
            raise GraphError(
                f"{self.name} over axes {self.axes} of shape {shape} has nothing to choose from.",
                "An axis that is folded needs at least one element.",
            )
        return self._folded(shape, 1)

    def _folded(self, of: tuple[Any, ...], kept: Any) -> tuple[Any, ...]:
        if self.keepdims:
            return tuple(kept if axis in self.axes else x for axis, x in enumerate(of))
        return tuple(x for axis, x in enumerate(of) if axis not in self.axes)

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the axis in the input."""
        if self.keepdims:
            return None if axis in self.axes else (inputs[0], axis)
        kept = [a for a in range(inputs[0].ndim) if a not in self.axes]
        return inputs[0], kept[axis]

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Fold in NumPy."""
        (x,) = arrays
        folded = getattr(np, self.fold)(x, axis=self.axes, keepdims=self.keepdims)
        return np.asarray(folded, dtype=self.result(x.dtype.name))

    def kept(self, x: Variable) -> Variable:
        """Return an output (or its derivative) with the folded axes present, of length 1."""
        if self.keepdims:
            return x
        axes = iter(range(x.ndim))
        ndim = x.ndim + len(self.axes)
        return dimshuffle(x, [("x" if a in self.axes else next(axes)) for a in range(ndim)])


def widened(dtype: str) -> str:
    """Return the dtype in which NumPy adds and multiplies up: the widest of its kind."""
    if dtype.startswith("float"):
        return dtype
    return "uint64" if dtype.startswith("uint") else "int64"


@attrs.frozen
class Sum(Fold):
    """The sum over axes; 0 over nothing."""

    fold = "sum"

    def result(self, dtype: str) -> str:
        """Widen integers to 64 bits."""
        return widened(dtype)

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Every element gets the sum's derivative."""
        (x,) = inputs
        return [like(self.kept(grad), x) if x.type.is_float else None]


@attrs.frozen
class Prod(Fold):
    """The product over axes; 1 over nothing."""

    fold = "prod"

    def result(self, dtype: str) -> str:
        """Widen integers to 64 bits."""
        return widened(dtype)

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Every element gets the product of the others, also where some are 0."""
        (x,) = inputs
        if not x.type.is_float:
            return [None]
        zero = eq(x, 0)
        zeros = Sum(self.axes, True)(cast(zero, x.dtype))
        others = Prod(self.axes, True)(switch(zero, 1, x))
        with_zero = switch(zero, switch(eq(zeros, 1), others, 0), 0)
        return [self.kept(grad) * switch(eq(zeros, 0), others / switch(zero, 1, x), with_zero)]


@attrs.frozen
class Extreme(Fold):
    """The greatest or the least element."""

    needs_elements = True

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Every element that equals the extreme gets its derivative, ties too."""
        (x,) = inputs
        if not x.type.is_float:
            return [None]
        return [switch(eq(x, self.kept(output)), self.kept(grad), 0)]


@attrs.frozen
class Max(Extreme):
    """The greatest element over axes."""

    fold = "max"


@attrs.frozen
class Min(Extreme):
    """The least element over axes."""

    fold = "min"


@attrs.frozen
class Position(Fold):
    """Where the greatest or the least element is."""

    needs_elements = True

    def result(self, dtype: str) -> str:
        """Positions are int64."""
        return "int64"

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Find the first extreme."""
        (axis,) = self.axes
        return np.asarray(getattr(np, self.fold)(arrays[0], axis=axis, keepdims=self.keepdims))

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Positions have no derivative."""
        return [None]


@attrs.frozen
class ArgMax(Position):
    """The position of the greatest element along one axis, the first of equals."""

    fold = "argmax"


@attrs.frozen
class ArgMin(Position):
    """The position of the least element along one axis, the first of equals."""

    fold = "argmin"


@attrs.frozen
class Logical(Fold):
    """What holds of the elements."""

    def result(self, dtype: str) -> str:
        """Answer with a bool."""
        return "bool"

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Answers have no derivative."""
        return [None]


@attrs.frozen
class AnyTrue(Logical):
    """Whether any element is true; False over nothing."""

    fold = "any"


@attrs.frozen
class AllTrue(Logical):
    """Whether all elements are true; True over nothing."""

    fold = "all"

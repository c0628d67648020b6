"""Running sums.

Responsible for their types, reference and derivative; knows nothing of how an axis is cut up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.op import Cumulative, LengthSource
from workbench.engine.graph.ops.arithmetic import cast
from workbench.engine.graph.ops.dimshuffle import normal_axes
from workbench.engine.graph.ops.folds import widened
from workbench.engine.graph.ops.registry import SAMPLED, Case, Sample, declare, language
from workbench.engine.graph.ops.shape import flatten
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Variable


@attrs.frozen
class CumSum(Cumulative):
    """The sums of all elements up to each one along an axis, from the end if `reverse`."""

    name = "cumsum"
    axis: int
    reverse: bool = False

    def infer_type(self, *types: TensorType) -> TensorType:
        """Keep the type, which has room for the sums."""
        (type_,) = types
        if not 0 <= self.axis < type_.ndim or type_.dtype != widened(type_.dtype):
            raise GraphError(f"cumsum along axis {self.axis} does not take {type_}.")
        return type_

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Keep the shape."""
        return shapes[0]

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the input."""
        return inputs[0], axis

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Add up in NumPy, floats in float64."""
        (x,) = arrays
        wide = "float64" if x.dtype.kind == "f" else x.dtype
        towards = np.flip(x, self.axis) if self.reverse else x
        with np.errstate(all="ignore"):
            sums = np.cumsum(towards, axis=self.axis, dtype=wide)
        return (np.flip(sums, self.axis) if self.reverse else sums).astype(x.dtype)

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Each element is part of all sums from it on."""
        back = CumSum(self.axis, not self.reverse)
        return [back(grad) if inputs[0].type.is_float else None]


@language
def cumsum(x: Any, axis: int | None = None) -> Variable:
    """Return the running sums along `axis` (of the flattened `x` if None); integers in 64 bits."""
    x = as_variable(x)
    if axis is None:
        x, axis = flatten(x), 0
    (axis,) = normal_axes(x, axis)
    return CumSum(axis)(cast(x, widened(x.dtype)))


def _reversed_sums(x: np.ndarray) -> Any:
    return np.flip(np.cumsum(np.flip(x, 1), 1, dtype="float64"), 1).astype(x.dtype)


declare(
    "cumsum",
    CumSum,
    SAMPLED,
    *(
        Case(
            lambda x, axis=axis: cumsum(x, axis),
            (Sample(shape),),
            lambda x, axis=axis: np.cumsum(x, axis, dtype=widened(x.dtype.name)),
        )
        for axis, shape in (
            (None, (3, 5)),
            (0, (7, 3)),
            (-1, (3, 300)),
            (1, (2, 130, 3)),
            (0, (0, 4)),
            (1, (3, 0)),
            (None, ()),
        )
    ),
    Case(
        lambda x: CumSum(1, reverse=True)(x),
        (Sample((3, 260)),),
        _reversed_sums,
        dtypes=("float32", "float64"),
    ),
    Case(
        cumsum,
        (Sample((5,), values=(1.0, float("inf"), 2.0, -float("inf"), 1.0)),),
        lambda x: np.array([1, np.inf, np.inf, np.nan, np.nan], x.dtype),
        differentiable=False,
        dtypes=("float32", "float64"),
    ),
)

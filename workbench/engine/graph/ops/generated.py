"""Tensors that follow from their index: ranges and unit matrices.

Responsible for their values; knows nothing of where they are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.op import Generated, LengthSource
from workbench.engine.graph.ops.arithmetic import cast, ceil, maximum
from workbench.engine.graph.ops.lengths import AxisLength, size
from workbench.engine.graph.ops.registry import Case, Sample, declare, language
from workbench.engine.graph.promotion import DEFAULTS, as_variable, common_dtype
from workbench.engine.graph.types import C_TYPES, Shape, TensorType
from workbench.engine.graph.variable import Constant, Variable


@attrs.frozen
class Arange(Generated):
    """``start + i * step`` for i from 0 to below the length. Inputs: start, step, length."""

    name = "arange"
    dtype: str

    @property
    def shape_inputs(self) -> tuple[int, ...]:
        """The length."""
        return (2,)

    def infer_type(self, *types: TensorType) -> TensorType:
        """One axis."""
        return TensorType(self.dtype, (False,))

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Take the length."""
        return tuple(sizes)

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the length asked for."""
        return inputs[2]

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Count in NumPy."""
        start, step = arrays
        return np.asarray(start + np.arange(shape[0], dtype=self.dtype) * step, dtype=self.dtype)

    def cl_at(
        self, index: Sequence[str], shape: Shape, dtypes: Sequence[str], args: Sequence[str]
    ) -> str:
        """Count in OpenCL."""
        ctype = C_TYPES[self.dtype]
        return f"(({ctype})({args[0]} + ({ctype})({index[0]}) * {args[1]}))"

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Ranges are not differentiated."""
        return [None, None, None]


@language
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: str | None = None) -> Variable:
    """Return the numbers from `start` (0 if alone) to below `stop`; integers are int64.

    Raises
    ------
    GraphError
        An argument has axes, or the step is 0.
    """
    first, last = (0, start) if stop is None else (start, stop)
    bounds = [as_variable(v) for v in (first, last, step)]
    if any(v.ndim for v in bounds):
        raise GraphError(
            "arange takes single numbers, not "
            + " and ".join(v.describe() for v in bounds if v.ndim)
        )
    whole = all(not v.type.is_float for v in bounds)
    kind = dtype or ("int64" if whole else common_dtype(bounds))
    if isinstance(bounds[2], Constant) and not bounds[2].value:
        raise GraphError("arange got a step of 0.", "Give a step that moves.")
    begin, end, by = (cast(v, "int64" if whole else "float64") for v in bounds)
    return Arange(kind)(cast(begin, kind), cast(by, kind), _count(begin, end, by))


def _count(begin: Variable, end: Variable, step: Variable) -> Variable:
    """Return how many numbers there are from `begin` to below `end`."""
    if begin.type.is_float:
        return maximum(cast(ceil((end - begin) / step), "int64"), 0)
    if _is(begin, 0) and _is(step, 1):
        # The length of an axis stays recognisable as one.
        is_length = end.owner is not None and isinstance(end.owner.op, AxisLength)
        return end if is_length else maximum(end, 0)
    # Rounded up: -((a - b) // c) is the ceiling of (b - a) / c.
    return maximum(-((begin - end) // step), 0)


def _is(x: Variable, number: int) -> bool:
    return isinstance(x, Constant) and bool(x.value == number)


def is_range(x: Variable) -> bool:
    """Whether `x` is 0, 1, 2, ..."""
    if x.owner is None or not isinstance(x.owner.op, Arange):
        return False
    start, step, _ = x.owner.inputs
    return _is(start, 0) and _is(step, 1)


@attrs.frozen
class Eye(Generated):
    """Ones on one diagonal, zeros elsewhere. Inputs: rows and columns."""

    name = "eye"
    dtype: str
    diagonal: int

    @property
    def shape_inputs(self) -> tuple[int, ...]:
        """Both lengths."""
        return (0, 1)

    def infer_type(self, *types: TensorType) -> TensorType:
        """Make a matrix."""
        return TensorType(self.dtype, (False, False))

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Both lengths."""
        return tuple(sizes)

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the length asked for."""
        return inputs[axis]

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Make it in NumPy."""
        return np.eye(shape[0], shape[1], k=self.diagonal, dtype=np.dtype(self.dtype))

    def cl_at(
        self, index: Sequence[str], shape: Shape, dtypes: Sequence[str], args: Sequence[str]
    ) -> str:
        """Compare the index's components."""
        return f"(({C_TYPES[self.dtype]})(({index[0]}) + {self.diagonal} == ({index[1]})))"

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Nothing to differentiate by."""
        return [None, None]


@language
def eye(n: Any, m: Any = None, k: int = 0, dtype: str | None = None) -> Variable:
    """Return a matrix of `n` rows and `m` (else `n`) columns with ones on diagonal `k`."""
    return Eye(dtype or DEFAULTS.float_dtype, k)(size(n), size(n if m is None else m))


_NUMBER = Sample((), "int64", 2, 9)
declare(
    "arange",
    Arange,
    ("int64",),
    # Added to a drawn tensor, so that device tests have an input to upload.
    Case(lambda x: x + arange(5), (Sample((3, 5)),), lambda x: x + np.arange(5)),
    Case(lambda x: x * arange(7, 1, -2), (Sample((3,)),), lambda x: x * np.arange(7, 1, -2)),
    Case(lambda n: arange(n), (_NUMBER,), np.arange),
    Case(lambda a, b: arange(a, b, 3), (_NUMBER, _NUMBER), lambda a, b: np.arange(a, b, 3)),
    Case(lambda n: arange(0.5, n, 0.25), (_NUMBER,), lambda n: np.arange(0.5, n, 0.25)),
    Case(lambda x: x + arange(x.shape[0]), (Sample((0,)),), lambda x: x),
)
declare(
    "eye",
    Eye,
    ("int64", "float32", "float64"),
    *(
        Case(
            lambda x, k=k: x + eye(x.shape[0], x.shape[1], k, dtype="int8"),
            (Sample((3, 5)),),
            lambda x, k=k: x + np.eye(x.shape[0], x.shape[1], k, dtype="int8"),
        )
        for k in (0, 2, -1)
    ),
)

"""Products of matrices and what reduces to them.

Responsible for bringing every product to one of two matrices; knows no tiling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.op import LengthSource, MatMul
from workbench.engine.graph.ops import reductions
from workbench.engine.graph.ops.arithmetic import cast, mul
from workbench.engine.graph.ops.dimshuffle import dimshuffle, normal_axes
from workbench.engine.graph.ops.elementwise import with_dtype
from workbench.engine.graph.ops.lengths import product
from workbench.engine.graph.ops.registry import FLOATS, SAMPLED, Case, Sample, declare, language
from workbench.engine.graph.ops.shape import reshape
from workbench.engine.graph.promotion import as_variable, common_dtype
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Variable


@attrs.frozen
class Dot(MatMul):
    """The product of two float matrices."""

    name = "dot"

    def infer_type(self, *types: TensorType) -> TensorType:
        """Take two float matrices of one dtype."""
        a, b = types
        if a.ndim != 2 or b.ndim != 2 or not a.is_float or a.dtype != b.dtype:
            raise GraphError(f"A product of matrices does not take {a} and {b}.")
        return TensorType(a.dtype, (a.broadcastable[0], b.broadcastable[1]))

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Check that the inner lengths are equal."""
        a, b = shapes
        if a[1] != b[0]:
            raise GraphError(
                f"dot got shapes {a} and {b}: {a[1]} columns meet {b[0]} rows.",
                "They must be equal.",
            )
        return (a[0], b[1])

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Take rows from the first, columns from the second."""
        return inputs[axis], axis

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Multiply in NumPy."""
        return np.asarray(arrays[0] @ arrays[1])

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Multiply by the other matrix, transposed."""
        a, b = inputs
        return [Dot()(grad, dimshuffle(b, 1, 0)), Dot()(dimshuffle(a, 1, 0), grad)]


@language
def dot(x: Any, y: Any) -> Variable:
    """Return the product over the last axis of `x` and the last but one of `y`, as NumPy's dot."""
    x, y = as_variable(x), as_variable(y)
    if not x.ndim or not y.ndim:
        return mul(x, y)
    if x.ndim > 2 or y.ndim > 2:
        return tensordot(x, y, [[x.ndim - 1], [max(y.ndim - 2, 0)]])
    dtype = common_dtype([x, y])
    x, y = with_dtype(x, dtype), with_dtype(y, dtype)
    if x.ndim == y.ndim == 1:
        return cast(reductions.sum(x * y), dtype)
    rows = x if x.ndim == 2 else dimshuffle(x, "x", 0)
    columns = y if y.ndim == 2 else dimshuffle(y, 0, "x")
    kept = [axis for axis, has in enumerate((x.ndim == 2, y.ndim == 2)) if has]
    return dimshuffle(_matrices(rows, columns, dtype), kept)


def _matrices(a: Variable, b: Variable, dtype: str) -> Variable:
    if dtype in FLOATS:
        return Dot()(a, b)
    # Integers are rare and exact: a sum of products.
    return cast(reductions.sum(dimshuffle(a, 0, 1, "x") * dimshuffle(b, "x", 0, 1), axis=1), dtype)


@language
def outer(x: Any, y: Any) -> Variable:
    """Return all products of an element of `x` with one of `y`, as a matrix."""
    x, y = reshape(x, (-1,)), reshape(y, (-1,))
    return dimshuffle(x, 0, "x") * dimshuffle(y, "x", 0)


@language
def tensordot(x: Any, y: Any, axes: Any = 2) -> Variable:
    """Return the sum of products over `axes`: a count, or the axes of `x` and those of `y`."""
    x, y = as_variable(x), as_variable(y)
    if isinstance(axes, int):
        of_x, of_y = list(range(x.ndim - axes, x.ndim)), list(range(axes))
    else:
        of_x, of_y = (
            [a] if isinstance(a, int) else [normal_axes(v, i)[0] for i in a]
            for a, v in zip(axes, (x, y), strict=True)
        )
    if len(of_x) != len(of_y):
        raise GraphError(f"tensordot got {len(of_x)} and {len(of_y)} axes.", "Pair them.")
    of_x, of_y = [a % x.ndim for a in of_x], [a % y.ndim for a in of_y]
    free_x = [a for a in range(x.ndim) if a not in of_x]
    free_y = [a for a in range(y.ndim) if a not in of_y]
    rows, columns = [x.shape[a] for a in free_x], [y.shape[a] for a in free_y]
    inner = product([x.shape[a] for a in of_x])
    a = reshape(dimshuffle(x, free_x + of_x), (product(rows), inner))
    b = reshape(dimshuffle(y, of_y + free_y), (inner, product(columns)))
    return reshape(dot(a, b), (*rows, *columns))


@language
def batched_dot(x: Any, y: Any) -> Variable:
    """Return the product of ``x[i]`` and ``y[i]`` for each i along their first axis.

    Raises
    ------
    GraphError
        An argument has no axis, or more than three.
    """
    x, y = as_variable(x), as_variable(y)
    if not (1 <= x.ndim <= 3 and 1 <= y.ndim <= 3):
        raise GraphError(
            f"batched_dot does not take {x.describe()} and {y.describe()}.",
            "Give numbers, vectors or matrices along the first axis: one to three axes.",
        )
    if x.ndim == 1 or y.ndim == 1:
        ndim = max(x.ndim, y.ndim)
        x, y = (dimshuffle(v, [*range(v.ndim), *"x" * (ndim - v.ndim)]) for v in (x, y))
        return mul(x, y)
    rows = x if x.ndim == 3 else dimshuffle(x, 0, "x", 1)
    columns = y if y.ndim == 3 else dimshuffle(y, 0, 1, "x")
    terms = dimshuffle(rows, 0, 1, 2, "x") * dimshuffle(columns, 0, "x", 1, 2)
    found = reductions.sum(terms, axis=2, dtype=terms.dtype)
    kept = [0, *([1] if x.ndim == 3 else []), *([2] if y.ndim == 3 else [])]
    return dimshuffle(found, kept)


def _pair(*shapes: Shape) -> tuple[Sample, ...]:
    return tuple(Sample(shape) for shape in shapes)


declare(
    "dot",
    Dot,
    SAMPLED,
    Case(dot, _pair((3, 5), (5, 7)), np.dot),
    Case(dot, _pair((17, 33), (33, 19)), np.dot),
    Case(dot, _pair((1, 1), (1, 1)), np.dot),
    Case(dot, _pair((0, 5), (5, 3)), np.dot),
    Case(dot, _pair((3, 0), (0, 5)), np.dot),
    Case(dot, _pair((5,), (5, 3)), np.dot),
    Case(dot, _pair((3, 5), (5,)), np.dot),
    Case(dot, _pair((5,), (5,)), np.dot),
    Case(dot, _pair((), (5,)), np.dot),
    Case(dot, _pair((2, 3, 5), (4, 5, 7)), np.dot),
    Case(lambda x, y: dot(x.T, y.T), _pair((5, 3), (7, 5)), lambda x, y: np.dot(x.T, y.T)),
    Case(
        lambda x, y, b: dot(x, y) + b, _pair((3, 5), (5, 7), (7,)), lambda x, y, b: np.dot(x, y) + b
    ),
)
declare("outer", None, FLOATS, Case(outer, _pair((3,), (5,)), np.outer))
declare(
    "tensordot",
    None,
    FLOATS,
    Case(tensordot, _pair((2, 3, 4), (3, 4, 5)), np.tensordot),
    Case(
        lambda x, y: tensordot(x, y, [[0, 2], [1, 0]]),
        _pair((3, 2, 4), (4, 3, 5)),
        lambda x, y: np.tensordot(x, y, ((0, 2), (1, 0))),
    ),
)
declare(
    "batched_dot",
    None,
    FLOATS,
    Case(batched_dot, _pair((3, 2, 4), (3, 4, 5)), np.matmul),
    Case(batched_dot, _pair((3, 4), (3, 4, 5)), lambda x, y: np.einsum("bi,bij->bj", x, y)),
    Case(batched_dot, _pair((3, 2, 4), (3, 4)), lambda x, y: np.einsum("bij,bj->bi", x, y)),
    Case(batched_dot, _pair((3, 4), (3, 4)), lambda x, y: np.einsum("bi,bi->b", x, y)),
    Case(batched_dot, _pair((3,), (3, 4)), lambda x, y: x[:, None] * y),
    Case(batched_dot, _pair((0, 2, 4), (0, 4, 5)), np.matmul),
)

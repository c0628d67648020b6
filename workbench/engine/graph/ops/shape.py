"""Reshaping and stretching: the same elements under other axes.

Responsible for where each element comes from; knows no arithmetic but that on lengths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError, NotSupported
from workbench.engine.graph.op import LengthSource, Movement, Read
from workbench.engine.graph.ops.arithmetic import cast
from workbench.engine.graph.ops.dimshuffle import dimshuffle, normal_axes
from workbench.engine.graph.ops.elementwise import pad_left
from workbench.engine.graph.ops.lengths import is_one, product, size, sizes_of
from workbench.engine.graph.ops.registry import SAMPLED, Case, Sample, call, declare, language
from workbench.engine.graph.promotion import DEFAULTS, as_variable, is_weak
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Constant, Variable


@attrs.frozen
class Reshape(Movement):
    """The elements in C order under other axes."""

    name = "reshape"
    broadcastable: tuple[bool, ...]

    @property
    def shape_inputs(self) -> tuple[int, ...]:
        """All lengths."""
        return tuple(range(1, 1 + len(self.broadcastable)))

    def infer_type(self, *types: TensorType) -> TensorType:
        """Take the new axes."""
        return TensorType(types[0].dtype, self.broadcastable)

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Check that the number of elements stays."""
        if math.prod(shapes[0]) != math.prod(sizes) or any(n < 0 for n in sizes):
            raise GraphError(
                f"reshape cannot make {tuple(sizes)} of shape {shapes[0]}.",
                "The number of elements must stay the same.",
            )
        return tuple(sizes)

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the length asked for."""
        return inputs[1 + axis]

    def source_index(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> tuple[Any, ...]:
        """Count the elements before this one and find the place with as many before it."""
        return unravel(ravel(index, shape), shapes[0])

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Reshape in NumPy."""
        return arrays[0].reshape(shape)

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Reshape back."""
        (x, *sizes) = inputs
        return [Reshape(x.broadcastable)(grad, *x.shape), *[None] * len(sizes)]


def ravel(index: Sequence[Any], shape: Shape) -> Any:
    """Return the number of elements before `index` in C order; axes of length 1 take no part."""
    flat: Any = 0
    for i, n in zip(index, shape, strict=True):
        if n != 1:
            flat = i if isinstance(flat, int) and flat == 0 else flat * n + i
    return flat


def unravel(flat: Any, shape: Shape) -> tuple[Any, ...]:
    """Return the index with `flat` elements before it in C order."""
    index: list[Any] = [0] * len(shape)
    axes = [axis for axis, n in enumerate(shape) if n != 1]
    for axis in reversed(axes[1:]):
        # An empty array has no index; only the division must not fail.
        n = max(shape[axis], 1)
        index[axis] = flat % n
        flat = flat // n
    if axes:
        index[axes[0]] = flat
    return tuple(index)


@language
def reshape(x: Any, *shape: Any, ndim: int | None = None) -> Variable:
    """Return `x` under another shape, given as numbers or integer variables; one may be -1.

    A vector may be given, too, if `ndim` tells its length.
    """
    x = as_variable(x)
    given = shape[0] if len(shape) == 1 else shape
    if isinstance(given, Variable) and given.ndim == 1 and ndim is not None:
        given = [call("index", given, axis) for axis in range(ndim)]
    wanted = sizes_of(given)
    if ndim not in (None, len(wanted)):
        raise GraphError(f"reshape got {len(wanted)} lengths and ndim={ndim}.", "Leave ndim out.")
    unknown = [i for i, n in enumerate(wanted) if isinstance(n, Constant) and int(n.value) == -1]
    if len(unknown) > 1:
        raise GraphError("reshape got more than one -1.", "Only one length can be found out.")
    for i in unknown:
        others = product([n for j, n in enumerate(wanted) if j != i])
        wanted[i] = product(x.shape) // call("maximum", others, 1)
    return Reshape(tuple(is_one(n) for n in wanted))(x, *wanted)


@language
def flatten(x: Any, ndim: int = 1) -> Variable:
    """Return `x` with its last axes made one, so that `ndim` are left."""
    x = as_variable(x)
    if not 1 <= ndim <= max(x.ndim, 1):
        raise GraphError(f"{x.describe()} cannot be flattened to {ndim} axes.")
    return reshape(x, (*x.shape[: ndim - 1], product(x.shape[ndim - 1 :])))


@attrs.frozen
class BroadcastTo(Movement):
    """Axes stretched, and axes added on the left.

    Parameters
    ----------
    broadcastable
        The output's axes.
    stretch
        Which axes of the input have length 1 and are repeated.
    """

    name = "broadcast_to"
    broadcastable: tuple[bool, ...]
    stretch: tuple[bool, ...]

    @property
    def shape_inputs(self) -> tuple[int, ...]:
        """All lengths."""
        return tuple(range(1, 1 + len(self.broadcastable)))

    def infer_type(self, *types: TensorType) -> TensorType:
        """Take the new axes."""
        return TensorType(types[0].dtype, self.broadcastable)

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Check that the axes that do not stretch have the lengths asked for."""
        (shape,) = shapes
        target = tuple(sizes)
        ends = target[len(target) - len(shape) :]
        fits = (n == (1 if s else t) for n, s, t in zip(shape, self.stretch, ends, strict=True))
        if not all(fits) or any(n < 0 for n in target):
            raise GraphError(
                f"broadcast_to cannot stretch shape {shape} to {target}.",
                "Only axes of length 1 that are marked broadcastable stretch.",
            )
        return target

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the length asked for."""
        return inputs[1 + axis]

    def source_index(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> tuple[Any, ...]:
        """Stay at 0 on the stretched axes."""
        kept = index[len(shape) - len(self.stretch) :]
        return tuple(0 if s else i for i, s in zip(kept, self.stretch, strict=True))

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Broadcast in NumPy."""
        return np.broadcast_to(arrays[0], shape)

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Sum over the stretched and added axes."""
        (x, *sizes) = inputs
        added = grad.ndim - x.ndim
        if added:
            grad = call("sum", grad, axis=tuple(range(added)))
        axes = tuple(a for a, s in enumerate(self.stretch) if s and not grad.broadcastable[a])
        grad = call("sum", grad, axis=axes, keepdims=True) if axes else grad
        return [grad, *[None] * len(sizes)]


@language
def broadcast_to(x: Any, shape: Any) -> Variable:
    """Return `x` stretched to `shape`: its broadcastable axes repeated, new ones on the left."""
    source = as_variable(x)
    wanted = sizes_of(shape)
    if len(wanted) < source.ndim:
        raise GraphError(f"{source.describe()} has more axes than the {len(wanted)} asked for.")
    if not wanted:
        return source
    return BroadcastTo(tuple(is_one(n) for n in wanted), source.broadcastable)(source, *wanted)


def like(x: Variable, model: Variable) -> Variable:
    """Return `x` stretched to the shape of `model`."""
    return x if x.broadcastable == model.broadcastable else broadcast_to(x, model.shape)


@language
def alloc(value: Any, *shape: Any) -> Variable:
    """Return a tensor of `shape` filled with `value`."""
    filling = as_variable(value)
    if is_weak(filling) and filling.type.is_float:
        filling = cast(filling, DEFAULTS.float_dtype)
    return broadcast_to(filling, shape[0] if len(shape) == 1 else shape)


@language
def fill(model: Any, value: Any) -> Variable:
    """Return a tensor shaped as `model`, filled with `value` in the dtype of `model`."""
    model = as_variable(model)
    return broadcast_to(cast(value, model.dtype), model.shape)


@language
def zeros(shape: Any, dtype: str | None = None) -> Variable:
    """Return zeros."""
    return broadcast_to(np.zeros((), dtype or DEFAULTS.float_dtype), shape)


@language
def ones(shape: Any, dtype: str | None = None) -> Variable:
    """Return ones."""
    return broadcast_to(np.ones((), dtype or DEFAULTS.float_dtype), shape)


@language
def zeros_like(model: Any, dtype: str | None = None) -> Variable:
    """Return zeros in the shape of `model`, in its dtype unless told."""
    model = as_variable(model)
    return broadcast_to(np.zeros((), dtype or model.dtype), model.shape)


@language
def ones_like(model: Any, dtype: str | None = None) -> Variable:
    """Return ones in the shape of `model`, in its dtype unless told."""
    model = as_variable(model)
    return broadcast_to(np.ones((), dtype or model.dtype), model.shape)


@attrs.frozen
class Retype(Movement):
    """The same tensor with other axes marked broadcastable; those marked must have length 1."""

    name = "retype"
    broadcastable: tuple[bool, ...]

    def infer_type(self, *types: TensorType) -> TensorType:
        """Take the new flags."""
        if types[0].ndim != len(self.broadcastable):
            raise GraphError(f"{types[0]} cannot get the axes {self.broadcastable}.")
        return TensorType(types[0].dtype, self.broadcastable)

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Check the lengths of the marked axes."""
        (shape,) = shapes
        for axis, (n, flag) in enumerate(zip(shape, self.broadcastable, strict=True)):
            if flag and n != 1:
                raise GraphError(
                    f"Axis {axis} is marked broadcastable but has length {n} in shape {shape}."
                )
        return shape

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the input."""
        return inputs[0], axis

    def source_index(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> tuple[Any, ...]:
        """Stay where it is."""
        return index

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Return the input."""
        return arrays[0]

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Pass on, with the input's flags."""
        return [retype(grad, inputs[0].broadcastable)]


@language
def retype(x: Any, broadcastable: Sequence[bool]) -> Variable:
    """Return `x` with exactly these axes marked broadcastable."""
    x = as_variable(x)
    flags = tuple(broadcastable)
    return x if x.broadcastable == flags else Retype(flags)(x)


@language
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Variable:
    """Return `x` with each element repeated along `axis` (of the flattened `x` if None)."""
    x, repeats = as_variable(x), as_variable(repeats)
    if axis is None:
        x, axis = flatten(x), 0
    (axis,) = normal_axes(x, axis)
    if repeats.ndim:
        return _repeated_each(x, repeats, axis)
    order = [*range(axis + 1), "x", *range(axis + 1, x.ndim)]
    lengths = list(x.shape)
    lengths.insert(axis + 1, size(repeats))
    stretched = broadcast_to(dimshuffle(x, order), lengths)
    return reshape(
        stretched, (*x.shape[:axis], x.shape[axis] * size(repeats), *x.shape[axis + 1 :])
    )


def _repeated_each(x: Variable, repeats: Variable, axis: int) -> Variable:
    """Return each element along `axis` repeated as often as a constant vector says."""
    if not isinstance(repeats, Constant):
        raise NotSupported(
            f"repeat by {repeats.describe()}: the length of the result would depend on values.",
            "Give one number, or an array that is known.",
        )
    places = np.repeat(np.arange(repeats.value.size), repeats.value)
    return call("index", x, (*(slice(None),) * axis, places))


@language
def tile(x: Any, repeats: Any) -> Variable:
    """Return `x` laid side by side, `repeats` times along each axis (the last ones if fewer)."""
    x = as_variable(x)
    counts = sizes_of(repeats)
    ndim = max(x.ndim, len(counts))
    x = pad_left(x, ndim)
    counts = [size(1)] * (ndim - len(counts)) + counts
    order = [o for axis in range(ndim) for o in ("x", axis)]
    pairs = list(zip(counts, x.shape, strict=True))
    stretched = broadcast_to(dimshuffle(x, order), [n for pair in pairs for n in pair])
    return reshape(stretched, [count * n for count, n in pairs])


_MATRIX = (Sample((3, 5)),)
declare(
    "reshape",
    Reshape,
    SAMPLED,
    Case(lambda x: reshape(x, (5, 3)), _MATRIX, lambda x: x.reshape(5, 3)),
    Case(lambda x: reshape(x, (-1,)), _MATRIX, lambda x: x.reshape(-1)),
    Case(lambda x: reshape(x, (x.shape[1], 1, -1)), _MATRIX, lambda x: x.reshape(5, 1, -1)),
    Case(lambda x: reshape(x, (2, 3, 2, 1)), (Sample((4, 3)),), lambda x: x.reshape(2, 3, 2, 1)),
    Case(lambda x: reshape(x, (0, 7)), (Sample((3, 0)),), lambda x: x.reshape(0, 7)),
    Case(lambda x: reshape(x, ()), (Sample((1, 1)),), lambda x: x.reshape(())),
    Case(lambda x: flatten(x, 2), (Sample((3, 2, 4)),), lambda x: x.reshape(3, 8)),
)
declare(
    "broadcast_to",
    BroadcastTo,
    SAMPLED,
    Case(
        lambda x: broadcast_to(x, (4, 3, 5)),
        (Sample((1, 5), stretch=(0,)),),
        lambda x: np.broadcast_to(x, (4, 3, 5)),
    ),
    Case(lambda x: alloc(x, 3, 5), (Sample(()),), lambda x: np.full((3, 5), x)),
    Case(lambda x: alloc(x, 0, 5), (Sample((5,)),), lambda x: np.broadcast_to(x, (0, 5))),
    Case(lambda x, y: fill(x, y), (*_MATRIX, Sample(())), lambda x, y: np.full_like(x, y)),
    Case(lambda x: ones_like(x) + zeros_like(x), _MATRIX, np.ones_like),
)
declare(
    "retype",
    Retype,
    SAMPLED,
    Case(lambda x: retype(x, (True, False)), (Sample((1, 5)),), lambda x: x),
)
declare(
    "repeat",
    None,
    SAMPLED,
    Case(lambda x: repeat(x, 3, 0), _MATRIX, lambda x: np.repeat(x, 3, 0)),
    Case(lambda x: repeat(x, 2), _MATRIX, lambda x: np.repeat(x, 2)),
    Case(lambda x: repeat(x, [2, 0, 1], 0), _MATRIX, lambda x: np.repeat(x, [2, 0, 1], 0)),
    Case(lambda x: repeat(x, 2, 1), (Sample((3, 0)),), lambda x: np.repeat(x, 2, 1)),
)
declare(
    "tile",
    None,
    SAMPLED,
    Case(lambda x: tile(x, (2, 3)), _MATRIX, lambda x: np.tile(x, (2, 3))),
    Case(lambda x: tile(x, 2), _MATRIX, lambda x: np.tile(x, 2)),
    Case(lambda x: tile(x, (2, 1, 2)), _MATRIX, lambda x: np.tile(x, (2, 1, 2))),
)

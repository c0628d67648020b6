"""Windows that slide along an axis, and the two operations that their derivatives are made of.

Responsible for which element lies in which window; knows nothing of convolution or pooling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.op import LengthSource, Movement, Piecewise, Read
from workbench.engine.graph.ops.dimshuffle import Dimshuffle
from workbench.engine.graph.ops.folds import Sum
from workbench.engine.graph.ops.lengths import axis_length, size
from workbench.engine.graph.ops.registry import FLOATS, Case, Sample, declare
from workbench.engine.graph.ops.slicing import Pieces
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Constant, Variable


@attrs.frozen
class _Sliding:
    """How windows lie along an axis.

    Parameters
    ----------
    axis
        The axis along which they slide.
    step
        How far the next window begins from one.
    spread
        How far neighbours of one window lie apart.
    backwards
        Whether a window's first element is the last along the axis.
    """

    axis: int
    step: int
    spread: int
    backwards: bool

    def offset(self, element: Any, length: int) -> Any:
        """Return how far an element of a window of `length` lies behind the window's begin."""
        return ((length - 1) - element if self.backwards else element) * self.spread

    def put(self, of: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
        """Return an index, shape or list of flags with another component along the axis."""
        return (*of[: self.axis], value, *of[self.axis + 1 :])

    def places(self, count: int, length: int) -> np.ndarray:
        """Return where the elements of all windows lie, (windows, length)."""
        offsets = self.offset(np.arange(length), length)
        return np.asarray(np.arange(count)[:, None] * self.step + offsets)

    def reaches(self, length: int) -> int:
        """Return how many places a window of `length` covers."""
        return (length - 1) * self.spread + 1


@attrs.frozen
class Windows(_Sliding, Movement):
    """All windows of a length that lie within an axis, their elements along a new last axis.

    Inputs: the tensor, the length of a window.
    """

    name = "windows"

    @property
    def shape_inputs(self) -> tuple[int, ...]:
        """The length of a window."""
        return (1,)

    def infer_type(self, *types: TensorType) -> TensorType:
        """Add an axis."""
        return TensorType(types[0].dtype, (*self.put(types[0].broadcastable, False), False))

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Count the windows."""
        ((shape,), (length,)) = shapes, sizes
        if length < 1:
            raise GraphError(f"A window has {length} elements.", "It needs at least one.")
        room = shape[self.axis] - self.reaches(length)
        return (*self.put(shape, room // self.step + 1 if room >= 0 else 0), length)

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the length asked for, or at the input's where nothing slides."""
        if axis == inputs[0].ndim:
            return inputs[1]
        return None if axis == self.axis else (inputs[0], axis)

    def source_index(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> tuple[Any, ...]:
        """Go to the window, then to its element."""
        begin = index[self.axis] * self.step
        return self.put(index[:-1], begin + self.offset(index[-1], shape[-1]))

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Gather in NumPy."""
        taken = np.take(arrays[0], self.places(shape[self.axis], shape[-1]), axis=self.axis)
        return np.moveaxis(taken, self.axis + 1, -1)

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Add up, for each element, the derivatives of the windows that it lies in."""
        x, _ = inputs
        if not x.type.is_float:
            return [None, None]
        back = _same(Placed, self)(grad, _zero(grad), axis_length(x, self.axis))
        return [Sum((back.ndim - 1,), False)(back), None]


@attrs.frozen
class Placed(_Sliding, Piecewise):
    """Windows with each element at its place along the axis, and 0 elsewhere.

    What `Windows` made of (..., n, ...), (..., windows, ..., length), becomes (..., n, ...,
    length): adding up along the last axis gives each place the sum of what lies there. Inputs: the
    windows, 0, the length of the axis.
    """

    name = "placed"

    @property
    def shape_inputs(self) -> tuple[int, ...]:
        """The length of the axis."""
        return (2,)

    def infer_type(self, *types: TensorType) -> TensorType:
        """Keep the axes; that along which windows slide has another length."""
        return TensorType(types[0].dtype, self.put(types[0].broadcastable, False))

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Put in the axis' length."""
        return self.put(shapes[0], sizes[0])

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the length asked for, or at the windows."""
        return inputs[2] if axis == self.axis else (inputs[0], axis)

    def pieces(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> Pieces:
        """Find the window that has this element at this place."""
        begin = index[self.axis] - self.offset(index[-1], shape[-1])
        bounds: list[tuple[Any, Any, Any]] = [(0, begin, shapes[0][self.axis] * self.step)]
        if self.step > 1:
            bounds.append((0, begin % self.step, 1))
        window = begin // self.step if self.step > 1 else begin
        return [(bounds, 0, self.put(index, window)), ([], 1, ())]

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Assign in NumPy, element after element of the windows."""
        result = np.zeros(shape, arrays[0].dtype)
        windows, to = (np.moveaxis(a, self.axis, 0) for a in (arrays[0], result))
        places = self.places(len(windows), shape[-1])
        for element in range(shape[-1]):
            to[places[:, element], ..., element] = windows[..., element]
        return result

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Collect from the places."""
        back = _same(Collected, self)(grad, axis_length(inputs[0], self.axis))
        return [back, None, None]


@attrs.frozen
class Collected(_Sliding, Movement):
    """The windows of which `Placed` has put each element at its place.

    Inputs: what was placed, the number of windows.
    """

    name = "collected"

    @property
    def shape_inputs(self) -> tuple[int, ...]:
        """The number of windows."""
        return (1,)

    def infer_type(self, *types: TensorType) -> TensorType:
        """Keep the axes; that along which windows slide has another length."""
        return TensorType(types[0].dtype, self.put(types[0].broadcastable, False))

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Put in the number of windows."""
        return self.put(shapes[0], sizes[0])

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the number asked for, or at the input."""
        return inputs[1] if axis == self.axis else (inputs[0], axis)

    def source_index(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> tuple[Any, ...]:
        """Look at the element's place."""
        begin = index[self.axis] * self.step
        return self.put(index, begin + self.offset(index[-1], shape[-1]))

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Gather in NumPy, element after element of the windows."""
        result = np.empty(shape, arrays[0].dtype)
        source, to = (np.moveaxis(a, self.axis, 0) for a in (arrays[0], result))
        places = self.places(len(to), shape[-1])
        for element in range(shape[-1]):
            to[..., element] = source[places[:, element], ..., element]
        return result

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Put back at the places."""
        n = axis_length(inputs[0], self.axis)
        return [_same(Placed, self)(grad, _zero(grad), n), None]


@attrs.frozen
class LaidOut(Piecewise):
    """The tensor itself, which is stored in this order before a product reads it.

    Products find elements by themselves and read some of them many times; where finding one is
    dear, as it is behind a reshape of moved axes, it is done once.
    """

    name = "laid_out"

    def infer_type(self, *types: TensorType) -> TensorType:
        """Keep the type."""
        return types[0]

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Keep the shape."""
        return shapes[0]

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the tensor."""
        return inputs[0], axis

    def pieces(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> Pieces:
        """Stay where it is."""
        return [([], 0, index)]

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Return the tensor."""
        return arrays[0]

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Pass on."""
        return [grad]


@attrs.frozen
class Arranged(Dimshuffle):
    """Axes permuted, where what is computed from them had better stay in the source's order.

    That is the order in memory alone; lowering sees to it.
    """

    name = "arranged"


def _same(kind: type[Placed] | type[Collected], like: _Sliding) -> Placed | Collected:
    return kind(like.axis, like.step, like.spread, like.backwards)


def _zero(x: Variable) -> Constant:
    return Constant(np.zeros((), x.dtype))


def windows(
    x: Variable, axis: int, length: Any, step: int = 1, spread: int = 1, backwards: bool = False
) -> Variable:
    """Return all windows of `length` that lie within an axis, along a new last axis.

    Parameters
    ----------
    axis
        From 0; it then counts windows.
    length
        Elements of a window: a number or a 0-d integer variable.
    step
        How far the next window begins from one.
    spread
        How far neighbours of one window lie apart.
    backwards
        Whether a window's first element is the last along the axis.
    """
    return Windows(axis, step, spread, backwards)(x, size(length))


def _slid(
    x: np.ndarray,
    axis: int,
    length: int,
    step: int = 1,
    spread: int = 1,
    backwards: bool = False,
) -> np.ndarray:
    """Return the windows by NumPy's own sliding windows."""
    whole = (length - 1) * spread + 1
    if whole > x.shape[axis]:
        return np.zeros((*x.shape[:axis], 0, *x.shape[axis + 1 :], length), x.dtype)
    every = np.lib.stride_tricks.sliding_window_view(x, whole, axis)[..., ::spread]
    every = every[..., ::-1] if backwards else every
    return every[(slice(None),) * axis + (slice(None, None, step),)]


def _once_more(x: Any, *use: Any) -> Variable:
    """Return the windows, collected from where they have been placed."""
    x = as_variable(x)
    cut = windows(x, *use)
    assert cut.owner is not None
    sliding = cut.owner.op
    assert isinstance(sliding, Windows)
    whole = _same(Placed, sliding)(cut, _zero(cut), axis_length(x, sliding.axis))
    return _same(Collected, sliding)(whole, axis_length(cut, sliding.axis))


_USES: list[tuple[Shape, tuple[Any, ...]]] = [
    ((7,), (0, 3)),
    ((3, 7), (1, 2, 3)),
    ((2, 9, 3), (1, 3, 2, 2)),
    ((2, 9), (1, 3, 2, 1, True)),
    ((5, 2), (0, 6)),
    ((0, 4), (1, 2)),
    ((4, 0), (0, 2, 2)),
]
for _name, _op, _build in (
    ("windows", Windows, windows),
    ("windows placed", Placed, _once_more),
    ("windows collected", Collected, _once_more),
):
    declare(
        _name,
        _op,
        FLOATS,
        *(
            Case(
                lambda x, use=use, build=_build: build(x, *use),
                (Sample(shape),),
                lambda x, use=use: _slid(x, *use),
            )
            for shape, use in _USES
        ),
    )
declare(
    "laid_out",
    LaidOut,
    FLOATS,
    Case(lambda x: LaidOut()(as_variable(x).T), (Sample((3, 5)),), lambda x: x.T),
    Case(lambda x: LaidOut()(as_variable(x)), (Sample((0, 5)),), lambda x: x),
)
declare(
    "arranged",
    Arranged,
    FLOATS,
    Case(
        lambda x: (Arranged((2, 0, 1))(as_variable(x) * 2) + 1).max(axis=1),
        (Sample((3, 5, 2)),),
        lambda x: (x.transpose(2, 0, 1) * 2 + 1).max(axis=1),
    ),
)

"""Convolution of images: every window of an image, flattened, times every filter.

Responsible for bringing convolution to windows and one product of matrices; knows no kernel. The
windows are only a way to find an element, so the product reads them straight from the images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError, NotSupported
from workbench.engine.graph.op import Composite, LengthSource
from workbench.engine.graph.ops.dimshuffle import dimshuffle
from workbench.engine.graph.ops.elementwise import with_dtype
from workbench.engine.graph.ops.lengths import product
from workbench.engine.graph.ops.linear import dot
from workbench.engine.graph.ops.margins import Margins, Pair, margins_of, pair_of, with_margins
from workbench.engine.graph.ops.registry import FLOATS, Case, Sample, declare, language
from workbench.engine.graph.ops.shape import reshape
from workbench.engine.graph.ops.slicing import Insert
from workbench.engine.graph.ops.windows import Arranged, LaidOut, windows
from workbench.engine.graph.promotion import as_variable, common_dtype
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Variable

#: Lengths that the caller promises; None where nothing is promised.
Promised = tuple[int | None, ...] | None

_IMAGES = "(batch, channels, rows, columns)"
_FILTERS = "(out, channels, rows, columns)"


@attrs.frozen
class Convolution(Composite):
    """Images by filters. Inputs: (batch, channels, rows, columns), (out, channels, rows, columns).

    Parameters
    ----------
    margins
        Zeros around the images.
    steps
        How far the next place lies from one.
    dilation
        How far neighbours in a filter lie apart in the image.
    flip
        Whether filters are turned by 180 degrees.
    image_shape, filter_shape
        What the caller promises of the shapes.
    """

    name = "conv2d"
    margins: Margins
    steps: Pair
    dilation: Pair
    flip: bool
    image_shape: Promised = None
    filter_shape: Promised = None

    def infer_type(self, *types: TensorType) -> TensorType:
        """Take two tensors of four axes and one dtype."""
        x, w = types
        if x.ndim != 4 or w.ndim != 4 or x.dtype != w.dtype:
            raise GraphError(f"conv2d does not take {x} and {w}.")
        return TensorType(x.dtype, (x.broadcastable[0], w.broadcastable[0], False, False))

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Check that channels are equal and that a filter has room in the image."""
        images, filters = shapes
        both = f"conv2d got images of shape {images} and filters of shape {filters}"
        if images[1] != filters[1]:
            raise GraphError(
                f"{both}: {images[1]} channels meet {filters[1]}.",
                f"Images are {_IMAGES}, filters {_FILTERS}.",
            )
        for what, promised, found in (
            ("image_shape", self.image_shape, images),
            ("filter_shape", self.filter_shape, filters),
        ):
            if promised is not None and any(
                p not in (None, n) for p, n in zip(promised, found, strict=True)
            ):
                raise GraphError(f"{both}, but {what} says {promised}.", "Correct it, or omit it.")
        counts = []
        for axis, what in enumerate(("rows", "columns")):
            n, length = images[2 + axis], filters[2 + axis]
            if length < 1:
                raise GraphError(f"{both}: the filters have no {what}.", "Give some.")
            whole = (length - 1) * self.dilation[axis] + 1
            before, behind = (margin.width(whole) for margin in self.margins[axis])
            if n + before + behind < whole:
                raise GraphError(
                    f"{both}: {n} {what} with margins of {before} and {behind} have no room for "
                    f"{whole}.",
                    'Use smaller filters, or border_mode "half" or "full".',
                )
            counts.append((n + before + behind - whole) // self.steps[axis] + 1)
        return (images[0], filters[0], *counts)

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Take the batch from the images, the channels from the filters."""
        return (inputs[axis], 0) if axis < 2 else None

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Multiply NumPy's sliding windows by the filters."""
        x, w = arrays
        for axis in (0, 1):
            whole = (w.shape[2 + axis] - 1) * self.dilation[axis] + 1
            before, behind = (margin.width(whole) for margin in self.margins[axis])
            at = 2 + axis
            x = np.take(x, np.arange(max(-before, 0), x.shape[at] + min(behind, 0)), at)
            widths = [(0, 0)] * x.ndim
            widths[at] = (max(before, 0), max(behind, 0))
            x = np.lib.stride_tricks.sliding_window_view(np.pad(x, widths), whole, at)
            x = x[..., :: self.dilation[axis]]
        x = x[:, :, :: self.steps[0], :: self.steps[1]]
        turned = w[:, :, ::-1, ::-1] if self.flip else w
        result = np.tensordot(x, turned, ((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)
        return np.asarray(result, dtype=x.dtype)

    def expand(self, *inputs: Variable) -> Variable:
        """Multiply every filter by every window, found in the images as it is needed."""
        x, w = inputs
        out, flat = w.shape[0], product(w.shape[1:])
        cut = self._windows(x, w)
        result = dot(reshape(w, (out, flat)), _columns(cut, flat))
        result = reshape(result, (out, *(cut.shape[axis] for axis in (1, 2, 3))))
        return Arranged((3, 0, 1, 2))(result)

    def _windows(self, x: Variable, w: Variable) -> Variable:
        """Return every window, (channels, down, across, batch, rows, columns).

        With the batch last, what lies side by side in memory is in the same place of windows side
        by side, whatever the sizes of image, filter and step.
        """
        x = LaidOut()(dimshuffle(x, 1, 2, 3, 0))
        for axis in (0, 1):
            whole = (w.shape[2 + axis] - 1) * self.dilation[axis] + 1
            x = with_margins(x, 1 + axis, self.margins[axis], whole)
        for axis in (0, 1):
            step, spread = self.steps[axis], self.dilation[axis]
            x = windows(x, 1 + axis, w.shape[2 + axis], step, spread, self.flip)
        return x

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Convolve the derivative with the filters, and multiply it by the windows."""
        x, w = inputs
        if not x.type.is_float:
            return [None, None]
        out, flat = w.shape[0], product(w.shape[1:])
        cut = self._windows(x, w)
        columns = _columns(cut, flat)
        by_place = LaidOut()(dimshuffle(grad, 1, 2, 3, 0))
        by_place = reshape(by_place, (out, product(by_place.shape[1:])))
        by_filters = reshape(dot(by_place, dimshuffle(columns, 1, 0)), w.shape)
        if self.steps == (1, 1):
            (top, bottom), (left, right) = self.margins
            margins = ((top.mirrored(), bottom.mirrored()), (left.mirrored(), right.mirrored()))
            back = attrs.evolve(
                self, margins=margins, flip=not self.flip, image_shape=None, filter_shape=None
            )
            return [back(grad, LaidOut()(dimshuffle(w, 1, 0, 2, 3))), by_filters]
        # Most places of that convolution would be zeros: multiply, and add up what overlaps.
        weights = LaidOut()(dimshuffle(reshape(w, (out, flat)), 1, 0))
        lengths = [cut.shape[axis] for axis in (0, 4, 5, 1, 2, 3)]
        by_windows = dimshuffle(reshape(dot(weights, by_place), lengths), 0, 3, 4, 5, 1, 2)
        return [_back(by_windows, cut, x), by_filters]


def _back(grad: Variable, cut: Variable, x: Variable) -> Variable:
    """Return the derivative by the images, given that by their windows."""
    while cut is not x:
        assert cut.owner is not None
        op, inputs = cut.owner.op, cut.owner.inputs
        position = int(isinstance(op, Insert))
        part = op.vjp(inputs, cut, grad)[position]
        assert part is not None
        grad, cut = part, inputs[position]
    return grad


def _columns(cut: Variable, flat: Variable) -> Variable:
    """Return windows as the columns of a matrix."""
    count = product([cut.shape[axis] for axis in (1, 2, 3)])
    return reshape(dimshuffle(cut, 0, 4, 5, 1, 2, 3), (flat, count))


@language
def conv2d(
    input: Any,
    filters: Any,
    input_shape: Any = None,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_flip: bool = True,
    image_shape: Any = None,
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> Variable:
    """Return images convolved with filters.

    Parameters
    ----------
    input
        Images, (batch, channels, rows, columns).
    filters
        Filters, (out, channels, rows, columns).
    input_shape, image_shape, filter_shape
        Lengths that are known, None for others; they are checked, and not needed.
    border_mode
        "valid" (where a filter lies within the image), "full" (where it touches it), "half" (odd
        filters keep the image's size), or the width of the margin of zeros: a number, one for rows
        and one for columns, or for each of them one before and one behind.
    subsample
        How far the next place lies from one, in rows and in columns.
    filter_flip
        Whether filters are turned by 180 degrees, as the definition of convolution has it;
        otherwise this is a correlation.
    filter_dilation
        How far neighbours in a filter lie apart in the image.

    Shapes
    ------
    (batch, out, rows, columns), with ``(rows + margins - filter rows) // subsample + 1`` rows.

    Raises
    ------
    GraphError
        The arguments or, when shapes are known, the shapes do not fit.
    NotSupported
        Groups of channels, or filters that differ from place to place, are asked for.
    """
    x, w = as_variable(input), as_variable(filters)
    if x.ndim != 4 or w.ndim != 4:
        raise GraphError(
            f"conv2d does not take {x.describe()} and {w.describe()}.",
            f"Give images {_IMAGES} and filters {_FILTERS}.",
        )
    if num_groups != 1:
        raise NotSupported(
            f"conv2d with num_groups={num_groups} is not offered.",
            "Convolve each group of channels, and concatenate the results along axis 1.",
        )
    if unshared:
        raise NotSupported("conv2d with unshared=True is not offered.", "Use tensordot.")
    if image_shape is not None and input_shape is not None:
        raise GraphError("conv2d got both input_shape and image_shape.", "They mean the same.")
    steps = pair_of(subsample, "conv2d's subsample", 1)
    dilation = pair_of(filter_dilation, "conv2d's filter_dilation", 1)
    dtype = common_dtype([x, w])
    op = Convolution(
        margins_of(border_mode),
        steps,
        dilation,
        bool(filter_flip),
        _promised(image_shape if input_shape is None else input_shape, "image_shape"),
        _promised(filter_shape, "filter_shape"),
    )
    return op(with_dtype(x, dtype), with_dtype(w, dtype))


def _promised(shape: Any, what: str) -> Promised:
    """Return the whole numbers among given lengths; variables promise nothing."""
    if shape is None:
        return None
    lengths = tuple(shape)
    if len(lengths) != 4:
        raise GraphError(f"conv2d's {what} is {shape!r}.", "Give four lengths; None if unknown.")
    return tuple(int(n) if isinstance(n, (int, np.integer)) else None for n in lengths)


def _by_hand(
    x: np.ndarray,
    w: np.ndarray,
    border_mode: Any = "valid",
    subsample: Pair = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Pair = (1, 1),
) -> np.ndarray:
    """Convolve in NumPy, one element of the filters after the other."""
    whole = [(n - 1) * d + 1 for n, d in zip(w.shape[2:], filter_dilation, strict=True)]
    if isinstance(border_mode, str):
        border_mode = [{"valid": 0, "half": n // 2, "full": n - 1}[border_mode] for n in whole]
    sides = [(m, m) if isinstance(m, int) else m for m in border_mode]
    x = np.pad(x, [(0, 0), (0, 0), *sides])
    w = w[:, :, ::-1, ::-1] if filter_flip else w
    down, across = ((n - m) // s + 1 for n, m, s in zip(x.shape[2:], whole, subsample, strict=True))
    result = np.zeros((len(x), len(w), down, across), np.result_type(x, w))
    for i, j in np.ndindex(w.shape[2:]):
        r, c = i * filter_dilation[0], j * filter_dilation[1]
        rows = slice(r, r + (down - 1) * subsample[0] + 1, subsample[0])
        columns = slice(c, c + (across - 1) * subsample[1] + 1, subsample[1])
        result += np.tensordot(w[:, :, i, j], x[:, :, rows, columns], (1, 1)).transpose(1, 0, 2, 3)
    return result


def _case(images: Shape, filters: Shape, dtypes: tuple[str, ...] = FLOATS, **options: Any) -> Case:
    return Case(
        lambda x, w: conv2d(x, w, **options),
        (Sample(images), Sample(filters)),
        lambda x, w: _by_hand(x, w, **options).astype(np.result_type(x, w)),
        dtypes=dtypes,
    )


_SMALL: tuple[Shape, Shape] = ((2, 3, 5, 7), (4, 3, 3, 2))
declare(
    "conv2d",
    Convolution,
    ("uint8", *FLOATS),
    _case(*_SMALL, dtypes=("uint8", *FLOATS)),
    _case(*_SMALL, filter_flip=False),
    _case(*_SMALL, border_mode="full"),
    _case(*_SMALL, border_mode="half", subsample=(2, 1)),
    _case((1, 1, 6, 5), (2, 1, 2, 2), border_mode=(2, 1), subsample=(3, 2), filter_dilation=(2, 3)),
    _case((3, 2, 4, 5), (5, 2, 1, 1)),
    _case((2, 1, 4, 5), (1, 1, 4, 5), border_mode=((1, 0), (0, 2))),
    _case((1, 2, 2, 3), (3, 2, 5, 4), border_mode="full"),
    _case((0, 2, 4, 5), (3, 2, 3, 3)),
    _case((2, 0, 4, 5), (3, 0, 3, 3)),
)

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
from workbench.engine.graph.op import LengthSource, Movement, Read
from workbench.engine.graph.ops.dimshuffle import dimshuffle
from workbench.engine.graph.ops.elementwise import with_dtype
from workbench.engine.graph.ops.lengths import product
from workbench.engine.graph.ops.linear import dot
from workbench.engine.graph.ops.registry import FLOATS, Case, Sample, declare, language
from workbench.engine.graph.ops.shape import reshape
from workbench.engine.graph.ops.windows import padded, windows
from workbench.engine.graph.promotion import as_variable, common_dtype
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Variable

Pair = tuple[int, int]
#: Elements before and behind, for rows and for columns.
Margins = tuple[Pair, Pair]
#: Lengths that the caller promises; None where nothing is promised.
Promised = tuple[int | None, ...] | None

_AXES = ("batch", "channels", "rows", "columns")


def pair_of(value: Any, what: str, least: int) -> Pair:
    """Return one or two whole numbers as two, for rows and columns.

    Parameters
    ----------
    what
        What messages call it.
    least
        The least number that makes sense.

    Raises
    ------
    GraphError
        It is something else.
    """
    both = tuple(value) if isinstance(value, (tuple, list, np.ndarray)) else (value, value)
    if len(both) == 2 and all(isinstance(n, (int, np.integer)) and n >= least for n in both):
        return int(both[0]), int(both[1])
    raise GraphError(
        f"{what} is {value!r}.", f"Give one or two whole numbers, not less than {least}."
    )


@attrs.frozen
class Images(Movement):
    """The images as they are, once filters are known to fit them.

    Inputs: the images, and the four lengths of the filters.

    Parameters
    ----------
    border
        "valid", "full", "half", or elements before and behind, for rows and for columns.
    dilation
        How far neighbours of a window lie apart.
    image_shape, filter_shape
        What the caller promises of the shapes.
    """

    name = "images"
    border: str | Margins
    dilation: Pair
    image_shape: Promised
    filter_shape: Promised

    @property
    def shape_inputs(self) -> tuple[int, ...]:
        """The filters' lengths."""
        return (1, 2, 3, 4)

    def infer_type(self, *types: TensorType) -> TensorType:
        """Keep the type."""
        return types[0]

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Check that channels are equal and that a filter has room in the image."""
        (shape,), filters = shapes, tuple(sizes)
        both = f"conv2d got images of shape {shape} and filters of shape {filters}"
        if shape[1] != filters[1]:
            raise GraphError(
                f"{both}: {shape[1]} channels meet {filters[1]}.",
                "Images are (batch, channels, rows, columns), filters (out, channels, rows, "
                "columns).",
            )
        for axis in (2, 3):
            if filters[axis] < 1:
                raise GraphError(f"{both}: the filters have no {_AXES[axis]}.", "Give some.")
            whole = (filters[axis] - 1) * self.dilation[axis - 2] + 1
            margins = margins_of(self.border, axis - 2, whole)
            if shape[axis] + sum(margins) < whole:
                raise GraphError(
                    f"{both}: {shape[axis]} {_AXES[axis]} with margins of {margins[0]} and "
                    f"{margins[1]} have no room for {whole}.",
                    'Use smaller filters, or border_mode "half" or "full".',
                )
        for what, promised, found in (
            ("image_shape", self.image_shape, shape),
            ("filter_shape", self.filter_shape, filters),
        ):
            if promised is not None and any(
                p not in (None, n) for p, n in zip(promised, found, strict=True)
            ):
                raise GraphError(f"{both}, but {what} says {promised}.", "Correct it, or omit it.")
        return shape

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the images."""
        return inputs[0], axis

    def source_index(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> tuple[Any, ...]:
        """Stay where it is."""
        return index

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Return the images."""
        return arrays[0]

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Pass on."""
        return [grad, None, None, None, None]


def margins_of(border: str | Margins, axis: int, whole: Any) -> tuple[Any, Any]:
    """Return what is put before and behind the images.

    Parameters
    ----------
    axis
        0 for rows, 1 for columns.
    whole
        How long a filter is there, its gaps included: a number or a 0-d integer variable.
    """
    if isinstance(border, str):
        margin = {"valid": 0, "full": whole - 1, "half": whole // 2}[border]
        return margin, margin
    return border[axis]


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
            "Give images (batch, channels, rows, columns) and filters (out, channels, rows, "
            "columns).",
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
    border = _border(border_mode)
    dtype = common_dtype([x, w])
    promised = _promised(image_shape if input_shape is None else input_shape, "image_shape")
    fitting = Images(border, dilation, promised, _promised(filter_shape, "filter_shape"))
    x, w = fitting(with_dtype(x, dtype), *w.shape), with_dtype(w, dtype)
    margins = {
        2 + axis: margins_of(border, axis, (w.shape[2 + axis] - 1) * dilation[axis] + 1)
        for axis in (0, 1)
    }
    x = padded(x, margins)
    if filter_flip:
        w = w[:, :, ::-1, ::-1]
    return _correlated(x, w, steps, dilation)


def _correlated(x: Variable, w: Variable, steps: Pair, dilation: Pair) -> Variable:
    """Return the product of every window with every filter, (batch, out, rows, columns)."""
    out, channels, rows, columns = w.shape
    cut = windows(windows(x, 2, rows, steps[0], dilation[0]), 3, columns, steps[1], dilation[1])
    batch, _, down, across, _, _ = cut.shape
    flat = channels * rows * columns
    # One column of the right matrix is one window: many columns, and neighbours in an image are
    # neighbours in a row of it.
    right = reshape(dimshuffle(cut, 1, 4, 5, 0, 2, 3), (flat, product([batch, down, across])))
    result = reshape(dot(reshape(w, (out, flat)), right), (out, batch, down, across))
    return dimshuffle(result, 1, 0, 2, 3)


def _border(mode: Any) -> str | Margins:
    if isinstance(mode, str):
        if mode not in ("valid", "full", "half"):
            raise GraphError(
                f"conv2d's border_mode is {mode!r}.",
                'Use "valid", "full", "half", a number, or one for rows and one for columns.',
            )
        return mode
    if isinstance(mode, (tuple, list)) and any(isinstance(m, (tuple, list)) for m in mode):
        sides = [pair_of(m, "conv2d's border_mode", 0) for m in mode]
        if len(sides) == 2:
            return sides[0], sides[1]
    rows, columns = pair_of(mode, "conv2d's border_mode", 0)
    return (rows, rows), (columns, columns)


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
        border_mode = [margins_of(border_mode, axis, n) for axis, n in enumerate(whole)]
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
    Images,
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

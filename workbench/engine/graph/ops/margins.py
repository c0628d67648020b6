"""Margins around images: how wide they are, what stands in them, and images that have them.

Responsible for widths that depend on filters whose size is not known yet; knows neither convolution
nor pooling.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.ops.arithmetic import cast, maximum
from workbench.engine.graph.ops.lengths import axis_length, size
from workbench.engine.graph.ops.shape import broadcast_to
from workbench.engine.graph.ops.slicing import Insert, Slice
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.variable import Constant, Variable

Pair = tuple[int, int]


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
class Margin:
    """How many zeros stand at one end of an axis of the images.

    Parameters
    ----------
    kind
        What it counts from: "none" of what a filter covers, "half" of it, "rest" (what lets the
        two halves be all but one), or "most" (all but one).
    extra
        How many more, perhaps fewer.
    """

    kind: str
    extra: int = 0

    def width(self, whole: Any) -> Any:
        """Return the width for filters that cover `whole`; below 0 it is cut off.

        `whole` is a number or a 0-d integer variable.
        """
        if self.kind == "none":
            return self.extra
        counted = {"half": whole // 2, "rest": (whole - 1) - whole // 2, "most": whole - 1}
        return counted[self.kind] + self.extra

    def mirrored(self) -> Margin:
        """Return the margin that makes of the derivative by the output one by the images."""
        kind = {"none": "most", "half": "rest", "rest": "half", "most": "none"}[self.kind]
        return Margin(kind, -self.extra)


#: Before and behind the rows, before and behind the columns.
Margins = tuple[tuple[Margin, Margin], tuple[Margin, Margin]]


def margins_of(mode: Any) -> Margins:
    """Return what `border_mode` asks for.

    Raises
    ------
    GraphError
        It is none of the forms that conv2d takes.
    """
    if isinstance(mode, str):
        kinds = {"valid": "none", "half": "half", "full": "most"}
        if mode not in kinds:
            raise GraphError(
                f"conv2d's border_mode is {mode!r}.",
                'Use "valid", "full", "half", a number, or one for rows and one for columns.',
            )
        both = (Margin(kinds[mode]), Margin(kinds[mode]))
        return both, both
    if isinstance(mode, (tuple, list)) and any(isinstance(m, (tuple, list)) for m in mode):
        sides = [pair_of(m, "conv2d's border_mode", 0) for m in mode]
    else:
        sides = [(n, n) for n in pair_of(mode, "conv2d's border_mode", 0)]
    if len(sides) != 2:
        raise GraphError(
            f"conv2d's border_mode is {mode!r}.", "Give one for rows, one for columns."
        )
    rows, columns = ((Margin("none", before), Margin("none", behind)) for before, behind in sides)
    return rows, columns


def with_margins(
    x: Variable, axis: int, margins: tuple[Margin, Margin], whole: Variable
) -> Variable:
    """Return `x` with zeros around an axis, or less of it where a margin is below 0."""
    before, behind = (margin.width(whole) for margin in margins)
    if any(margin.extra < 0 for margin in margins):
        first, last = maximum(0 - as_variable(before), 0), maximum(0 - as_variable(behind), 0)
        length = axis_length(x, axis) - first - last
        x = Slice((axis,), (1,), (False,))(x, cast(first, "int64"), cast(length, "int64"))
        before, behind = maximum(before, 0), maximum(behind, 0)
    return padded(x, {axis: (before, behind)})


def padded(x: Variable, widths: dict[int, tuple[Any, Any]], value: Any = 0) -> Variable:
    """Return `x` with elements of `value` before and behind it.

    Parameters
    ----------
    widths
        How many of them, numbers or 0-d integer variables, by axis.
    """
    grown = {
        axis: (size(before), size(behind))
        for axis, (before, behind) in widths.items()
        if not (_is_zero(before) and _is_zero(behind))
    }
    if not grown:
        return x
    shape: list[Any] = [axis_length(x, axis) for axis in range(x.ndim)]
    for axis, (before, behind) in grown.items():
        shape[axis] = shape[axis] + before + behind
    around = broadcast_to(Constant(np.asarray(value, x.dtype)), shape)
    return Insert(tuple(grown), (1,) * len(grown))(around, x, *(b for b, _ in grown.values()))


def _is_zero(width: Any) -> bool:
    return isinstance(width, int) and width == 0

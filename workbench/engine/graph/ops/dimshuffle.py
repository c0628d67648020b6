"""Permuting, dropping and adding axes.

Responsible for `dimshuffle` and what it spells out; knows no arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.op import LengthSource, Movement, Read
from workbench.engine.graph.ops.registry import SAMPLED, Case, Sample, declare, language
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Variable


@attrs.frozen
class Dimshuffle(Movement):
    """Axes permuted; broadcastable ones may be left out, and new ones are added by ``"x"``."""

    name = "dimshuffle"
    order: tuple[int | str, ...]

    def infer_type(self, *types: TensorType) -> TensorType:
        """Check that each axis appears once, or is broadcastable and left out."""
        (type_,) = types
        kept = [o for o in self.order if isinstance(o, int)]
        if len(set(kept)) < len(kept) or any(not 0 <= o < type_.ndim for o in kept):
            raise GraphError(
                f"dimshuffle{self.order} does not fit {type_}.", "Name each axis at most once."
            )
        for axis, stretches in enumerate(type_.broadcastable):
            if axis not in kept and not stretches:
                raise GraphError(
                    f"dimshuffle{self.order} leaves out axis {axis} of {type_}.",
                    "Only broadcastable axes may be left out.",
                )
        flags = (isinstance(o, str) or type_.broadcastable[o] for o in self.order)
        return TensorType(type_.dtype, tuple(flags))

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Move the lengths; what is left out must have length 1."""
        (shape,) = shapes
        for axis, length in enumerate(shape):
            if axis not in self.order and length != 1:
                raise GraphError(f"dimshuffle{self.order} leaves out axis {axis} of shape {shape}.")
        return tuple(shape[o] if isinstance(o, int) else 1 for o in self.order)

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look where the axis was."""
        source = self.order[axis]
        return (inputs[0], source) if isinstance(source, int) else None

    def source_index(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> tuple[Any, ...]:
        """Put each component where its axis was."""
        source: list[Any] = [0] * len(shapes[0])
        for i, axis in zip(index, self.order, strict=True):
            if isinstance(axis, int):
                source[axis] = i
        return tuple(source)

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Transpose and reshape."""
        kept = [o for o in self.order if isinstance(o, int)]
        dropped = [axis for axis in range(arrays[0].ndim) if axis not in kept]
        return np.transpose(arrays[0], kept + dropped).reshape(shape)

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Move the axes back."""
        back = tuple(
            self.order.index(axis) if axis in self.order else "x" for axis in range(inputs[0].ndim)
        )
        return [Dimshuffle(back)(grad)]


@language
def dimshuffle(x: Any, *order: Any) -> Variable:
    """Return `x` with its axes in another order.

    Parameters
    ----------
    order
        Axis numbers, and ``"x"`` where an axis of length 1 is added; broadcastable axes may be left
        out. One list will do.
    """
    x = as_variable(x)
    if len(order) == 1 and isinstance(order[0], (list, tuple)):
        order = tuple(order[0])
    if any(o != "x" and not isinstance(o, (int, np.integer)) for o in order):
        raise GraphError(f"dimshuffle got {order!r}.", 'Give axis numbers and "x".')
    normal = tuple(o if isinstance(o, str) else _axis(int(o), x) for o in order)
    return x if normal == tuple(range(x.ndim)) else Dimshuffle(normal)(x)


def _axis(axis: int, x: Variable) -> int:
    if not -x.ndim <= axis < x.ndim:
        raise GraphError(
            f"There is no axis {axis} in {x.describe()}.", f"It has {x.ndim} axes, from 0."
        )
    return axis % x.ndim


@language
def transpose(x: Any, *axes: Any) -> Variable:
    """Return `x` with its axes reversed, or in the order `axes`; one list will do."""
    x = as_variable(x)
    return dimshuffle(x, *(reversed(range(x.ndim)) if axes in ((), (None,)) else axes))


@language
def swapaxes(x: Any, first: int, second: int) -> Variable:
    """Return `x` with two axes exchanged."""
    x = as_variable(x)
    order = list(range(x.ndim))
    a, b = _axis(first, x), _axis(second, x)
    order[a], order[b] = order[b], order[a]
    return dimshuffle(x, *order)


def normal_axes(x: Variable, axis: int | Sequence[int] | None) -> tuple[int, ...]:
    """Return axes sorted and counted from 0; None means all.

    Raises
    ------
    GraphError
        An axis does not exist or is named twice.
    """
    if axis is None:
        return tuple(range(x.ndim))
    named = [axis] if isinstance(axis, (int, np.integer)) else list(axis)
    axes = sorted(_axis(int(a), x) for a in named)
    if len(set(axes)) < len(axes):
        raise GraphError(f"Axes {named} of {x.describe()} name one axis twice.")
    return tuple(axes)


declare(
    "dimshuffle",
    Dimshuffle,
    SAMPLED,
    Case(lambda x: dimshuffle(x, 1, 0), (Sample((3, 5)),), lambda x: x.T),
    Case(lambda x: dimshuffle(x, "x", 1, "x", 0), (Sample((3, 5)),), lambda x: x.T[None, :, None]),
    Case(lambda x: dimshuffle(x, 1), (Sample((1, 5), stretch=(0,)),), lambda x: x[0]),
    Case(lambda x: dimshuffle(x, "x"), (Sample(()),), lambda x: x[None]),
    Case(lambda x: transpose(x, (2, 0, 1)), (Sample((3, 0, 2)),), lambda x: x.transpose(2, 0, 1)),
    Case(lambda x: swapaxes(x, -1, 0), (Sample((3, 2, 4)),), lambda x: x.swapaxes(-1, 0)),
)

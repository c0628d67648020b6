"""Values passed on as they are, whose derivative or whose being watched is what matters.

Responsible for what happens on the way back; knows nothing of who looks at a watched value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.engine.graph.op import Composite, LengthSource
from workbench.engine.graph.ops.arithmetic import clip
from workbench.engine.graph.ops.registry import FLOATS, Case, Sample, declare, language
from workbench.engine.graph.ops.shape import zeros_like
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Variable


class Passing(Composite):
    """An operation that gives its input; lowering leaves nothing of it."""

    def infer_type(self, *types: TensorType) -> TensorType:
        """Keep the type."""
        return types[0]

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Keep the shape."""
        return shapes[0]

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the input."""
        return inputs[0], axis

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Give the input."""
        return arrays[0]

    def expand(self, *inputs: Variable) -> Variable:
        """Give the input."""
        return inputs[0]

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Pass the derivative on."""
        return [grad]


@attrs.frozen
class Watched(Passing):
    """A value that is shown at every call of a function that depends on it.

    Parameters
    ----------
    message
        What stands before it.
    attributes
        What of the array is shown: names of its attributes or methods.
    """

    name = "watched"
    message: str
    attributes: tuple[str, ...]


@attrs.frozen
class DisconnectedGrad(Passing):
    """A value on which a cost does not depend differentiably."""

    name = "disconnected_grad"

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Pass nothing on."""
        return [None]


@attrs.frozen
class ZeroGrad(Passing):
    """A value whose derivative is taken for 0."""

    name = "zero_grad"

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Pass zeros on."""
        return [zeros_like(grad)]


@attrs.frozen
class GradClip(Passing):
    """A value whose derivative is limited to a range."""

    name = "grad_clip"
    low: float
    high: float

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Limit the derivative."""
        return [clip(grad, self.low, self.high)]


@language
def watched(x: Any, message: str = "", attributes: Sequence[str] = ("__str__",)) -> Variable:
    """Return `x`, to be shown at every call; see `Watched`."""
    return Watched(message, tuple(attributes))(as_variable(x))


@language
def disconnected_grad(x: Any) -> Variable:
    """Return `x`, cut off from differentiation: a cost that depends on it only is disconnected."""
    return DisconnectedGrad()(as_variable(x))


@language
def zero_grad(x: Any) -> Variable:
    """Return `x` as if it were constant: its derivative is 0."""
    return ZeroGrad()(as_variable(x))


@language
def grad_clip(x: Any, low: float, high: float) -> Variable:
    """Return `x`; derivatives that pass through it are limited to the range."""
    return GradClip(float(low), float(high))(as_variable(x))


for _name, _op, _function, _true in (
    ("watched", Watched, watched, True),
    ("disconnected_grad", DisconnectedGrad, disconnected_grad, False),
    ("zero_grad", ZeroGrad, zero_grad, False),
    ("grad_clip", GradClip, lambda x: grad_clip(x, -1000, 1000), True),
):
    declare(
        _name,
        _op,
        FLOATS,
        *(
            Case(
                lambda x, function=_function: function(x.exp()).sqr(),
                (Sample(shape),),
                lambda x: np.exp(x) ** 2,
                differentiable=_true,
            )
            for shape in ((3, 5), (0, 4))
        ),
    )

"""The dense layer: weighted sums of all inputs.

Responsible for its parameters and its product; knows no activation, which is a layer of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import attrs

from workbench.engine.graph.types import Shape
from workbench.engine.graph.variable import Variable
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it
from workbench.nn.initializers import Initializer, Zeros
from workbench.nn.layers.base import Layer, Param
from workbench.spec.fields import boolean, integer, one_of
from workbench.spec.registries import INITIALIZERS, LAYERS


@LAYERS.add("dense")
@attrs.frozen
class Dense(Layer):
    """Weighted sums of all inputs: ``x W + b``. An input of several axes is flattened first.

    Shapes
    ------
    input : (batch, *in_shape)
    weight : (in, units), where in is the product of in_shape
    bias : (units,)
    output : (batch, units)
    """

    units: int = integer(
        minimum=1, maximum=1_000_000, label="Units", help="Number of weighted sums."
    )
    bias: bool = boolean(
        default=True, label="Bias", help="Whether a constant is added to each sum."
    )
    init: Initializer = one_of(
        INITIALIZERS, default="glorot", label="Start", help="First numbers of the weights."
    )

    def out_shape(self, in_shape: Shape) -> Shape:
        """Return one row of `units` numbers."""
        return (self.units,)

    def params(self, in_shape: Shape) -> dict[str, Param]:
        """Return the weight and, if there is one, the bias, which starts at zero."""
        weight = {"weight": Param((math.prod(in_shape), self.units), self.init)}
        return weight | ({"bias": Param((self.units,), Zeros())} if self.bias else {})

    def output(self, x: Variable, params: Mapping[str, Variable]) -> Variable:
        """Return ``x W + b``."""
        rows = x if x.ndim == 2 else T.flatten(x, 2)
        sums = T.dot(rows, params["weight"])
        return sums + params["bias"] if self.bias else sums

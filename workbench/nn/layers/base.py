"""What every layer is: parameters declared, output defined.

Responsible for those two duties; knows no particular layer and nothing of how a network is trained.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import attrs

from workbench.engine.graph.types import Shape
from workbench.engine.graph.variable import Variable
from workbench.nn.initializers import Initializer


@attrs.frozen
class Param:
    """One parameter of a layer: its shape and what it starts from.

    Raises
    ------
    SpecError
        The initialiser cannot fill that shape.
    """

    shape: Shape
    init: Initializer

    def __attrs_post_init__(self) -> None:
        self.init.check(self.shape)


class Layer(ABC):
    """One layer of a network.

    A subclass is an `attrs.frozen` class whose fields are made by `workbench.spec.fields`; it is
    registered with ``@LAYERS.add("name")``. A layer without parameters that keeps its input's shape
    defines `output` only.
    """

    def out_shape(self, in_shape: Shape) -> Shape:
        """Return the shape of one output, given that of one input.

        Raises
        ------
        SpecError
            The layer cannot take such an input.
        """
        return in_shape

    def params(self, in_shape: Shape) -> dict[str, Param]:
        """Return the parameters by name, in the order in which files list them."""
        return {}

    @abstractmethod
    def output(self, x: Variable, params: Mapping[str, Variable]) -> Variable:
        """Return the output as an expression.

        Parameters
        ----------
        x
            The input.
        params
            The layer's own parameters, by the names that `params` gave them.

        Shapes
        ------
        x : (batch, *in_shape); the first layer may get the same elements as (batch, features)
        output : (batch, *out_shape)
        """

"""Every activation as a layer without parameters.

Responsible for turning a registered function into a layer class; knows none of the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import attrs

from workbench.engine.graph.variable import Variable
from workbench.nn.layers.base import Layer
from workbench.spec.registries import ACTIVATIONS, LAYERS


class ActivationLayer(Layer):
    """A layer whose output is one function of its input."""

    function: ClassVar[Callable[[Variable], Variable]]

    def output(self, x: Variable, params: Mapping[str, Variable]) -> Variable:
        """Return the function of the input."""
        return type(self).function(x)


def _add_layer(name: str, function: Callable[[Variable], Variable]) -> None:
    body = {"function": function, "__doc__": function.__doc__}
    made = attrs.make_class(name, [], bases=(ActivationLayer,), class_body=body, frozen=True)
    LAYERS.add(name)(made)


ACTIVATIONS.watch(_add_layer)

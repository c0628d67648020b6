"""The walk through a network: the shape after each layer, its parameters, its error in place.

Responsible for finding out whether a network fits together; computes nothing.
"""

from __future__ import annotations

import math

import attrs

from workbench.core.errors import InputError, SpecError
from workbench.engine.graph.types import Shape
from workbench.nn.layers.base import Layer, Param
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS

#: Most parameters of one layer: two gigabytes in double precision.
MAX_PARAMETERS = 2**28


@attrs.frozen
class LayerShape:
    """What is known of one layer of a network.

    Parameters
    ----------
    out_shape
        Shape of one output, without the batch; None where it cannot be known.
    params
        Its parameters by name.
    error
        What is wrong with the layer, its `layer` set; None where nothing is.
    """

    out_shape: Shape | None
    params: dict[str, Param] = attrs.field(factory=dict)
    error: SpecError | None = None

    @property
    def parameter_count(self) -> int:
        """Number of elements of all parameters."""
        return sum(math.prod(param.shape) for param in self.params.values())


def walk(network: NetworkSpec, input_shape: Shape | None = None) -> list[LayerShape]:
    """Return what is known of each layer; behind one that is wrong nothing is.

    Parameters
    ----------
    network
        The stack of layers.
    input_shape
        Shape of one input, where it differs from the network's own.
    """
    shape: Shape | None = input_shape or network.input
    found = []
    for index, layer in enumerate(network.layers):
        step = LayerShape(None) if shape is None else _visit(index, layer, shape)
        found.append(step)
        shape = step.out_shape
    return found


def check(network: NetworkSpec, input_shape: Shape | None = None) -> list[LayerShape]:
    """Return what `walk` finds.

    Raises
    ------
    SpecError
        A layer is wrong; `layer` is its index.
    """
    found = walk(network, input_shape)
    for step in found:
        if step.error is not None:
            raise step.error
    return found


def parameters_of(network: NetworkSpec) -> dict[str, Param]:
    """Return every parameter of a network by its key ``"<index>.<name>"``, in the layers' order.

    Raises
    ------
    SpecError
        The network does not fit together.
    """
    return {
        f"{index}.{name}": param
        for index, step in enumerate(check(network))
        for name, param in step.params.items()
    }


def _visit(index: int, layer: Layer, in_shape: Shape) -> LayerShape:
    try:
        found = LayerShape(layer.out_shape(in_shape), layer.params(in_shape))
        _check_size(found)
    except InputError as error:
        place = f"layer {index + 1} ({LAYERS.name_of(layer)})"
        fault = SpecError(f"{place}: {error.message}", error.hint, layer=index)
        return LayerShape(None, error=fault)
    return found


def _check_size(found: LayerShape) -> None:
    if found.parameter_count > MAX_PARAMETERS:
        raise SpecError(
            f"{found.parameter_count:,} parameters are too many.",
            f"One layer may have {MAX_PARAMETERS:,}; use fewer units.",
        )

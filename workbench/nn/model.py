"""A network made real: parameters with numbers, and the output as an expression of them.

Responsible for the parameters' keys, first numbers and origin; knows no device and no training.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager

import attrs
import numpy as np

from workbench.core.errors import SpecError
from workbench.engine.graph.origin import made_by
from workbench.engine.graph.variable import SharedVariable, Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it
from workbench.nn.layers.base import Param
from workbench.nn.shapes import parameters_of
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS


@attrs.frozen(eq=False)
class Model:
    """A network with parameters.

    Parameters
    ----------
    network
        The spec it was made from.
    parameters
        The parameters by key, ``"<layer index from 0>.<name>"``, in the layers' order.
    """

    network: NetworkSpec
    parameters: dict[str, SharedVariable]

    @classmethod
    def from_spec(
        cls,
        network: NetworkSpec,
        seed: int,
        dtype: str,
        parameters: Mapping[str, np.ndarray] | None = None,
    ) -> Model:
        """Return a model of the network.

        Parameters
        ----------
        network
            The stack of layers.
        seed
            Decides the first numbers, together with each parameter's key.
        dtype
            ``"float32"`` or ``"float64"``.
        parameters
            Numbers to begin with instead, by key.

        Raises
        ------
        SpecError
            The network does not fit together, or `parameters` do not fit the network.
        """
        declared = parameters_of(network)
        if parameters is None:
            values = {key: _draw(param, seed, key) for key, param in declared.items()}
        else:
            values = _checked(parameters, declared)
        made = {}
        for key, value in values.items():
            index, _, name = key.partition(".")
            with _made_by(network, int(index)):
                made[key] = shared(value.astype(dtype), name=f"{name} of layer {int(index) + 1}")
        return cls(network, made)

    def output(self, x: Variable) -> Variable:
        """Return the network's output as an expression of its input.

        Parameters
        ----------
        x
            Floating-point inputs: the axes of `network.input`, or any others with as many elements.

        Shapes
        ------
        x : (batch, ...)
        output : (batch, *out_shape of the last layer)
        """
        return self.layer_outputs(x)[-1]

    def layer_outputs(self, x: Variable) -> list[Variable]:
        """Return the output of every layer, each an expression of the input `x`; see `output`."""
        outputs = []
        if x.ndim != 1 + len(self.network.input):
            x = T.reshape(x, (x.shape[0], *self.network.input))
        for index, layer in enumerate(self.network.layers):
            prefix = f"{index}."
            own = {
                key.removeprefix(prefix): parameter
                for key, parameter in self.parameters.items()
                if key.startswith(prefix)
            }
            with _made_by(self.network, index):
                x = layer.output(x, own)
            outputs.append(x)
        return outputs


def _made_by(network: NetworkSpec, index: int) -> AbstractContextManager[None]:
    return made_by(index, LAYERS.name_of(network.layers[index]))


def _draw(param: Param, seed: int, key: str) -> np.ndarray:
    # Each parameter has a stream of its own, so that another layer more changes nobody's numbers.
    of_key = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    stream = np.random.Philox(key=np.array([seed, of_key], dtype=np.uint64))
    return param.init.draw(np.random.Generator(stream), param.shape)


def _checked(
    parameters: Mapping[str, np.ndarray], declared: Mapping[str, Param]
) -> dict[str, np.ndarray]:
    if parameters.keys() != declared.keys():
        missing = sorted(declared.keys() - parameters.keys())
        unknown = sorted(parameters.keys() - declared.keys())
        raise SpecError(
            f"The parameters do not fit the network: missing {missing}, unknown {unknown}.",
            f"Give exactly {', '.join(declared) or 'none'}.",
        )
    for key, param in declared.items():
        if parameters[key].shape != param.shape:
            raise SpecError(
                f"Parameter {key!r} has shape {parameters[key].shape}.",
                f"The network needs {param.shape}.",
                layer=int(key.partition(".")[0]),
            )
    return {key: parameters[key] for key in declared}

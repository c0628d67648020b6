"""Every layer, by one call: shape, gradient, one step of training, and its form in a file."""

from __future__ import annotations

import json
from typing import Any

import attrs
import numpy as np
import pytest

from workbench.engine.graph.check import verify_grad
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.grad import grad
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it
from workbench.nn.layers.activation import ActivationLayer
from workbench.nn.layers.base import Layer
from workbench.nn.model import Model
from workbench.nn.objectives import squared_error
from workbench.nn.shapes import check
from workbench.spec import codec
from workbench.spec.fields import field_infos
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import ACTIVATIONS, LAYERS, OPTIMIZERS

#: Values for the fields that have no default.
_GIVEN = {"integer": 3, "number": 0.5, "boolean": True, "integers": (2, 3), "numbers": (0.5,)}


def _variants(name: str) -> list[Layer]:
    """Return a layer with its defaults, and one for every switch of it turned the other way."""
    cls = LAYERS[name]
    infos = field_infos(cls)
    plain = cls(**{i.name: _GIVEN[i.kind] for i in infos if i.default is attrs.NOTHING})
    switches = [i.name for i in infos if i.kind == "boolean"]
    return [plain, *(attrs.evolve(plain, **{s: not getattr(plain, s)}) for s in switches)]


_LAYERS = [layer for name in LAYERS for layer in _variants(name)]


def check_layer(layer: Layer, in_shape: tuple[int, ...], batch: int = 4) -> None:
    """Check one layer in every respect, at one input shape."""
    network = NetworkSpec(in_shape, (layer,))
    (found,) = check(network)
    model = Model.from_spec(network, seed=3, dtype="float64")
    rng = np.random.default_rng(5)
    for parameter in model.parameters.values():
        parameter.set_value(rng.normal(size=parameter.get_value().shape))
    x = Variable(TensorType("float64", (False,) * (1 + len(in_shape))), name="x")
    at = rng.uniform(0.2, 1.0, (batch, *in_shape)) * rng.choice([-1.0, 1.0], (batch, *in_shape))
    output = model.output(x)

    (value,) = evaluate([output], {x: at})
    assert value.shape == (batch, *(found.out_shape or ()))
    assert value.dtype == np.float64
    assert output.origin.layer == 0 or output is x
    # No data point sees another one.
    (alone,) = evaluate([output], {x: at[1:2]})
    np.testing.assert_allclose(alone, value[1:2], rtol=1e-12)

    own = [key.removeprefix("0.") for key in model.parameters]
    numbers = [parameter.get_value() for parameter in model.parameters.values()]

    def build(x: Variable, *given: Variable) -> Variable:
        return layer.output(x, dict(zip(own, given, strict=True)))

    verify_grad(build, [at, *numbers], rng)
    _check_training(model, x, at, output)
    assert codec.network_from_json(json.loads(json.dumps(codec.to_json(network)))) == network


def _check_training(model: Model, x: Variable, at: np.ndarray, output: Variable) -> None:
    """One small step of gradient ascent raises the score."""
    if not model.parameters:
        return
    (value,) = evaluate([output], {x: at})
    score = squared_error(T.flatten(output, 2), np.zeros(value.reshape(len(at), -1).shape))
    trained = list(model.parameters.values())
    rate = Variable(TensorType("float64"), name="rate")
    updates = OPTIMIZERS["sgd"]().updates(trained, grad(score, trained), rate)
    before, *new = evaluate([score, *(v for _, v in updates)], {x: at, rate: np.asarray(1e-4)})
    for (parameter, _), numbers in zip(updates, new, strict=True):
        parameter.set_value(numbers)
    (after,) = evaluate([score], {x: at})
    assert after > before


@pytest.mark.parametrize("layer", _LAYERS, ids=repr)
@pytest.mark.parametrize("in_shape", [(5,), (1,), (2, 3, 4)], ids=str)
def test_every_layer_is_right_in_every_respect(layer: Layer, in_shape: tuple[int, ...]) -> None:
    """Registered is tested."""
    check_layer(layer, in_shape)


@pytest.mark.parametrize("layer", _LAYERS, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_layer_keeps_the_precision(layer: Layer, dtype: str) -> None:
    """What goes in as float32 comes out as float32."""
    model = Model.from_spec(NetworkSpec((5,), (layer,)), seed=0, dtype=dtype)
    x = Variable(TensorType(dtype, (False, False)), name="x")
    assert model.output(x).dtype == dtype


def test_dense_is_the_product_of_the_flattened_input() -> None:
    """Rows in C order, weight (in, units), bias (units,)."""
    network = NetworkSpec((2, 3), (LAYERS["dense"](4),))
    model = Model.from_spec(network, seed=1, dtype="float64")
    rng = np.random.default_rng(2)
    bias = rng.normal(size=4)
    model.parameters["0.bias"].set_value(bias)
    at = rng.normal(size=(5, 2, 3))
    x = Variable(TensorType("float64", (False,) * 3), name="x")
    wanted = at.reshape(5, 6) @ model.parameters["0.weight"].get_value() + bias
    np.testing.assert_allclose(evaluate([model.output(x)], {x: at})[0], wanted, rtol=1e-13)


_FORMULAS: dict[str, Any] = {
    "linear": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
}


@pytest.mark.parametrize("name", _FORMULAS)
def test_activations_are_their_formulas(name: str) -> None:
    """And layers of the stack, which know how they are called."""
    x = Variable(TensorType("float64", (False, False)), name="x")
    at = np.random.default_rng(3).normal(size=(6, 5), scale=3)
    (value,) = evaluate([ACTIVATIONS[name](x)], {x: at})
    np.testing.assert_allclose(value, _FORMULAS[name](at), rtol=1e-12)
    layer = LAYERS[name]()
    assert isinstance(layer, ActivationLayer)
    assert type(layer).__doc__ == ACTIVATIONS[name].__doc__
    assert layer == LAYERS[name]()


def test_layers_of_different_activations_differ() -> None:
    """Though none of them has a field."""
    made = [LAYERS[name]() for name in ACTIVATIONS]
    assert all((a == b) == (a is b) for a in made for b in made)


def test_relu_has_half_a_slope_at_zero() -> None:
    """As Theano's ``0.5 (x + |x|)``."""
    x = Variable(TensorType("float64", (False,)), name="x")
    slope = grad(T.sum(ACTIVATIONS["relu"](x)), x)
    (value,) = evaluate([slope], {x: np.array([-1.0, 0.0, 1.0])})
    assert value.tolist() == [0.0, 0.5, 1.0]

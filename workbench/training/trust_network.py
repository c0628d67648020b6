"""Small networks, to check derivatives of whole networks by.

Responsible for one of every layer that comes along, and for one without; knows no device.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import attrs
import numpy as np

import workbench.nn.layers
from workbench.core.errors import SpecError
from workbench.engine.graph.grad import grad
from workbench.engine.graph.variable import Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it
from workbench.nn.layers.base import Layer
from workbench.nn.layers.dense import Dense
from workbench.nn.model import Model
from workbench.nn.objectives import log_likelihood
from workbench.spec.fields import field_infos
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS

#: One image: its sides are odd, and no pooling divides them.
_IMAGE = (2, 11, 13)
_BATCH, _CLASSES = 13, 5
#: Of a regression: more rows than one work-group takes.
_ROWS, _COLUMNS = 203, 45
#: Values for the fields of layers that have no default.
_GIVEN = {"integer": 7, "number": 0.5, "boolean": True, "integers": (2, 3), "numbers": (0.5,)}


def gradients(dtype: str) -> dict[str, Variable]:
    """Return the log-likelihood and its derivative by each parameter, by name."""
    network = stack()
    plain = Model.from_spec(network, 5, "float32").parameters
    numbers = {name: value.get_value().astype(dtype) for name, value in plain.items()}
    model = Model.from_spec(network, 5, dtype, numbers)
    random = np.random.default_rng(11)
    images = random.uniform(-1, 1, (_BATCH, *_IMAGE)).astype(np.float32).astype(dtype)
    labels = shared(random.integers(0, _CLASSES, _BATCH).astype(np.int32))
    score = log_likelihood(model.output(shared(images)), labels)
    trained = list(model.parameters.values())
    slopes = dict(zip(model.parameters, grad(score, trained), strict=True))
    return {"log-likelihood": score} | {
        f"{LAYERS.name_of(network.layers[int(name.split('.')[0])])} {name}": slope
        for name, slope in slopes.items()
    }


def regression(dtype: str) -> dict[str, Variable]:
    """Return the log-likelihood of a softmax regression on bytes, and its derivatives, by name.

    As a full batch it may be computed in one pass over the rows.
    """
    random = np.random.default_rng(13)
    rows = shared(random.integers(0, 256, (_ROWS, _COLUMNS)).astype(np.uint8))
    labels = shared(random.integers(0, _CLASSES, _ROWS).astype(np.int32))
    weight, bias = (
        shared(random.uniform(-0.5, 0.5, shape).astype(np.float32).astype(dtype))
        for shape in ((_COLUMNS, _CLASSES), (_CLASSES,))
    )
    scaled = T.cast(rows, dtype) * np.asarray(1 / 256, dtype)
    score = log_likelihood(T.softmax(T.dot(scaled, weight) + bias), labels)
    slopes = grad(score, [weight, bias])
    return dict(zip(("log-likelihood", "weight", "bias"), (score, *slopes), strict=True))


def stack() -> NetworkSpec:
    """Return a network of every layer that comes along."""
    layers: list[Layer] = []
    later: list[Layer] = []
    shape: tuple[int, ...] = _IMAGE
    for layer in map(_made, _names()):
        try:
            after = layer.out_shape(shape)
            wants_image = len(after) == len(_IMAGE) and after != shape
        except SpecError:
            wants_image = False
        if wants_image:
            layers.append(layer)
            shape = after
        else:
            later.append(layer)
    return NetworkSpec(_IMAGE, (*layers, *later, Dense(_CLASSES), LAYERS["softmax"]()))


def _names() -> list[str]:
    """Return the layers that come along; those of the user's plugins are the user's business."""
    for package in (workbench.nn, workbench.nn.layers):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)

    def module(layer: Any) -> str:
        # The class of an activation is made for it; whose it is, its function tells.
        return str(getattr(layer, "function", layer).__module__)

    return sorted(n for n in LAYERS if module(LAYERS[n]).startswith("workbench.nn."))


def _made(name: str) -> Layer:
    cls = LAYERS[name]
    missing = {i.name: _GIVEN[i.kind] for i in field_infos(cls) if i.default is attrs.NOTHING}
    layer: Layer = cls(**missing)
    return layer

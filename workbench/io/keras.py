"""Networks in Keras' words: the layers of a Sequential model, as Keras and Netron read them.

Responsible for which Keras class says the same as which of our layers, both ways; knows nothing of
HDF5, and makes nothing whose class is not named here.
"""

from __future__ import annotations

import math
import re
from itertools import chain, count
from typing import Any

import attrs

from workbench.core.errors import ModelFileError
from workbench.nn.shapes import check
from workbench.spec.codec import network_from_json, to_json
from workbench.spec.network import NetworkSpec

#: Activations that mean the same in Keras under the same name.
_ACTIVATIONS = ("linear", "sigmoid", "tanh", "relu", "softmax")
#: Names of the parameters of a dense layer in Keras; what has no name of its own there keeps ours.
_DENSE_WEIGHTS = {"weight": "kernel", "bias": "bias"}
_CLASSES = ("InputLayer", "Dense", "Activation", "Flatten")


@attrs.frozen
class KerasLayer:
    """One layer as Keras writes it.

    Parameters
    ----------
    name
        Its name in the file, different for each.
    class_name, config
        As in ``model_config``.
    weights
        For each of its weights, the name that Keras gives it and our key of the parameter, in
        Keras' order.
    """

    name: str
    class_name: str
    config: dict[str, Any]
    weights: tuple[tuple[str, str], ...] = ()


def keras_layers(network: NetworkSpec, precision: str) -> list[KerasLayer]:
    """Return the layers of `network` in Keras' words, the input first.

    Our dense layer flattens its input: as the first layer that is said by the shape of the input,
    elsewhere by a ``Flatten`` before it. A layer that Keras does not have keeps our name for it as
    ``Workbench>name``.

    Parameters
    ----------
    precision
        ``"float32"`` or ``"float64"``, the dtype that the layers declare.
    """
    written = to_json(network)["layers"]
    steps = check(network)
    shapes = [network.input, *(step.out_shape or () for step in steps)]
    flat = bool(written) and written[0]["layer"] == "dense"
    entered = (math.prod(network.input),) if flat else network.input
    made = [KerasLayer("input_1", "InputLayer", _input_config(entered, precision))]
    for index, (fields, step) in enumerate(zip(written, steps, strict=True)):
        is_dense = fields["layer"] == "dense"
        if is_dense and index > 0 and len(shapes[index]) > 1:
            made.append(_named("flatten", "Flatten", {"data_format": "channels_last"}, made))
        layer = _named(*_in_keras(fields), made)
        names = _DENSE_WEIGHTS if is_dense else {}
        weights = (
            (f"{layer.name}/{names.get(key, key)}:0", f"{index}.{key}") for key in step.params
        )
        made.append(attrs.evolve(layer, weights=tuple(weights)))
    common = {"trainable": True, "dtype": precision}
    return [made[0], *(attrs.evolve(row, config={**common, **row.config}) for row in made[1:])]


def model_config(layers: list[KerasLayer]) -> dict[str, Any]:
    """Return the ``model_config`` of a Sequential model of `layers`."""
    rows = [{"class_name": layer.class_name, "config": layer.config} for layer in layers]
    return {"class_name": "Sequential", "config": {"name": "workbench", "layers": rows}}


def network_of(config: dict[str, Any]) -> NetworkSpec:
    """Return the network that a ``model_config`` describes.

    Keras' ``Dense`` with an activation becomes two layers. An image of one channel that is
    flattened first stays an image: (28, 28) and (28, 28, 1) become (1, 28, 28), which our dense
    layer flattens in the same order.

    Raises
    ------
    ModelFileError
        The model is not Sequential, a class is not one of ours, or a layer does not mean the same
        here.
    SpecError
        A value is out of range.
    """
    rows = _rows(config)
    shape: list[int] | None = None
    flatten_first = False
    made: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        name, fields = _class_and_fields(row, index)
        place = f"layer {index + 1} ({name})"
        if shape is None:
            shape = _input_shape(fields, place)
        elif name == "InputLayer":
            raise ModelFileError(f"{place} is a second input.", _KNOWN)
        if name == "InputLayer":
            continue
        is_flat = bool(made) or flatten_first or len(shape) == 1
        if name == "Flatten":
            flatten_first |= not is_flat
            continue
        if not is_flat:
            raise ModelFileError(
                f"{place} works on an input of shape {tuple(shape)} that was not flattened.",
                "Put a Flatten layer before it.",
            )
        if name == "Dense":
            made.append(
                {
                    "layer": "dense",
                    "units": fields.get("units"),
                    "bias": fields.get("use_bias", True),
                }
            )
        activation = _activation(fields.get("activation"), place)
        if name == "Activation" or activation != "linear":
            made.append({"layer": activation})
    if shape is None:
        raise ModelFileError("it has no layers.", _KNOWN)
    if flatten_first:
        shape = _flattened(shape, bool(made) and made[0]["layer"] == "dense")
    return network_from_json({"format": 1, "input": shape, "layers": made})


_KNOWN = f"Give a Sequential model of the layers {', '.join(_CLASSES)}."


def _in_keras(fields: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Return the stem of the name, the class and the fields that Keras has for a layer of ours."""
    kind = fields["layer"]
    if kind == "dense":
        config: dict[str, Any] = {
            "units": fields["units"],
            "activation": "linear",
            "use_bias": fields["bias"],
            "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
            "bias_initializer": {"class_name": "Zeros", "config": {}},
            **dict.fromkeys(("kernel_regularizer", "bias_regularizer", "activity_regularizer")),
            **dict.fromkeys(("kernel_constraint", "bias_constraint")),
        }
        return "dense", "Dense", config
    if kind in _ACTIVATIONS:
        return "activation", "Activation", {"activation": kind}
    rest = {name: value for name, value in fields.items() if name != "layer"}
    return re.sub(r"\W", "_", kind), f"Workbench>{kind}", rest


def _named(
    stem: str, class_name: str, config: dict[str, Any], before: list[KerasLayer]
) -> KerasLayer:
    """Return a layer named as Keras would: the stem, or the stem with the first free number."""
    taken = {layer.name for layer in before}
    numbered = (f"{stem}_{number}" for number in count(1))
    name = next(name for name in chain([stem], numbered) if name not in taken)
    return KerasLayer(name, class_name, {"name": name, **config})


def _input_config(shape: tuple[int, ...], precision: str) -> dict[str, Any]:
    return {
        "batch_input_shape": [None, *shape],
        "dtype": precision,
        "sparse": False,
        "ragged": False,
        "name": "input_1",
    }


def _rows(config: dict[str, Any]) -> list[Any]:
    """Return the list of layers, which very old files hold without anything around it."""
    if config.get("class_name") != "Sequential":
        raise ModelFileError(f"it is a model of class {config.get('class_name')!r}.", _KNOWN)
    inner = config.get("config")
    rows = inner.get("layers") if isinstance(inner, dict) else inner
    if not isinstance(rows, list):
        raise ModelFileError("its model_config holds no list of layers.", _KNOWN)
    return rows


def _class_and_fields(row: Any, index: int) -> tuple[str, dict[str, Any]]:
    fields = row.get("config") if isinstance(row, dict) else None
    if not isinstance(fields, dict):
        raise ModelFileError(f"layer {index + 1} of its model_config is not a layer.", _KNOWN)
    name = row.get("class_name")
    if name not in _CLASSES:
        raise ModelFileError(
            f"layer {index + 1} is of class {name!r}, which is not known here.", _KNOWN
        )
    return name, fields


def _input_shape(fields: dict[str, Any], place: str) -> list[int]:
    """Return the shape of one input from the first layer, whichever way it says it."""
    shape = fields.get("batch_shape") or fields.get("batch_input_shape")
    if isinstance(shape, dict) and shape.get("class_name") == "__tuple__":
        shape = shape.get("items")
    if not isinstance(shape, list) or len(shape) < 2 or not all(type(n) is int for n in shape[1:]):
        raise ModelFileError(
            f"{place} does not say the shape of its input: got {shape!r}.",
            "Give a model whose first layer has a batch_input_shape, only its first length null.",
        )
    return shape[1:]


def _activation(value: Any, place: str) -> str:
    if isinstance(value, dict) and value.get("class_name") == "function":
        value = value.get("config")
    if value is None:
        return "linear"
    if value not in _ACTIVATIONS:
        raise ModelFileError(
            f"{place} has the activation {value!r}, which is not known here.",
            f"Known: {', '.join(_ACTIVATIONS)}.",
        )
    return str(value)


def _flattened(shape: list[int], before_dense: bool) -> list[int]:
    """Return the input of a network whose first layer was a Flatten."""
    pixels = shape[:-1] if len(shape) == 3 and shape[-1] == 1 else shape
    if before_dense and len(pixels) == 2:
        return [1, *pixels]
    return [math.prod(shape)]

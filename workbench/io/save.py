"""Saves model files: complete, verified, and in one step.

Responsible for laying a model out as Keras does, with what is ours beside it; the step itself is
`atomic`'s.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from workbench.core.errors import SaveError
from workbench.io.atomic import replace_file
from workbench.io.keras import keras_layers, model_config
from workbench.io.model_file import (
    FORMAT,
    HISTORY,
    MARK,
    MARK_TEXT,
    OURS,
    SLOTS,
    WEIGHTS,
    ModelFile,
)
from workbench.io.reader import inventory
from workbench.io.tree import DIGEST_NAME, Item, Tree, digest, to_image, with_groups
from workbench.nn.shapes import parameters_of
from workbench.spec.codec import to_json

#: Which Keras the files are written for: every later one reads them too.
_KERAS = {"keras_version": "2.15.0", "backend": "tensorflow"}


def save_model(path: str | os.PathLike[str], model: ModelFile) -> None:
    """Save `model` at `path` in one step, once the new bytes are on the disk and verified.

    Raises
    ------
    SaveError
        The model is not complete and finite, or the file cannot be written; what was there before
        is intact.
    SpecError
        The network does not fit together.
    """
    tree = _tree(model)
    tree[OURS] = Item({**tree[OURS].attributes, DIGEST_NAME: digest(tree)})
    replace_file(path, _verified_image(tree))


def _tree(model: ModelFile) -> Tree:
    """Return all that the file holds but its digest."""
    _check_parameters(model)
    precision = np.result_type(*model.parameters.values()).name if model.parameters else "float32"
    layers = keras_layers(model.network, precision)
    tree: Tree = {
        "/": Item({**_KERAS, MARK: MARK_TEXT, "model_config": json.dumps(model_config(layers))}),
        WEIGHTS: Item({**_KERAS, "layer_names": [layer.name for layer in layers[1:]]}),
        OURS: Item(_record(model)),
    }
    for layer in layers[1:]:
        group = f"{WEIGHTS}/{layer.name}"
        tree[group] = Item({"weight_names": [name for name, _ in layer.weights]})
        tree |= {
            f"{group}/{name}": Item(array=model.parameters[key]) for name, key in layer.weights
        }
    tree |= _arrays(SLOTS, model.slots, must_be_finite=True)
    tree |= _arrays(HISTORY, model.history, must_be_finite=False)
    return with_groups(tree)


def _record(model: ModelFile) -> dict[str, Any]:
    """Return the attributes of our group, each a JSON text; what is None is left out."""
    values = {
        "format": FORMAT,
        "network": to_json(model.network),
        "training": model.training and to_json(model.training),
        "data": model.data and to_json(model.data),
        "position": model.position,
        "receipt": model.receipt,
        "image_shape": model.image_shape,
        "classes": model.classes,
    }
    return {
        name: json.dumps(value, default=_plain)
        for name, value in values.items()
        if value is not None
    }


def _plain(value: object) -> object:
    """Return NumPy's numbers as Python's for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} cannot be kept in a model file")


def _check_parameters(model: ModelFile) -> None:
    expected = {key: param.shape for key, param in parameters_of(model.network).items()}
    given = {key: array.shape for key, array in model.parameters.items()}
    if given != expected:
        raise SaveError(
            f"The parameters {given} are not those of the network, {expected}.",
            "Save a network with its own parameters.",
        )
    for key, array in model.parameters.items():
        if array.dtype.name not in ("float32", "float64"):
            raise SaveError(
                f"The parameter {key} is of type {array.dtype}.", "Give float32 or float64."
            )
        _check_finite(key, array)


def _check_finite(name: str, array: np.ndarray) -> None:
    if not np.isfinite(array).all():
        raise SaveError(
            f"{name} holds numbers that are not finite, so the model was not saved.",
            "What was saved before is intact; train with a smaller rate.",
        )


def _arrays(group: str, arrays: Mapping[str, np.ndarray], must_be_finite: bool) -> Tree:
    tree: Tree = {group: Item()}
    for name, values in arrays.items():
        array = np.asarray(values)
        if not name or "/" in name or name == "." or array.dtype.kind not in "fiu":
            raise ValueError(f"{name!r} of type {array.dtype} cannot be kept in {group}")
        if must_be_finite:
            _check_finite(name, array)
        tree[f"{group}/{name}"] = Item(array=array)
    return tree


def _verified_image(tree: Tree) -> bytes:
    """Return the bytes of the file after reading all of them back."""
    image = to_image(tree)
    with h5py.File(io.BytesIO(image), "r") as file:
        written: Tree = {}
        for entry in inventory(file):
            path = entry["path"]
            array = file[path][()] if entry["kind"] == "dataset" else None
            written[path] = Item(entry["attributes"], array)
    if digest(written) != digest(tree):
        raise SaveError("The file did not hold what was to be saved.", "Try again.")
    return image

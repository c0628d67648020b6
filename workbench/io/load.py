"""Loads model files, ours and Keras', without trusting them.

Responsible for which network a file means and for its digest; what a file may hold at all is
checked elsewhere, and HDF5 is read in a process of its own.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import ModelFileError, WorkbenchError
from workbench.core.paths import plugin_folder
from workbench.io.admission import COPY, admit, check_finite, json_value, place_weights, read_arrays
from workbench.io.child import ChildReader, Entry, Source
from workbench.io.keras import network_of
from workbench.io.model_file import FORMAT, HISTORY, MARK, OURS, SLOTS, ModelFile
from workbench.io.tree import DIGEST_NAME, Item, digest
from workbench.spec.codec import data_from_json, network_from_json, training_from_json
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def load_model(path: str | os.PathLike[str]) -> ModelFile:
    """Return what the model file at `path` holds.

    A file of ours must hold exactly what its digest covers; `ModelFile.verified` is then True. A
    Sequential model that Keras wrote is read if each of its layers is one of ours; it is not
    verified.

    Raises
    ------
    ModelFileError
        The file is missing, damaged or refused; the message says why.
    """
    path = Path(path)
    try:
        size = _size(path)
        with ChildReader(path, size) as source:
            return read_model(source, size)
    except WorkbenchError as error:
        raise ModelFileError(
            f"{path} is refused: {error.message}", error.hint, error.layer
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelFileError(
            f"{path} cannot be read: {reason}.", "Give the path of a model file."
        ) from error


def read_model(source: Source, size_bytes: int) -> ModelFile:
    """Return what the file behind `source` holds; `size_bytes` is the size of the file.

    Raises
    ------
    ModelFileError, SpecError
        The file is refused.
    """
    entries = admit(source)
    root = entries["/"].attributes
    config = json_value(root.get("model_config"), "model_config", dict)
    if OURS in entries or MARK in root:
        return _ours(source, entries, size_bytes)
    network = network_of(config)
    weights = place_weights(entries, network)
    arrays = read_arrays(source, [entries[path] for path in weights.values()], size_bytes)
    image_shape = network.input if len(network.input) == 3 else None
    return ModelFile(network, _parameters(weights, arrays), image_shape=image_shape)


def _size(path: Path) -> int:
    """Return the size of a file that may be HDF5."""
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise ModelFileError("it is not a file.", "Give the path of a model file.")
    with path.open("rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            raise ModelFileError(
                "it is not an HDF5 file.", "Give a model that the workbench or Keras saved."
            )
    return about.st_size


def _ours(source: Source, entries: Mapping[str, Entry], size_bytes: int) -> ModelFile:
    """Return what a file of ours holds, all of which its digest covers."""
    record = _record(entries)
    network = _network(record["network"])
    weights = place_weights(entries, network)
    paths = {path for path, entry in entries.items() if entry.kind == "dataset"}
    for path in sorted(paths - set(weights.values())):
        if path.rpartition("/")[0] not in (SLOTS, HISTORY):
            raise ModelFileError(f"it is damaged: {path} is none of the model's arrays.", COPY)
    arrays = read_arrays(source, [entries[path] for path in sorted(paths)], size_bytes)
    tree = {path: Item(entry.attributes, arrays.get(path)) for path, entry in entries.items()}
    if digest(tree) != entries[OURS].attributes.get(DIGEST_NAME):
        raise ModelFileError("it is damaged: its contents do not match its SHA-256.", COPY)
    training, data, shape = (record.get(name) for name in ("training", "data", "image_shape"))
    if shape is not None and not all(type(n) is int and n > 0 for n in shape):
        raise ModelFileError(f"its image_shape is {shape!r}.", COPY)
    slots = _group(arrays, SLOTS)
    check_finite(slots)
    return ModelFile(
        network,
        _parameters(weights, arrays),
        training=None if training is None else training_from_json(training),
        data=None if data is None else data_from_json(data),
        history=_group(arrays, HISTORY),
        position=record["position"],
        slots=slots,
        receipt=record["receipt"],
        image_shape=None if shape is None else tuple(shape),
        classes=record.get("classes"),
        verified=True,
    )


def _record(entries: Mapping[str, Entry]) -> dict[str, Any]:
    """Return the values of our group."""
    if OURS not in entries:
        raise ModelFileError(f"it is damaged: the group {OURS} is missing.", COPY)
    attributes = entries[OURS].attributes
    version = json_value(attributes.get("format"), "format", int)
    if version != FORMAT:
        raise ModelFileError(f"it is of format {version}, not {FORMAT}.", "Update the workbench.")
    kinds: dict[str, type] = {"network": dict, "position": dict, "receipt": dict}
    perhaps = {"training": dict, "data": dict, "image_shape": list, "classes": int}
    kinds |= {name: kind for name, kind in perhaps.items() if name in attributes}
    return {name: json_value(attributes.get(name), name, kind) for name, kind in kinds.items()}


def _network(written: dict[str, Any]) -> NetworkSpec:
    layers = written.get("layers")
    for index, layer in enumerate(layers if isinstance(layers, list) else []):
        name = layer.get("layer") if isinstance(layer, dict) else None
        if isinstance(name, str) and name not in LAYERS:
            raise ModelFileError(
                f"layer {index + 1} is {name!r}, which is not known here.",
                f"If a plugin brings it, put its file into {plugin_folder()}.",
                layer=index,
            )
    return network_from_json(written)


def _group(arrays: Mapping[str, np.ndarray], group: str) -> dict[str, np.ndarray]:
    prefix = f"{group}/"
    return {
        path.removeprefix(prefix): array.astype(array.dtype.newbyteorder("="))
        for path, array in arrays.items()
        if path.startswith(prefix)
    }


def _parameters(
    weights: Mapping[str, str], arrays: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the parameters by key as float32, or as float64 where they are stored so."""
    parameters = {key: arrays[path] for key, path in weights.items()}
    check_finite(parameters)
    return {
        key: array.astype("float64" if array.dtype.itemsize > 4 else "float32")
        for key, array in parameters.items()
    }

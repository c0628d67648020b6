"""What a file may hold before any of its arrays is read, and how much is read then.

Responsible for every check that is made of an inventory; knows neither HDF5 nor what becomes of the
arrays.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from itertools import count, groupby, takewhile
from typing import Any

import numpy as np

from workbench.core.errors import ModelFileError
from workbench.io.child import Entry, Source
from workbench.io.model_file import WEIGHTS
from workbench.nn.shapes import parameters_of
from workbench.spec.network import NetworkSpec

#: Most bytes of all arrays of a file together.
MAX_BYTES = 1 << 32
#: Most bytes of one text of JSON, and most levels in it.
MAX_JSON_BYTES = 1_000_000
MAX_JSON_DEPTH = 20

#: HDF5's numbers of the filters that only compress, and the most that they can.
_FILTERS = {1: "deflate", 32000: "lzf"}
_LARGEST_RATIO = 1100

_FLOATS = tuple(f"{order}f{size}" for order in "<>" for size in (2, 4, 8))
_INTEGERS = tuple(f"{order}{kind}{n}" for order in "<>" for kind in "iu" for n in (2, 4, 8))
_NUMBERS = (*_FLOATS, *_INTEGERS, "|i1", "|u1")

COPY = "Take another copy of the file."
RESAVE = "Save the model again with the workbench or with Keras."


def admit(source: Source) -> dict[str, Entry]:
    """Return the inventory by path after refusing whatever no model needs."""
    found = source.inventory()
    entries = {entry.path: entry for entry in found}
    if len(entries) < len(found) or "/" not in entries:
        raise ModelFileError("it is damaged: two of its objects have one name.", COPY)
    for path, entry in entries.items():
        if entry.kind not in ("group", "dataset"):
            raise ModelFileError(f"{path} is a {entry.kind}, which may lead anywhere.", RESAVE)
        if entry.external or entry.layout == "virtual":
            raise ModelFileError(f"{path} takes its numbers from another file.", RESAVE)
        if not set(entry.filters) <= set(_FILTERS):
            names = ", ".join(_FILTERS.values())
            raise ModelFileError(
                f"{path} passed HDF5's filters {list(entry.filters)}; only {names} are read.",
                RESAVE,
            )
    return entries


def json_value(text: object, name: str, kind: type) -> Any:
    """Return the value of kind `kind` that an attribute holds as JSON."""
    if not isinstance(text, str):
        raise ModelFileError(f"it holds no {name}.", RESAVE)
    if len(text) > MAX_JSON_BYTES:
        raise ModelFileError(f"its {name} is longer than {MAX_JSON_BYTES} bytes.", RESAVE)
    depth = deepest = 0
    for bracket in re.findall(r"[][{}]", re.sub(r'"(?:[^"\\]|\\.)*"', "", text, flags=re.DOTALL)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    if deepest > MAX_JSON_DEPTH:
        raise ModelFileError(f"its {name} is nested deeper than {MAX_JSON_DEPTH} levels.", RESAVE)
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ModelFileError(f"its {name} is not JSON: {error}.", COPY) from error
    if not isinstance(value, kind):
        raise ModelFileError(f"its {name} is not what it should be: got {text[:60]!r}.", COPY)
    return value


def place_weights(entries: Mapping[str, Entry], network: NetworkSpec) -> dict[str, str]:
    """Return the path of each parameter's dataset, matched by position as Keras does, checked."""
    declared = parameters_of(network)
    layers = [list(keys) for _, keys in groupby(declared, key=lambda key: key.partition(".")[0])]
    groups = [f"{WEIGHTS}/{name}" for name in _names(entries, WEIGHTS, "layer_names")]
    found = [
        [f"{group}/{name}" for name in _names(entries, group, "weight_names")] for group in groups
    ]
    found = [paths for paths in found if paths]
    if [len(keys) for keys in layers] != [len(paths) for paths in found]:
        raise ModelFileError(
            f"it holds {sum(map(len, found))} weights in {len(found)} layers, "
            f"where its network has {len(declared)} in {len(layers)}.",
            COPY,
        )
    keys = [key for layer in layers for key in layer]
    placed = dict(zip(keys, [path for paths in found for path in paths], strict=True))
    for key, path in placed.items():
        entry = entries.get(path)
        if entry is None or entry.kind != "dataset":
            raise ModelFileError(f"it is damaged: the weights {path} are missing.", COPY)
        shape = declared[key].shape
        if entry.shape != shape or entry.dtype not in _FLOATS:
            raise ModelFileError(
                f"{path} is {entry.dtype}{entry.shape}, where its network needs float{shape}.", COPY
            )
    return placed


def _names(entries: Mapping[str, Entry], group: str, attribute: str) -> list[str]:
    """Return a list of names, which Keras splits over numbered attributes where it is long."""
    if group not in entries:
        raise ModelFileError(f"it holds no {group}.", RESAVE)
    attributes = entries[group].attributes
    numbered = takewhile(attributes.__contains__, (f"{attribute}{n}" for n in count()))
    names = []
    for part in [attribute] if attribute in attributes else [*numbered] or [attribute]:
        value = attributes.get(part)
        if not isinstance(value, list):
            raise ModelFileError(f"{group} has no {part}.", RESAVE)
        names += value
    return names


def read_arrays(source: Source, entries: list[Entry], size_bytes: int) -> dict[str, np.ndarray]:
    """Return the arrays, read-only, after checking that the file can hold what it declares."""
    wanted = [(entry.path, _bytes(entry)) for entry in entries]
    total = sum(size for _, size in wanted)
    if total > MAX_BYTES:
        raise ModelFileError(f"its arrays take {total} bytes, more than {MAX_BYTES}.", RESAVE)
    if sum(entry.stored_bytes for entry in entries) > size_bytes:
        raise ModelFileError("it is damaged: its arrays take more than the file.", COPY)
    parts = source.read(wanted)
    return {
        entry.path: np.ndarray(entry.shape or (), entry.dtype, part)
        for entry, part in zip(entries, parts, strict=True)
    }


def _bytes(entry: Entry) -> int:
    """Return the size of a dataset's elements, which it must really hold."""
    if entry.shape is None or entry.dtype not in _NUMBERS:
        raise ModelFileError(f"{entry.path} holds no numbers.", RESAVE)
    size = math.prod(entry.shape) * np.dtype(entry.dtype).itemsize
    most = entry.stored_bytes * (_LARGEST_RATIO if entry.filters else 1)
    if size > most:
        raise ModelFileError(
            f"{entry.path} declares {size} bytes and stores {entry.stored_bytes}.", COPY
        )
    return size


def check_finite(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse arrays that hold NaN or infinity."""
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ModelFileError(f"its {name} holds numbers that are not finite.", COPY)

"""The contents of a model file as plain values, groups and arrays by path, and their digest.

Responsible for turning that tree into the bytes of an HDF5 file, and for the one digest that covers
all of it; knows nothing of networks, and never reads a file.

The digest is a SHA-256 that depends on what the file says and not on how HDF5 lays it out. It is
taken over every object (group or dataset) in the order of their paths, compared as UTF-8. For each
object these bytes:

1. one line of JSON without spaces, in ASCII, ended by a line feed:
   ``[path, kind, dtype, shape, attributes]``, where `kind` is ``"group"`` or ``"dataset"``; `dtype`
   is NumPy's string, little end first (``"<f4"``), and `shape` a list of lengths, both ``null`` for
   a group; `attributes` is a list of ``[name, value]`` sorted by name, where `value` is a string or
   a list of strings, and ``null`` for whatever is neither;
2. for a dataset, its elements in C order, little end first.

The root is ``"/"``. The attribute ``sha256`` of ``/workbench``, which holds the digest in
hexadecimal, is left out.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

import attrs
import h5py
import numpy as np

#: What an attribute may hold; None stands for anything else.
Attribute = str | list[str] | None

#: Where the digest is kept.
DIGEST_GROUP, DIGEST_NAME = "/workbench", "sha256"


@attrs.frozen(eq=False)
class Item:
    """A group, or a dataset if it has an array, with its attributes."""

    attributes: Mapping[str, Attribute] = attrs.field(factory=dict)
    array: np.ndarray | None = None


#: Every object of a file by its path, the root ``"/"`` included.
Tree = dict[str, Item]


def little_endian(array: np.ndarray) -> np.ndarray:
    """Return the array in C order, little end first; itself where it is so already."""
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def with_groups(tree: Tree) -> Tree:
    """Return the tree with the groups that its paths pass through."""
    whole = {"/": tree.get("/", Item())}
    for path, item in tree.items():
        steps = path.split("/")
        for depth in range(2, len(steps)):
            whole.setdefault("/".join(steps[:depth]), Item())
        whole[path] = item
    return whole


def digest(tree: Tree) -> str:
    """Return the SHA-256 of everything in `tree` but the digest itself, in hexadecimal."""
    sha = hashlib.sha256()
    for path in sorted(tree, key=lambda path: path.encode("utf-8", "surrogateescape")):
        item = tree[path]
        attributes = sorted(
            [name, value]
            for name, value in item.attributes.items()
            if (path, name) != (DIGEST_GROUP, DIGEST_NAME)
        )  # fmt: skip
        head: list[Any] = [path, "group", None, None, attributes]
        if item.array is not None:
            array = little_endian(item.array)
            head[1:4] = ["dataset", array.dtype.str, list(array.shape)]
        sha.update(json.dumps(head, separators=(",", ":")).encode() + b"\n")
        if item.array is not None:
            sha.update(array.data)
    return sha.hexdigest()


def to_image(tree: Tree) -> bytes:
    """Return the bytes of an HDF5 file that holds `tree`.

    The form is the one that every reader of Keras files knows: groups without creation order,
    strings of variable length, contiguous datasets without filters.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for path, item in tree.items():
            if item.array is None:
                target = file.require_group(path)
            else:
                target = file.create_dataset(path, data=little_endian(item.array))
            for name, value in item.attributes.items():
                _write_attribute(target, name, value)
    return buffer.getvalue()


def _write_attribute(target: Any, name: str, value: Attribute) -> None:
    if value == []:
        # What Keras writes for no names at all.
        target.attrs.create(name, np.zeros(0))
    else:
        target.attrs.create(name, value, dtype=h5py.string_dtype("utf-8"))

"""Reads one HDF5 file: what is in it, then the arrays that are asked for.

Responsible for every call that touches HDF5 in a file that came from elsewhere, and meant to run as
a script in a process of its own, because a damaged file can crash or hang the HDF5 library; decides
nothing, and imports nothing of ours so that it starts fast.

As a script it is given a path, a memory limit in bytes and a limit of processor time in seconds. It
writes the length of a JSON text (8 bytes, little end first) and the text, then reads one line of
JSON, the list of datasets that are wanted, and writes their elements, one after the other, with
nothing between.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

#: Most groups, datasets and links in one file.
MAX_OBJECTS = 10_000
#: Most attributes of one object, and most strings in one attribute.
MAX_ITEMS = 10_000
#: Most bytes of one attribute, as text in UTF-8.
MAX_ATTRIBUTE_BYTES = 1_000_000
#: Most bytes of all paths and attributes together.
MAX_TEXT_BYTES = 16_000_000

_SLAB_BYTES = 1 << 24
_LAYOUTS = {
    h5py.h5d.CONTIGUOUS: "contiguous",
    h5py.h5d.CHUNKED: "chunked",
    h5py.h5d.COMPACT: "compact",
}


class Refused(Exception):
    """The file holds more than any model does."""


def inventory(file: h5py.File) -> list[dict[str, Any]]:
    """Return one record an object of `file`: path, kind, attributes, and the form of a dataset.

    Links other than hard ones are recorded and never followed; so is a second link to the same
    object.

    Raises
    ------
    Refused
        There are too many objects, or too much text in the attributes.
    """
    records: list[dict[str, Any]] = []
    seen: set[int] = set()
    pending: list[tuple[str, Any]] = [("/", file["/"])]
    text_bytes = 0
    while pending:
        path, item = pending.pop()
        record: dict[str, Any] = {"path": path}
        records.append(record)
        text_bytes += len(path)
        if text_bytes > MAX_TEXT_BYTES:
            raise Refused(f"its names and attributes take more than {MAX_TEXT_BYTES} bytes")
        if isinstance(item, str):
            record["kind"] = item
            continue
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:
            record["kind"] = "second link"
            continue
        seen.add(address)
        record["attributes"], size = _attributes(item, path)
        text_bytes += size
        if isinstance(item, h5py.Group):
            record["kind"] = "group"
            if len(records) + len(pending) + len(item) > MAX_OBJECTS:
                raise Refused(f"it holds more than {MAX_OBJECTS} objects")
            pending += [(f"{path.rstrip('/')}/{name}", _member(item, name)) for name in item]
        elif isinstance(item, h5py.Dataset):
            record.update(_form(item), kind="dataset")
        else:
            record["kind"] = "named type"
    return records


def elements(dataset: h5py.Dataset) -> Iterator[np.ndarray]:
    """Yield the elements of `dataset` in C order, some rows at a time to keep memory small."""
    if dataset.nbytes <= _SLAB_BYTES:
        yield np.ascontiguousarray(dataset[()])
        return
    rows = max(1, _SLAB_BYTES * len(dataset) // dataset.nbytes)
    for start in range(0, len(dataset), rows):
        yield np.ascontiguousarray(dataset[start : start + rows])


def _member(group: h5py.Group, name: str) -> Any:
    """Return the object that a hard link leads to, or what other kind of link it is."""
    link = group.get(name, getlink=True)
    if isinstance(link, h5py.SoftLink):
        return "soft link"
    if isinstance(link, h5py.ExternalLink):
        return "external link"
    return group[name]


def _attributes(item: Any, path: str) -> tuple[dict[str, Any], int]:
    """Return the attributes, strings and lists of strings else None, and their bytes of text."""
    if len(item.attrs) > MAX_ITEMS:
        raise Refused(f"{path} has more than {MAX_ITEMS} attributes")
    values: dict[str, Any] = {}
    total = 0
    for name in item.attrs:
        value = _attribute(item, name)
        size = sum(
            len(text.encode("utf-8", "surrogateescape"))
            for text in ([value] if isinstance(value, str) else value or ())
        )
        if size > MAX_ATTRIBUTE_BYTES:
            raise Refused(
                f"the attribute {name} of {path} is longer than {MAX_ATTRIBUTE_BYTES} bytes"
            )
        values[name] = value
        total += size + len(name)
    return values, total


def _attribute(item: Any, name: str) -> str | list[str] | None:
    handle = item.attrs.get_id(name)
    space = handle.get_space()
    if space.get_simple_extent_type() == h5py.h5s.NULL or space.get_simple_extent_ndims() > 1:
        return None
    count = space.get_simple_extent_npoints()
    if count == 0:
        # Keras writes an empty list of names as numbers, so the type of what is not there says
        # nothing.
        return []
    if handle.get_type().get_class() != h5py.h5t.STRING:
        return None
    if count > MAX_ITEMS or handle.get_storage_size() > MAX_ATTRIBUTE_BYTES:
        raise Refused(
            f"the attribute {name} of {item.name} is longer than {MAX_ATTRIBUTE_BYTES} bytes"
        )
    value = item.attrs[name]
    if isinstance(value, np.ndarray):
        return [_text(part) for part in value.tolist()]
    return _text(value)


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _form(dataset: h5py.Dataset) -> dict[str, Any]:
    """Return what can be known of a dataset before it is read."""
    made = dataset.id.get_create_plist()
    is_number = dataset.id.get_type().get_class() in (h5py.h5t.INTEGER, h5py.h5t.FLOAT)
    return {
        "shape": None if dataset.shape is None else list(dataset.shape),
        "dtype": dataset.dtype.str if is_number else None,
        "layout": _LAYOUTS.get(made.get_layout(), "virtual"),
        "filters": [made.get_filter(i)[0] for i in range(made.get_nfilters())],
        "external": made.get_external_count(),
        "stored_bytes": dataset.id.get_storage_size(),
    }


def _limit(memory_bytes: int, processor_s: int) -> None:
    try:
        import resource
    except (
        ImportError
    ):  # Windows has no such limits; that of the parent's clock stands there alone.
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (processor_s, processor_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _main(path: str, memory_bytes: str, processor_s: str) -> None:
    _limit(int(memory_bytes), int(processor_s))
    out = sys.stdout.buffer
    with h5py.File(path, "r") as file:
        try:
            answer: dict[str, Any] = {"objects": inventory(file)}
        except Refused as refusal:
            answer = {"refused": str(refusal)}
        text = json.dumps(answer).encode()
        out.write(len(text).to_bytes(8, "little") + text)
        out.flush()
        for wanted in json.loads(sys.stdin.readline() or "[]"):
            for part in elements(file[wanted]):
                out.write(part.data)
        out.flush()


if __name__ == "__main__":
    _main(*sys.argv[1:])

"""Model files read without a child process.

For files that a test made itself, and inside children of the tests that may die of what they read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import h5py
import numpy as np

from workbench.core.errors import ModelFileError
from workbench.io.child import Entry
from workbench.io.load import read_model
from workbench.io.model_file import ModelFile
from workbench.io.reader import Refused, elements, inventory
from workbench.spec.codec import to_json


class Here:
    """A source like `ChildReader`; where the child would have died, it raises as that does."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def inventory(self) -> list[Entry]:
        try:
            with h5py.File(self.path, "r") as file:
                records = json.loads(json.dumps(inventory(file)))
        except Refused as refusal:
            raise ModelFileError(f"{refusal}.") from refusal
        except Exception as error:
            raise ModelFileError(f"the child died of {error!r}") from error
        return [Entry(**record) for record in records]

    def read(self, wanted: Sequence[tuple[str, int]]) -> Iterator[bytes]:
        try:
            with h5py.File(self.path, "r") as file:
                for path, size in wanted:
                    content = b"".join(part.tobytes() for part in elements(file[path]))
                    assert len(content) == size
                    yield content
        except Exception as error:
            raise ModelFileError(f"the child died of {error!r}") from error


def read_here(path: Path) -> ModelFile:
    """Return what `load_model` would."""
    return read_model(Here(path), path.stat().st_size)


def fingerprint(model: ModelFile) -> str:
    """Return a hash of every field of a model, every bit of its arrays."""
    sha = hashlib.sha256()
    for field in attrs.fields(ModelFile):
        value = getattr(model, field.name)
        sha.update(f"\n{field.name}: ".encode())
        if field.name in ("parameters", "slots", "history"):
            for name in sorted(value):
                array = np.ascontiguousarray(value[name])
                sha.update(f"{name} {array.dtype.str} {value[name].shape} ".encode())
                sha.update(array.tobytes())
        else:
            plain = to_json(value) if attrs.has(type(value)) else value
            sha.update(json.dumps(plain, sort_keys=True).encode())
    return sha.hexdigest()

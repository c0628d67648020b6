"""Parameters as a ``.npz`` file, out and in, for use with NumPy.

Responsible for that form and for what such a file may hold; knows no model file and never
unpickles.
"""

from __future__ import annotations

import io
import math
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import ModelFileError
from workbench.io.atomic import replace_file
from workbench.nn.shapes import parameters_of
from workbench.spec.network import NetworkSpec

_FORM = "Give a .npz of the network's parameters, as `workbench export` writes."
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError)


def export_parameters(path: str | os.PathLike[str], parameters: Mapping[str, np.ndarray]) -> None:
    """Write the parameters to `path`, one array each under its key, in one step.

    Raises
    ------
    SaveError
        The file cannot be written; what was there before is intact.
    """
    buffer = io.BytesIO()
    named: dict[str, Any] = dict(parameters)
    np.savez(buffer, **named)
    replace_file(path, buffer.getvalue())


def import_parameters(path: str | os.PathLike[str], network: NetworkSpec) -> dict[str, np.ndarray]:
    """Return the parameters of `network` that the file at `path` holds.

    Only what the network declares is ever unpacked, so that a file cannot fill the memory.

    Raises
    ------
    ModelFileError
        The file is missing, damaged, or its arrays are not those of the network; the message names
        them.
    SpecError
        The network does not fit together.
    """
    path = Path(path)
    shapes = {key: param.shape for key, param in parameters_of(network).items()}
    try:
        with zipfile.ZipFile(path) as archive:
            _check_names(archive, set(shapes))
            return {key: _array(archive, key, shape) for key, shape in shapes.items()}
    except ModelFileError as error:
        raise ModelFileError(f"{path} is refused: {error.message}", error.hint) from error
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}.", _FORM) from error
    except _DAMAGED as error:
        raise ModelFileError(
            f"{path} is refused: it is damaged or not a .npz file.", _FORM
        ) from error


def _check_names(archive: zipfile.ZipFile, expected: set[str]) -> None:
    names = [name.removesuffix(".npy") for name in archive.namelist()]
    missing, unknown = sorted(expected - set(names)), sorted(set(names) - expected)
    if missing or unknown or len(names) > len(expected):
        raise ModelFileError(
            f"it has {_listed(unknown)} that the network has not, and lacks {_listed(missing)}.",
            f"The network's parameters are {_listed(sorted(expected))}.",
        )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "") if names else "nothing"


def _array(archive: zipfile.ZipFile, key: str, expected: tuple[int, ...]) -> np.ndarray:
    with archive.open(f"{key}.npy") as file:
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, in_columns, dtype = read(file)
        if shape != expected or dtype.kind != "f":
            raise ModelFileError(
                f"{key} is {dtype}{shape}, where the network needs float{expected}.", _FORM
            )
        size = math.prod(shape) * dtype.itemsize
        content = file.read(size)
        if len(content) < size or file.read(1):
            raise ModelFileError(f"{key} is not as long as it says.", _FORM)
    array = np.frombuffer(content, dtype).reshape(shape, order="F" if in_columns else "C")
    if not np.isfinite(array).all():
        raise ModelFileError(f"{key} holds numbers that are not finite.", "Give finite parameters.")
    return array.astype("float64" if dtype.itemsize > 4 else "float32", order="C")

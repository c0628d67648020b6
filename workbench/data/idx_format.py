"""Reads the IDX format of MNIST and its siblings, packed with gzip or not.

Responsible for turning any file at all into an array or a `DataError`, without trusting what its
header promises; knows nothing of datasets.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import zlib
from pathlib import Path
from typing import BinaryIO

import attrs
import numpy as np

from workbench.core.errors import DataError

_UNSIGNED_BYTES = 0x08
_LARGEST_BYTES = 2**30
# No deflate stream unpacks to more than 1032 times its size.
_DEFLATE_RATIO = 1032
_PIECE_BYTES = 2**20
_AGAIN = "Copy or download the file again."


@attrs.frozen(eq=False)
class Idx:
    """Contents of one IDX file.

    Parameters
    ----------
    array
        uint8, read-only.
    sha256
        Of the unpacked bytes, header included.
    """

    array: np.ndarray
    sha256: str


def read_path(path: Path, ndim: int) -> Idx:
    """Return the contents of the IDX file at `path`.

    Raises
    ------
    DataError
        The file is missing, unreadable, damaged, or no IDX file of bytes with `ndim` axes.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}.", "Check the path.")
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size, str(path), ndim)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.", _AGAIN) from error


def read_bytes(data: bytes, where: str, ndim: int) -> Idx:
    """Return the contents of an IDX file that is in memory; `where` is what messages call it."""
    return _read(io.BytesIO(data), len(data), where, ndim)


def _read(file: BinaryIO, size_bytes: int, where: str, ndim: int) -> Idx:
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    stream: BinaryIO = gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[assignment]
    most_bytes = size_bytes * _DEFLATE_RATIO if packed else size_bytes
    try:
        header = stream.read(4 + 4 * ndim)
        shape = _shape(header, ndim, where)
        payload = _payload(stream, math.prod(shape), most_bytes - len(header), where, shape)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{where} is a damaged or truncated gzip file: {error}.", _AGAIN) from error
    array = np.frombuffer(payload, np.uint8).reshape(shape)
    array.setflags(write=False)
    digest = hashlib.sha256(header)
    digest.update(payload)
    return Idx(array, digest.hexdigest())


def _shape(header: bytes, ndim: int, where: str) -> tuple[int, ...]:
    magic = bytes([0, 0, _UNSIGNED_BYTES, ndim])
    if len(header) < 4 + 4 * ndim or header[:4] != magic:
        begin = header[:4].hex(" ") or "nothing"
        kind = "images" if ndim == 3 else "labels"
        raise DataError(
            f"{where} is no IDX file of {kind}: it begins with {begin}, not {magic.hex(' ')}.",
            _AGAIN,
        )
    shape = tuple(int(n) for n in np.frombuffer(header, ">u4", ndim, 4))
    if 0 in shape:
        raise DataError(f"{where} is empty: its header says {' x '.join(map(str, shape))}.", _AGAIN)
    return shape


def _payload(
    stream: BinaryIO, promised: int, most_bytes: int, where: str, shape: tuple[int, ...]
) -> bytearray:
    promise = f"the header of {where} promises {' x '.join(map(str, shape))} = {promised} bytes"
    if promised > most_bytes:
        raise DataError(f"{promise[0].upper()}{promise[1:]}, more than the file can hold.", _AGAIN)
    if promised > _LARGEST_BYTES:
        raise DataError(
            f"{promise[0].upper()}{promise[1:]}.", f"At most {_LARGEST_BYTES} bytes are read."
        )
    # Piece by piece: memory grows with what the file holds, not with what it says.
    pieces = bytearray()
    while len(pieces) <= promised:
        piece = stream.read(min(_PIECE_BYTES, promised + 1 - len(pieces)))
        if not piece:
            break
        pieces += piece
    if len(pieces) != promised:
        held = f"only {len(pieces)}" if len(pieces) < promised else "more"
        raise DataError(f"{promise[0].upper()}{promise[1:]}, but there are {held}.", _AGAIN)
    return pieces

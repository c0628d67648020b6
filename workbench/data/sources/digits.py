"""The embedded dataset: digits that the project draws itself, so that nothing need be downloaded.

Responsible for its splits and for keeping them in the user's cache; how a digit is drawn is
`handwriting`'s business.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from workbench.core import paths
from workbench.data import stored
from workbench.data.dataset import Dataset, Progress, Split
from workbench.data.handwriting import write
from workbench.data.raster import SIZE
from workbench.spec.registries import DATASETS

#: Raised whenever the drawing changes, so that an older cache is not taken for it.
VERSION = 1

#: Rows of the training, validation and test split.
ROWS = (50_000, 5_000, 5_000)

_SEED = 1
_DIGEST_BYTES = 32


@DATASETS.add("digits")
class Digits:
    """Handwriting-like digits in MNIST's format, the same on every machine."""

    about = "60,000 digits drawn by the workbench, 28 x 28 pixels"

    def load(self, progress: Progress) -> Dataset:
        """Return the digits, from the cache or drawn now, which takes a few seconds."""
        split = _draw_or_read(sum(ROWS), progress)
        first, second = ROWS[0], ROWS[0] + ROWS[1]
        return Dataset("digits", split[:first], split[first:second], split[second:], classes=10)


def _draw_or_read(rows: int, progress: Progress) -> Split:
    path = paths.cache_folder() / f"digits-{VERSION}-{rows}.bin"
    kept = _read(path, rows)
    if kept is not None:
        return kept
    pictures, labels = write(_SEED, rows, progress)
    contents = pictures.tobytes() + labels.astype(np.uint8).tobytes()
    stored.store(path, hashlib.sha256(contents).digest() + contents)
    return Split(pictures, labels)


def _read(path: Path, rows: int) -> Split | None:
    """Return what the cache holds, or None where that is nothing, or not what was written."""
    whole = _DIGEST_BYTES + rows * (SIZE * SIZE + 1)
    try:
        if not path.is_file() or path.stat().st_size != whole:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    contents = data[_DIGEST_BYTES:]
    if hashlib.sha256(contents).digest() != data[:_DIGEST_BYTES]:
        return None
    pixels = np.frombuffer(contents, np.uint8)
    return Split(pixels[:-rows].reshape(rows, SIZE, SIZE), pixels[-rows:].astype(np.int32))

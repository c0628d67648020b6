"""IDX files of a few random images, written as their format says."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from workbench.core import paths

Progress = list[tuple[str, int, int]]


def idx_bytes(array: np.ndarray) -> bytes:
    """Return `array` of bytes as an IDX file."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


def images(n: int, seed: int = 0) -> np.ndarray:
    """Return n random images of 28 x 28 pixels."""
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), np.uint8)


def labels(n: int) -> np.ndarray:
    """Return the labels 0, 1, ..., 9, 0, 1, ..."""
    return (np.arange(n) % 10).astype(np.uint8)


def write(path: Path, data: bytes) -> Path:
    """Write `data`, packed where the name ends with .gz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of 60 training and 10 test images under MNIST's usual names."""
    for which, n in (("train", 60), ("t10k", 10)):
        write(tmp_path / f"{which}-images-idx3-ubyte.gz", idx_bytes(images(n, n)))
        write(tmp_path / f"{which}-labels-idx1-ubyte", idx_bytes(labels(n)))
    return tmp_path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache folder for this test alone."""
    own = tmp_path / "own cache"
    monkeypatch.setattr(paths, "cache_folder", lambda: own)
    return own


@pytest.fixture
def reports() -> tuple[Progress, Callable[[str, int, int], None]]:
    """Return a list, and a progress callback that fills it."""
    seen: Progress = []
    return seen, lambda *report: seen.append(report)

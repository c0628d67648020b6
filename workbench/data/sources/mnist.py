"""MNIST: 70,000 handwritten digits, from the user's data folder, the cache or a download.

Responsible for where the four files are and that they are MNIST's; knows neither the IDX format nor
the network.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workbench.core import paths
from workbench.core.errors import DataError
from workbench.data import download, stored
from workbench.data.dataset import Dataset, Progress, Split
from workbench.data.idx_format import Idx, read_bytes, read_path
from workbench.spec.registries import DATASETS

#: Where the files are published.
#: Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)

#: SHA-256 of the unpacked bytes, so that any mirror and any gzip level will do.
FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

TRAINING_ROWS = 50_000
LARGEST_DOWNLOAD_BYTES = 64 * 2**20


@DATASETS.add("mnist")
class Mnist:
    """Split 50,000 / 10,000 / 10,000 as the tutorials do: validation ends the training file."""

    about = "70,000 handwritten digits, 28 x 28 pixels"

    def load(self, progress: Progress) -> Dataset:
        """Return the digits, downloading what is on no disk here."""
        train, test = _pair("train", progress), _pair("t10k", progress)
        return Dataset("mnist", train[:TRAINING_ROWS], train[TRAINING_ROWS:], test, classes=10)


def at_hand() -> bool:
    """Return whether all four files are in the user's data folder or cache already."""
    folders = [folder for folder in (paths.data_folder(), paths.cache_folder()) if folder]
    return all(any(_find(folder / "mnist", name) for folder in folders) for name in FILES)


def _pair(which: str, progress: Progress) -> Split:
    images = _file(f"{which}-images-idx3-ubyte", 3, progress)
    labels = _file(f"{which}-labels-idx1-ubyte", 1, progress)
    return Split(images, labels.astype(np.int32))


def _file(name: str, ndim: int, progress: Progress) -> np.ndarray:
    own = paths.data_folder()
    found = None if own is None else _find(own / "mnist", name)
    if found is not None:
        return _checked(read_path(found, ndim), name, str(found))
    cached = _find(paths.cache_folder() / "mnist", name)
    if cached is not None:
        try:
            return _checked(read_path(cached, ndim), name, str(cached))
        except DataError:
            progress(f"replacing the damaged {cached}", 0, 0)
    return _downloaded(name, ndim, progress)


def _find(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / f"{name}.gz", folder / name) if path.exists()), None)


def _checked(idx: Idx, name: str, where: str) -> np.ndarray:
    if idx.sha256 != FILES[name]:
        raise DataError(
            f"{where} is not MNIST's {name}: the SHA-256 of its unpacked bytes is {idx.sha256}.",
            "Copy or download it again, or give the folder's path as the dataset.",
        )
    return idx.array


def _downloaded(name: str, ndim: int, progress: Progress) -> np.ndarray:
    packed = f"{name}.gz"
    target = paths.cache_folder() / "mnist" / packed

    def accept(data: bytes) -> np.ndarray:
        return _checked(read_bytes(data, packed, ndim), name, packed)

    urls = [mirror + packed for mirror in MIRRORS]
    try:
        data, array = download.first_good(
            urls, f"downloading {packed}", LARGEST_DOWNLOAD_BYTES, accept, progress
        )
    except DataError as error:
        raise DataError(
            f"MNIST's {packed} is not here and cannot be downloaded ({error.message}).",
            f"Put MNIST's four .gz files into {target.parent} or $WORKBENCH_DATA/mnist, "
            "or use the dataset digits, which needs no download.",
        ) from error
    stored.store(target, data)
    return array

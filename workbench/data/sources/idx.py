"""Datasets in IDX files under a path: a folder like MNIST's, or images beside their labels.

Responsible for finding the files that belong together; how an IDX file is read is `idx_format`'s
business.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from workbench.core.errors import DataError
from workbench.data.dataset import Dataset, Progress, Split
from workbench.data.idx_format import read_path
from workbench.data.source import READERS

_IMAGES = re.compile(r"(.*)images(.*)idx3(-ubyte(?:\.gz)?)$")


@READERS.add("idx")
class IdxFiles:
    """A folder with ``train-images-idx3-ubyte`` and its companions, or one file of images.

    The last sixth of the training images is kept for validation, as the tutorials do with MNIST.
    Of a single file the last sixth is the test split, and of the rest the last sixth is kept.
    """

    about = "IDX files (a folder, or ...images-idx3-ubyte)"

    def reads(self, path: Path) -> bool:
        """Return whether it is a folder or has an image file's name."""
        return path.is_dir() or _IMAGES.match(path.name) is not None

    def read(self, path: Path, progress: Progress) -> Dataset:
        """Return the images and labels under `path`."""
        if not path.is_dir():
            whole = _pair(path)
            sixth = max(1, len(whole) // 6)
            kept, test = whole[: len(whole) - sixth], whole[len(whole) - sixth :]
        else:
            kept, test = _pair(_only(path, "train")), _pair(_only(path, "t10k", "test"))
        sixth = max(1, len(kept) // 6)
        return Dataset(
            name=str(path),
            train=kept[: len(kept) - sixth],
            validation=kept[len(kept) - sixth :],
            test=test,
            classes=int(kept.targets.max(initial=0)) + 1,
        )


def _only(folder: Path, *parts: str) -> Path:
    """Return the one image file of the folder whose name contains one of `parts`."""
    try:
        found = sorted(
            p
            for p in folder.iterdir()
            if (m := _IMAGES.match(p.name)) and any(part in m[1] for part in parts)
        )
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read: {error.strerror}.", "Choose another folder."
        ) from error
    stems = {p.name.removesuffix(".gz") for p in found}
    if len(stems) > 1:
        raise DataError(
            f"{folder} holds several datasets: {', '.join(sorted(stems))}.",
            "Give the path of one file of images.",
        )
    if not found:
        raise DataError(
            f"There is no {parts[0]}-images-idx3-ubyte in {folder}, packed (.gz) or not.",
            "Put it there.",
        )
    return found[0]


def _pair(images: Path) -> Split:
    """Return the images of a file with the labels beside it."""
    match = _IMAGES.match(images.name)
    assert match is not None
    plain = f"{match[1]}labels{match[2]}idx1-ubyte"
    beside = [images.with_name(name) for name in (plain, f"{plain}.gz")]
    labels = next((path for path in beside if path.exists()), None)
    if labels is None:
        raise DataError(
            f"{images} has no labels beside it.",
            f"Put {beside[0].name} or {beside[1].name} into its folder.",
        )
    inputs, targets = read_path(images, 3).array, read_path(labels, 1).array
    if len(inputs) != len(targets):
        raise DataError(
            f"{images} holds {len(inputs)} images but {labels} holds {len(targets)} labels.",
            "Give files that belong together.",
        )
    return Split(inputs, targets.astype(np.int32))

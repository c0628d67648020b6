"""Splits and datasets refuse what does not fit together, and never change."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data.conftest import images
from workbench.core.errors import DataError
from workbench.data.dataset import Dataset, Split


def split(n: int, top: int = 9) -> Split:
    return Split(images(n), np.arange(n, dtype=np.int32) % (top + 1))


def dataset(**changes: object) -> Dataset:
    splits = {"train": split(20), "validation": split(5), "test": split(5)}
    return Dataset(**{"name": "x", **splits, "classes": 10, **changes})


def test_arrays_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        split(3).inputs[0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        split(3).targets[0] = 1


def test_lengths_must_agree() -> None:
    with pytest.raises(DataError, match="4 inputs but 3 targets"):
        Split(images(4), np.zeros(3, np.int32))


@pytest.mark.parametrize("which", ["train", "validation", "test"])
def test_no_split_is_empty(which: str) -> None:
    with pytest.raises(DataError, match=f"The {which} split of 'x' is empty"):
        dataset(**{which: split(0)})


@pytest.mark.parametrize("wrong", [-1, 10, 200])
def test_labels_are_in_range(wrong: int) -> None:
    bad = Split(images(2), np.array([3, wrong], np.int32))
    with pytest.raises(DataError, match=f"test split of 'x' holds the label {wrong}, .* 0 to 9"):
        dataset(test=bad)


def test_shapes_must_agree() -> None:
    with pytest.raises(DataError, match=r"test inputs of 'x' have shape \(8, 8\)"):
        dataset(test=Split(np.zeros((2, 8, 8), np.uint8), np.zeros(2, np.int32)))


def test_input_shape() -> None:
    assert dataset().input_shape == (1, 28, 28)
    rows = Split(np.zeros((3, 5)), np.zeros((3, 2)))
    assert dataset(train=rows, validation=rows, test=rows, classes=0).input_shape == (5,)


def test_the_digest_covers_every_split() -> None:
    same, digest = dataset().sha256, dataset().sha256
    assert same == digest
    for which in ("train", "validation", "test"):
        assert dataset(**{which: split(6)}).sha256 != digest

"""The embedded digits: split, kept in the cache, and drawn again where the cache fails."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.data.loading import load
from workbench.data.sources import digits as source
from workbench.spec.data import DataSpec

DIGITS = DataSpec("digits")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Path:
    """Let the dataset be of 260 pictures; return the file that keeps them."""
    monkeypatch.setattr(source, "ROWS", (200, 40, 20))
    return cache / f"digits-{source.VERSION}-260.bin"


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often digits are drawn."""
    counted: list[int] = []
    write = source.write

    def count(seed: int, n: int, progress: Callable[[str, int, int], None]) -> Any:
        counted.append(n)
        return write(seed, n, progress)

    monkeypatch.setattr(source, "write", count)
    return counted


@pytest.mark.usefixtures("few")
def test_splits_follow_one_another() -> None:
    data = load(DIGITS)
    assert [len(split) for split in data.splits().values()] == [200, 40, 20]
    assert data.classes == 10
    assert data.input_shape == (1, 28, 28)
    pictures, labels = source.write(1, 260, lambda *_: None)
    splits = data.splits().values()
    assert np.array_equal(np.concatenate([split.inputs for split in splits]), pictures)
    assert np.array_equal(np.concatenate([split.targets for split in splits]), labels)


def test_they_are_drawn_once(few: Path, drawings: list[int], reports: Any) -> None:
    seen, progress = reports
    first = load(DIGITS, progress)
    assert seen[-1] == ("drawing digits", 260, 260)
    again = load(DIGITS)
    assert drawings == [260]
    assert again.sha256 == first.sha256
    assert again.train.targets.dtype == first.train.targets.dtype
    assert [p.name for p in few.parent.iterdir()] == [few.name]


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "grow"])
def test_a_damaged_cache_is_made_again(few: Path, drawings: list[int], damage: str) -> None:
    whole = load(DIGITS)
    good = few.read_bytes()
    flipped = bytearray(good)
    flipped[5000] ^= 1
    few.write_bytes(
        {"flip": bytes(flipped), "cut": good[:-1], "empty": b"", "grow": good + b"x"}[damage]
    )
    assert load(DIGITS).sha256 == whole.sha256
    assert drawings == [260, 260]
    assert few.read_bytes() == good


def test_a_cache_that_is_no_folder_is_no_obstacle(few: Path, drawings: list[int]) -> None:
    few.parent.write_text("in the way")
    assert len(load(DIGITS).train) == 200
    assert len(load(DIGITS).train) == 200
    assert drawings == [260, 260]


def test_a_folder_in_place_of_the_file_is_no_obstacle(few: Path, drawings: list[int]) -> None:
    few.mkdir(parents=True)
    assert len(load(DIGITS).train) == 200
    assert drawings == [260]
    assert [p.name for p in few.parent.iterdir()] == [few.name]


def test_a_full_disk_is_no_obstacle(
    few: Path, monkeypatch: pytest.MonkeyPatch, drawings: list[int]
) -> None:
    fdopen = os.fdopen

    def full(handle: int, mode: str) -> Any:
        file = fdopen(handle, mode)

        class Full:
            def __enter__(self) -> Full:
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

            def write(self, data: bytes) -> None:
                file.write(data[:1000])
                raise OSError(28, "No space left on device")

        return Full()

    monkeypatch.setattr(os, "fdopen", full)
    assert len(load(DIGITS).train) == 200
    assert drawings == [260]
    assert list(few.parent.iterdir()) == []


def test_another_version_is_not_taken_for_this_one(
    few: Path, drawings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(DIGITS)
    monkeypatch.setattr(source, "VERSION", source.VERSION + 1)
    load(DIGITS)
    assert drawings == [260, 260]
    assert len(list(few.parent.iterdir())) == 2

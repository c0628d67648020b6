"""What all contenders are given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench import plugins
from workbench.bench import material
from workbench.bench.material import Batches, dataset_name, floats, training_images
from workbench.bench.work import SEED, Training, find_work
from workbench.data.order import permutation
from workbench.data.sources.mnist import FILES

plugins.load_packages(plugins.BUILT_IN)


def test_mnist_is_taken_where_all_its_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    assert dataset_name() == "digits"
    for folder, name in zip(("data", "cache", "data", "cache"), FILES, strict=True):
        assert dataset_name() == "digits"
        path = tmp_path / folder / "mnist" / f"{name}.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    assert dataset_name() == "mnist"


@pytest.mark.usefixtures("mnist")
def test_images_are_those_of_the_training_split() -> None:
    split = training_images()
    assert split.inputs.shape == (50_000, 28, 28)
    assert split.inputs.dtype == np.uint8
    # The labels that MNIST begins with.
    assert split.targets[:5].tolist() == [5, 0, 4, 1, 9]


def test_bytes_become_rows_of_floats() -> None:
    found = floats(np.array([[[0, 64], [128, 255]]], np.uint8))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[0, 0.25, 0.5, 255 / 256]])


def test_batches_are_those_of_a_run_and_end_with_what_is_left() -> None:
    work = find_work("relu-4", 10)
    assert isinstance(work, Training)
    batches = Batches(work)
    for epoch in range(2):
        rows = [batches() for _ in range(3)]
        assert [len(r) for r in rows] == [4, 4, 2]
        np.testing.assert_array_equal(np.concatenate(rows), permutation(SEED, epoch, 10))


def test_lenets_start_has_hes_spread() -> None:
    start = material.start(None)
    assert {name: value.shape for name, value in start.items() if "weight" in name} == {
        "0.weight": (20, 1, 5, 5),
        "1.weight": (50, 20, 5, 5),
        "2.weight": (800, 500),
        "3.weight": (500, 10),
    }
    for name, fan_in in (("1.weight", 500), ("2.weight", 800)):
        assert start[name].std() == pytest.approx((2 / fan_in) ** 0.5, rel=0.05)
    assert all(not value.any() for name, value in start.items() if "bias" in name)
    assert {value.dtype for value in start.values()} == {np.dtype("float32")}

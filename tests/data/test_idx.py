"""IDX files under a path: found, read, and refused without trusting their headers."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tests.data.conftest import idx_bytes, images, labels, write
from workbench.core.errors import DataError
from workbench.data.idx_format import read_bytes
from workbench.data.loading import load
from workbench.spec.data import DataSpec

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def refused(folder: Path, match: str) -> None:
    with pytest.raises(DataError, match=match) as caught:
        load(DataSpec(str(folder)))
    assert caught.value.hint
    assert "\n" not in str(caught.value)


def test_a_folder_is_split_as_mnist_is(folder: Path) -> None:
    data = load(DataSpec(str(folder)))
    assert [len(s) for s in data.splits().values()] == [50, 10, 10]
    assert data.classes == 10
    assert data.input_shape == (1, 28, 28)
    assert np.array_equal(data.train.inputs, images(60, 60)[:50])
    assert np.array_equal(data.validation.targets, labels(60)[50:])
    assert np.array_equal(data.test.inputs, images(10, 10))
    assert data.train.targets.dtype == np.int32


def test_one_file_is_read_with_the_labels_beside_it(tmp_path: Path) -> None:
    path = write(tmp_path / "mine-images.idx3-ubyte", idx_bytes(images(36)))
    write(tmp_path / "mine-labels.idx1-ubyte.gz", idx_bytes(labels(36)))
    data = load(DataSpec(str(path)))
    assert [len(s) for s in data.splits().values()] == [25, 5, 6]
    assert np.array_equal(data.test.inputs, images(36)[30:])


def test_other_usual_names_are_found(tmp_path: Path) -> None:
    for which, n in (("emnist-digits-train", 12), ("emnist-digits-test", 3)):
        write(tmp_path / f"{which}-images-idx3-ubyte", idx_bytes(images(n)))
        write(tmp_path / f"{which}-labels-idx1-ubyte", idx_bytes(labels(n) % 2))
    assert [len(s) for s in load(DataSpec(str(tmp_path))).splits().values()] == [10, 2, 3]


def test_several_datasets_in_one_folder_are_not_guessed_at(folder: Path) -> None:
    write(folder / f"letters-{IMAGES}", idx_bytes(images(4)))
    refused(folder, "several datasets: letters-train-images-idx3-ubyte, train-images-idx3-ubyte")


def test_missing_files_are_named(folder: Path) -> None:
    (folder / LABELS).unlink()
    refused(folder, f"{IMAGES}.gz has no labels beside it. Put {LABELS} or {LABELS}.gz")
    (folder / f"{IMAGES}.gz").unlink()
    refused(folder, f"There is no {IMAGES}")


def test_counts_must_agree(folder: Path) -> None:
    write(folder / LABELS, idx_bytes(labels(59)))
    refused(folder, "holds 60 images but .*train-labels-idx1-ubyte holds 59 labels")


def test_test_labels_must_be_known_in_training(folder: Path) -> None:
    write(folder / "t10k-labels-idx1-ubyte", idx_bytes(np.full(10, 200)))
    refused(folder, "holds the label 200, but its classes are numbered 0 to 9")


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_images_to_split(tmp_path: Path, n: int) -> None:
    path = write(tmp_path / IMAGES, idx_bytes(images(n)))
    write(tmp_path / LABELS, idx_bytes(labels(n)))
    refused(path, "split of .* is empty")


@pytest.mark.parametrize("cut", [0, 1, 9, 10, 200, -9, -1])
def test_a_truncated_gzip_file(folder: Path, cut: int) -> None:
    path = folder / f"{IMAGES}.gz"
    path.write_bytes(path.read_bytes()[:cut])
    refused(folder, "truncated gzip file|is no IDX file of images")


@pytest.mark.parametrize("place", [5000, -6])
def test_a_corrupt_gzip_file(folder: Path, place: int) -> None:
    path = folder / f"{IMAGES}.gz"
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    path.write_bytes(data)
    refused(folder, "damaged or truncated gzip file|promises")


@pytest.mark.parametrize("name", [IMAGES, f"{IMAGES}.gz"])
@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((61, 28, 28), "promises 61 x 28 x 28 = 47824 bytes, (but there are only 47040|more than)"),
        ((59, 28, 28), "promises 59 x 28 x 28 = 46256 bytes, but there are more"),
        ((0, 28, 28), "is empty: its header says 0 x 28 x 28"),
        ((60, 28, 0), "is empty"),
        ((2**32 - 1, 2**32 - 1, 2**32 - 1), "promises .* bytes, more than the file can hold"),
    ],
)
def test_a_header_that_lies(
    folder: Path, name: str, shape: tuple[int, int, int], said: str
) -> None:
    (folder / f"{IMAGES}.gz").unlink()
    body = images(60).tobytes()
    write(folder / name, struct.pack(">BBBBIII", 0, 0, 8, 3, *shape) + body)
    refused(folder, said)


def test_nothing_is_allocated_for_a_promise() -> None:
    packed = gzip.compress(struct.pack(">BBBBIII", 0, 0, 8, 3, 900_000, 1, 1024) + bytes(2**20))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="more than the file can hold"):
            read_bytes(packed, "x", 3)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_more_than_a_gibibyte_is_refused() -> None:
    class Vast(bytes):
        def __len__(self) -> int:
            return 2**40

    head = struct.pack(">BBBBIII", 0, 0, 8, 3, 2**10, 2**10, 2**11)
    with pytest.raises(DataError, match=r"promises 1024 x 1024 x 2048 .* At most 1073741824 bytes"):
        read_bytes(Vast(head), "x", 3)


@pytest.mark.parametrize(
    "begin", [b"", b"\0", b"PK\3\4" * 9, bytes([0, 0, 13, 3]) * 9, bytes([0, 0, 8, 1]) * 9]
)
def test_another_kind_of_file(folder: Path, begin: bytes) -> None:
    (folder / f"{IMAGES}.gz").unlink()
    write(folder / IMAGES, begin)
    refused(folder, "is no IDX file of images: it begins with")


def test_images_and_labels_swapped(folder: Path) -> None:
    write(folder / LABELS, idx_bytes(images(60)))
    refused(folder, "is no IDX file of labels")


def test_a_folder_in_place_of_a_file(folder: Path) -> None:
    (folder / LABELS).unlink()
    (folder / LABELS).mkdir()
    refused(folder, "There is no file")

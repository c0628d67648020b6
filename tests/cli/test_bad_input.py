"""Bad input ends with exit status 2 and one or two sentences, before anything is lost."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.cli.outputs import writable
from workbench.core.errors import SaveError


def refused(done: Any, *quoted: str) -> None:
    """Assert that a verb ended as bad input should."""
    assert (done.status, done.out) == (2, ""), done
    (line,) = [line for line in done.err.splitlines() if line.startswith("workbench: ")]
    assert done.err.rstrip().endswith(line)
    assert "Traceback" not in done.err
    for word in quoted:
        assert word in line


@pytest.mark.parametrize(
    ("words", "quoted"),
    [
        (["--dataset", "no/such/folder"], "no/such/folder"),
        (["--dataset", "mnits"], "mnits"),
        (["--network", "reul"], "reul"),
        (["--network", "absent.json"], "absent.json"),
        (["--optimizer", "sgdd"], "sgdd"),
        (["--device", "pocl:99"], "pocl:99"),
        (["--device", "abacus"], "abacus"),
        (["--rate", "nan"], "nan"),
        (["--rate", "-1"], "-1"),
        (["--rate", "inf"], "inf"),
        (["--rate", "fast"], "fast"),
        (["--batch", "0"], "0"),
        (["--batch", "201"], "201"),
        (["--batch", "1.5"], "1.5"),
        (["--batch", "ful"], "ful"),
        (["--epochs", "0"], "0"),
        (["--epochs", "1e3"], "1000"),
        (["--limit", "0"], "0"),
        (["--limit", "201"], "201"),
        (["--limit", "20", "--batch", "21"], "21"),
        (["--seed", "-1"], "-1"),
        (["--save", "no/such/folder/m.h5"], "no/such/folder/m.h5"),
        (["--log", "no/such/folder/run.csv"], "no/such/folder/run.csv"),
        (["--save", os.sep], os.sep),
    ],
)
def test_training_is_refused(
    workbench: Callable[..., Any], squares: Path, small: Path, words: list[str], quoted: str
) -> None:
    given = {"--dataset": squares, "--network": small, "--device": "reference"}
    given |= dict(zip(words[::2], words[1::2], strict=True))
    done = workbench("train", *[word for pair in given.items() for word in pair])
    refused(done, quoted)
    assert "Training" not in done.err


@pytest.mark.parametrize(
    ("network", "quoted"),
    [
        ('{"format": 1', "line 1"),
        ("[]", "[]"),
        ('{"format": 2, "input": [784], "layers": []}', "format"),
        ('{"format": 1, "input": [784], "layers": [{"layer": "densse"}]}', "densse"),
        ('{"format": 1, "input": [784], "layers": [{"layer": "dense", "units": 0}]}', "units"),
        ('{"format": 1, "input": [784], "layers": [{"layer": "dense", "unit": 3}]}', "unit"),
        ('{"format": 1, "input": [784], "layers": [{"layer": "dense", "units": 7}]}', "10"),
        ('{"format": 1, "input": [99], "layers": [{"layer": "dense", "units": 10}]}', "99"),
    ],
)
def test_a_network_that_cannot_be_is_refused(
    workbench: Callable[..., Any], squares: Path, tmp_path: Path, network: str, quoted: str
) -> None:
    path = tmp_path / "network.json"
    path.write_text(network)
    done = workbench("train", "--network", path, "--dataset", squares)
    refused(done, quoted)


def spoiled(squares: Path, folder: Path, which: str) -> None:
    """Write the squares to `folder` with one thing wrong."""
    for path in squares.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    images = folder / "train-images-idx3-ubyte"
    labels = folder / "train-labels-idx1-ubyte"
    if which == "truncated gzip":
        images.with_name(f"{images.name}.gz").write_bytes(gzip.compress(images.read_bytes())[:-200])
        images.unlink()
    elif which == "fewer labels":
        labels.write_bytes(struct.pack(">HBBI", 0, 8, 1, 100) + labels.read_bytes()[8:108])
    elif which == "promises more":
        images.write_bytes(struct.pack(">HBB3I", 0, 8, 3, 10**6, 28, 28) + images.read_bytes()[16:])
    elif which == "no labels":
        labels.unlink()


@pytest.mark.parametrize("which", ["truncated gzip", "fewer labels", "promises more", "no labels"])
def test_damaged_data_are_refused(
    workbench: Callable[..., Any], squares: Path, small: Path, tmp_path: Path, which: str
) -> None:
    spoiled(squares, tmp_path, which)
    done = workbench("train", "--dataset", tmp_path, "--network", small)
    refused(done, "train-")


def test_a_model_that_does_not_fit_the_data_is_refused(
    workbench: Callable[..., Any], model: Path
) -> None:
    refused(workbench("evaluate", model, "--dataset", "neuron"), "neuron")


@pytest.mark.parametrize("verb", ["evaluate", "predict", "export"])
@pytest.mark.parametrize(
    "content", [None, b"", b"not HDF5 at all", b"\x89HDF\r\n\x1a\n" + b"\0" * 99]
)
def test_what_is_no_model_is_refused(
    workbench: Callable[..., Any], tmp_path: Path, verb: str, content: bytes | None
) -> None:
    path = tmp_path / "model.h5"
    if content is not None:
        path.write_bytes(content)
    more = {"evaluate": [], "predict": ["digit.png"], "export": [tmp_path / "p.npz"]}[verb]
    refused(workbench(verb, path, *more), "model.h5")
    assert not (tmp_path / "p.npz").exists()


def test_a_truncated_model_is_refused(
    workbench: Callable[..., Any], model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "half.h5"
    path.write_bytes(model.read_bytes()[:20_000])
    refused(workbench("evaluate", path), "half.h5")


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs another user's rights")
def test_a_folder_that_may_not_be_written_to_is_refused_early(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o555)
    mine = os.geteuid()
    if mine == 0:  # root may write anywhere
        os.seteuid(65534)
    try:
        with pytest.raises(SaveError, match="Nothing can be written"):
            writable(str(folder / "m.h5"))
    finally:
        os.seteuid(mine)


def test_a_name_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(SaveError):
        writable("x" * 5000)
    with pytest.raises(SaveError):
        writable("a\0b")


def test_what_can_be_written_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    assert writable(str(path)) == path
    assert list(tmp_path.iterdir()) == []
    path.write_text("old")
    assert writable(str(path)) == path
    assert path.read_text() == "old"
    assert writable(None) is None


def test_debug_shows_the_traceback(workbench: Callable[..., Any]) -> None:
    done = workbench("train", "--dataset", "no/such/folder", "--debug")
    assert done.status == 2
    assert "Traceback" in done.err
    assert "DataError" in done.err


def test_parameters_of_another_network_are_refused(
    workbench: Callable[..., Any], model: Path, tmp_path: Path
) -> None:
    arrays, made = tmp_path / "p.npz", tmp_path / "made.h5"
    assert workbench("export", model, arrays).status == 0
    refused(workbench("import", arrays, "--network", "logistic", made), "p.npz")
    refused(workbench("import", tmp_path / "q.npz", "--network", "logistic", made), "q.npz")
    assert not made.exists()

"""Fixtures of the command line: a way to run it, a small dataset and a small network."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from workbench.cli import program


@attrs.frozen
class Outcome:
    """What a verb left behind: exit status, standard output and standard error."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on standard output; NaN in it is an error."""

        def refuse(constant: str) -> None:
            raise ValueError(f"{constant} is not JSON")

        value = json.loads(self.out, parse_constant=refuse)
        assert isinstance(value, dict)
        return value


@pytest.fixture(autouse=True)
def _quick_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute in NumPy where no device is named, so that most tests wait for no compiler."""
    monkeypatch.setenv("WORKBENCH_DEVICE", "reference")


Workbench = Callable[..., Outcome]


@pytest.fixture
def workbench(capsys: pytest.CaptureFixture[str]) -> Workbench:
    """Return a function that runs the command line in this process."""

    def run(*words: object) -> Outcome:
        capsys.readouterr()
        status = program.main([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Return a function that starts the command line in a process of its own."""

    def start(*words: object, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "workbench", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=env,
        )

    return start


def idx(array: np.ndarray) -> bytes:
    """Return an array of bytes in MNIST's form."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in MNIST's form whose ten classes are bright squares in ten places."""
    folder = tmp_path_factory.mktemp("squares")
    random = np.random.default_rng(7)
    for name, count in (("train", 240), ("t10k", 60)):
        labels = np.arange(count) % 10
        images = random.integers(0, 60, (count, 28, 28))
        for image, label in zip(images, labels, strict=True):
            row, column = divmod(int(label), 5)
            image[4 + 12 * row : 12 + 12 * row, 1 + 5 * column : 6 + 5 * column] += 180
        (folder / f"{name}-images-idx3-ubyte").write_bytes(idx(images))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(idx(labels))
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a small network for images of 28 x 28."""
    layers = [
        {"layer": "dense", "units": 12, "init": {"kind": "glorot"}},
        {"layer": "tanh"},
        {"layer": "dense", "units": 10},
        {"layer": "softmax"},
    ]
    path = tmp_path_factory.mktemp("networks") / "small.json"
    path.write_text(json.dumps({"format": 1, "input": [1, 28, 28], "layers": layers}))
    return path


@pytest.fixture(scope="session")
def model(squares: Path, small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that tells the squares apart."""
    path = tmp_path_factory.mktemp("models") / "squares.h5"
    words = ["train", "--network", small, "--dataset", squares, "--device", "reference"]
    words += ["--batch", "16", "--rate", "0.2", "--epochs", "4", "--save", path]
    assert program.main([str(word) for word in words]) == 0
    return path

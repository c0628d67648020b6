"""A person's first runs, from the command line to handwriting that is read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def workbench(*words: object) -> dict[str, Any]:
    """Run the command line in a process of its own and return its object."""
    done = subprocess.run(
        [sys.executable, "-m", "workbench", *map(str, words), "--json"],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert isinstance(result, dict)
    return result


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """Train without any choice made, and save."""
    path = tmp_path_factory.mktemp("first") / "first.h5"
    return workbench("train", "--save", path), path


def test_the_first_run_learns_its_digits(first_run: tuple[dict[str, Any], Path]) -> None:
    assert first_run[0]["test_accuracy"] >= 0.97


@pytest.mark.usefixtures("mnist")
def test_the_first_run_reads_real_handwriting(first_run: tuple[dict[str, Any], Path]) -> None:
    assert workbench("evaluate", first_run[1], "--dataset", "mnist")["accuracy"] >= 0.8


@pytest.mark.usefixtures("mnist")
def test_five_epochs_read_mnist(tmp_path: Path) -> None:
    path = tmp_path / "mnist.h5"
    words = ["--network", "relu", "--batch", 128, "--rate", 0.2, "--epochs", 5, "--save", path]
    trained = workbench("train", "--dataset", "mnist", *words)
    assert trained["test_accuracy"] >= 0.97
    measured = workbench("evaluate", path, "--dataset", "mnist")
    assert measured["accuracy"] == trained["test_accuracy"]
    assert measured["log_likelihood"] == trained["test_log_likelihood"]

"""Ctrl-C stops between bursts, saves what was asked to be saved, and leaves no traceback."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.cli import export
from workbench.io import load_model

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGINT cannot be sent to a child there")


@pytest.mark.parametrize("times", [1, 2, 5])
def test_training_is_stopped_and_saved(
    command: Callable[..., Any], squares: Path, small: Path, tmp_path: Path, times: int
) -> None:
    path = tmp_path / "stopped.h5"
    process = command(
        *("train", "--network", small, "--dataset", squares),
        *("--batch", 16, "--epochs", 1_000_000, "--save", path, "--json"),
    )
    while "epoch 1:" not in process.stderr.readline():
        assert process.poll() is None
    for _ in range(times):
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "Stopped after" in err
    result = json.loads(out)
    assert result["saved"] == str(path)
    assert result["test_accuracy"] is None
    assert len(result["epochs"]) >= 1
    assert [p.name for p in tmp_path.iterdir()] == ["stopped.h5"]
    model = load_model(path)
    assert model.verified
    assert model.position["step"] > 0


def test_elsewhere_ctrl_c_ends_at_once(
    workbench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "load_model", interrupt)
    done = workbench("export", "m.h5", "p.npz")
    assert (done.status, done.out) == (130, "")
    assert done.err == "Interrupted.\n"


def test_a_reader_that_leaves_is_no_failure_to_speak_of(command: Callable[..., Any]) -> None:
    process = command("devices", "--json")
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == ""


def test_an_unforeseen_failure_is_told_in_a_sentence(
    command: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import workbench.cli.parser as p\np.VERBS['devices'] = 'no_such_module'\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process = command("devices")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert err.count("\n") == 1
    assert "no_such_module" in err
    process = command("devices", "--debug")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" in err

"""A device that fails ends a verb with status 1 and a sentence or two; what is known is saved."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults import STATUS, Driver, break_kernels, checked, driver, refuse_memory
from workbench.engine.backends.catalogue import devices
from workbench.io import load_model
from workbench.training import trainer

__all__ = ["checked", "driver"]

OPENCL = next((info.id for info in devices() if info.id != "reference"), "")

pytestmark = pytest.mark.skipif(not OPENCL, reason="no OpenCL driver")


@pytest.fixture
def words(squares: Path, small: Path, checked: str) -> list[object]:
    """Return how a network is trained on the device."""
    named = ["--network", small, "--dataset", squares, "--device", checked]
    return ["train", *named, "--batch", 60, "--epochs", 1_000_000]


def assert_told(done: Any, said: str) -> None:
    assert (done.status, done.out) == (1, "")
    told = done.err.splitlines()[-1]
    assert told.startswith("workbench: ")
    assert said in told
    assert "Traceback" not in done.err


def test_memory_that_does_not_suffice(
    workbench: Callable[..., Any], words: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_memory(monkeypatch)
    done = workbench(*words)
    assert_told(done, f"{OPENCL} ran out of memory while allocating")
    assert "Use a smaller batch" in done.err


def test_a_kernel_that_does_not_build(
    workbench: Callable[..., Any], words: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        break_kernels(patch, "__kernel")
        done = workbench(*words)
        assert_told(done, "in layer 1 dense")
        assert "does not build" in done.err
        assert "nowhere" in workbench(*words, "--debug").err


def test_a_device_that_vanishes_leaves_what_was_known(
    workbench: Callable[..., Any],
    words: list[object],
    driver: Driver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(trainer, "KEEP_S", 0.0)
    driver.lose_after(100, STATUS.DEVICE_NOT_AVAILABLE)
    path = tmp_path / "m.h5"
    done = workbench(*words, "--save", path)
    assert_told(done, f"{OPENCL} was lost while")
    step = load_model(path).position["step"]
    assert step > 0
    assert done.err.endswith(f"Saved {path} as it was after {step} iterations.\n")
    driver.mend()
    words[words.index("--epochs") + 1] = 1
    assert workbench(*words).status == 0


def started(give_up_s: float, words: list[object]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.cli.stuck", str(give_up_s), *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def test_a_device_that_does_not_answer_is_given_up(words: list[object], tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    process = started(0.3, [*words, "--save", path])
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"{OPENCL} has not answered for" in err
    step = load_model(path).position["step"]
    assert f"Saved {path} as it was after {step} iterations. Use another device." in err


@pytest.mark.skipif(os.name == "nt", reason="SIGINT cannot be sent to a child there")
def test_ctrl_c_ends_the_wait_for_a_device_that_does_not_answer(words: list[object]) -> None:
    process = started(1000, words)
    assert process.stderr is not None
    while "Ctrl-C ends the program" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted" in err
    assert "Traceback" not in err

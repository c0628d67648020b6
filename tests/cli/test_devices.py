"""``workbench devices``, and verbs on devices that compute wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from PIL import Image

import workbench as package
from tests.asking import QUESTIONS, Asking, asking
from workbench.engine.backends import catalogue, verdicts
from workbench.engine.backends.opencl.device import list_opencl
from workbench.engine.backends.verdicts import Finding, Verdict
from workbench.training import devices

__all__ = ["asking"]

INFOS = list_opencl()
pytestmark = pytest.mark.skipif(not INFOS, reason="no OpenCL driver")

WRONG = Verdict(
    "refused",
    (
        Finding("products", "float32", 0.25, "TN 7 x 5 x 3", ("TN 7 x 5 x 3",)),
        Finding("moves", "float32", 0.0, "slice"),
    ),
    12.5,
)
RIGHT = Verdict("trusted", (Finding("products", "float32", 3e-7, "NN"),), 80.0)


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the id of a device that is known to compute wrong."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(devices, "ask", lambda *_: WRONG)
    verdicts.keep(INFOS[0], WRONG)
    return INFOS[0].id


@pytest.fixture
def no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no other device be there, and none be named."""
    monkeypatch.setattr(catalogue, "list_opencl", lambda: INFOS[:1])
    monkeypatch.delenv("WORKBENCH_DEVICE")


def test_the_list_says_what_is_known(workbench: Callable[..., Any], wrong: str) -> None:
    done = workbench("devices")
    row = next(line for line in done.out.splitlines() if line.strip().startswith(wrong))
    assert done.status == 0
    assert "refused" in row
    listed = workbench("devices", "--json").json["devices"]
    assert listed == [attrs.asdict(info) for info in catalogue.devices()]


@pytest.mark.usefixtures("wrong")
def test_a_check_tells_trust_and_the_worst_error(
    workbench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "ask", lambda *_: RIGHT)
    done = workbench("devices", "--check", "--json")
    assert done.status == 0
    *opencl, reference = done.json["devices"]
    assert [(d["trust"], d["worst_error"], d["gflops"]) for d in opencl] == [
        ("trusted", 3e-7, 80.0)
    ] * len(INFOS)
    assert (reference["trust"], reference["worst_error"]) == ("trusted", 0.0)
    assert f"Checking {INFOS[0].name} ({INFOS[0].id})" in done.err


def test_a_check_shows_what_is_wrong(workbench: Callable[..., Any], wrong: str) -> None:
    done = workbench("devices", "--check")
    assert done.status == 0
    assert f"{wrong} ({INFOS[0].name}) is refused." in done.out
    (row,) = (line for line in done.out.splitlines() if line.endswith("TN 7 x 5 x 3"))
    assert row.split()[:3] == ["products", "float32", "2.5e-01"]
    (found, *_) = workbench("devices", "--check", "--json").json["devices"]
    assert (found["trust"], found["worst_error"]) == ("refused", 0.25)
    assert found["findings"][0]["wrong"] == ["TN 7 x 5 x 3"]


def test_a_refused_device_trains_only_if_one_insists(
    workbench: Callable[..., Any], wrong: str, squares: Path, small: Path
) -> None:
    words = ["train", "--network", small, "--dataset", squares, "--epochs", 1, "--device", wrong]
    done = workbench(*words)
    assert (done.status, done.out) == (1, "")
    told = done.err.splitlines()[-1]
    assert told.startswith(f"workbench: {wrong} ({INFOS[0].name}) computes wrong: products")
    assert "Use another device" in told
    done = workbench(*words, "--untrusted", "--json")
    assert (done.status, done.json["device"]) == (0, wrong)
    assert "computes wrong: products" in done.err


@pytest.mark.usefixtures("wrong", "no_device")
def test_the_default_is_numpy_where_nothing_computes_right(
    workbench: Callable[..., Any], squares: Path, small: Path
) -> None:
    words = ["train", "--network", small, "--dataset", squares, "--epochs", 1, "--json"]
    done = workbench(*words)
    assert (done.status, done.json["device"]) == (0, "reference")
    assert "No OpenCL device computes right here: NumPy computes" in done.err


@pytest.mark.usefixtures("wrong")
def test_a_refused_device_is_tuned_only_if_one_insists(
    workbench: Callable[..., Any], wrong: str, squares: Path, small: Path
) -> None:
    words = ["tune", "--network", small, "--dataset", squares, "--batch", 20, "--seconds", 0.001]
    done = workbench(*words, "--device", wrong)
    assert done.status == 1
    assert "computes wrong: products" in done.err
    done = workbench(*words, "--device", wrong, "--untrusted", "--json")
    assert (done.status, done.json["device"]) == (0, wrong)


@pytest.mark.parametrize("verb", ["train", "profile", "evaluate", "predict", "tutorial"])
def test_a_verb_asks_what_its_network_needs_and_no_more(
    workbench: Callable[..., Any],
    asking: Asking,
    squares: Path,
    small: Path,
    model: Path,
    tmp_path: Path,
    verb: str,
) -> None:
    image = tmp_path / "image.png"
    Image.fromarray(np.arange(784, dtype=np.uint8).reshape(28, 28)).save(image)
    options = {
        "train": ["--network", small, "--dataset", squares, "--epochs", 1],
        "profile": ["--network", small, "--dataset", squares, "--batch", 20],
        "evaluate": [model, "--dataset", squares],
        "predict": [model, image],
        "tutorial": ["neuron"],
    }
    words = [verb, *options[verb], "--device", INFOS[0].id]
    for _ in range(2):
        done = workbench(*words)
        assert done.status == 0, done.err
    assert [family for family, _ in asking.asked] == ["trial"]
    asking.off, asking.wrong = True, {"updates": ("TN",)}
    (tmp_path / "asking" / "trust" / f"{INFOS[0].id.replace(':', '-')}.json").unlink()
    done = workbench(*words)
    assert (done.status, done.out) == (1, "")
    assert "computes wrong: updates in float32 (TN; error 0.5)" in done.err


def test_the_list_says_what_was_not_asked(
    workbench: Callable[..., Any], asking: Asking, squares: Path, small: Path
) -> None:
    id = INFOS[0].id

    def row() -> str:
        lines = workbench("devices").out.splitlines()
        return next(line for line in lines if line.strip().startswith(f"{id} "))

    assert "not checked" in row()
    assert "was not asked" not in workbench("devices").out
    workbench("train", "--network", small, "--dataset", squares, "--epochs", 1, "--device", id)
    assert " trusted " in row()
    assert (
        f"{id} was not asked yet in float32: updates, moves; in float64: updates."
        in workbench("devices").out
    )
    found = workbench("devices", "--check", "--json").json["devices"][0]
    assert [(f["family"], f["precision"]) for f in found["findings"]] == list(QUESTIONS)
    assert asking.asked[1 : 1 + len(QUESTIONS)] == list(QUESTIONS)
    assert "was not asked" not in workbench("devices").out


@pytest.mark.timeout(300)
def test_a_kernel_that_was_broken_in_the_sources_is_found(
    tmp_path: Path, squares: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known of a device with other kernels tells nothing of it with these."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    (info, *_) = INFOS
    verdicts.keep(info, Verdict("trusted"))
    checkout = Path(package.__file__).parents[1]
    for folder in ("workbench", "kernels", "resources"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(checkout / folder, tmp_path / folder, ignore=ignored)
    kernels = tmp_path / "kernels" / "activations.cl"
    sound = kernels.read_text()
    broken = sound.replace("44 : 2 * size;", "44 : (real)2.02 * size;")
    assert broken != sound
    kernels.write_text(broken)
    words = ["train", "--network", small, "--dataset", squares, "--device", info.id]
    done = subprocess.run(
        [sys.executable, "-m", "workbench", *map(str, words)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Checking {info.name} ({info.id})" in done.stderr
    assert "computes wrong: network in float32 (" in done.stderr
    assert "elementwise in float32 (tanh; error 0.00" in done.stderr
    assert verdicts.stored(info) is None

"""``workbench tune``: the contract of its JSON, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.engine.backends import verdicts
from workbench.engine.backends.catalogue import devices

INFOS = [info for info in devices() if info.type != "reference"]
OPENCL = [info.id for info in INFOS]


@pytest.mark.skipif(not OPENCL, reason="no OpenCL driver")
def test_json_has_the_keys_that_scripts_depend_on(
    workbench: Callable[..., Any],
    small: Path,
    squares: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    verdicts.keep(INFOS[0], verdicts.Verdict("trusted"))
    words = ("--network", small, "--dataset", squares, "--batch", 20, "--device", OPENCL[0])
    done = workbench("tune", "--json", *words, "--seconds", 0.001)
    assert done.status == 0, done.err
    found = done.json
    assert set(found) == {
        "networks",
        "seconds",
        "products",
        "device",
        "precision",
        "kernels_launched",
    }
    assert (found["networks"], found["device"]) == ([str(small)], OPENCL[0])
    assert found["products"]
    for product in found["products"]:
        assert set(product) == {
            "product",
            "label",
            "default_gflops",
            "gflops",
            "tile",
            "tried",
        }
        assert product["gflops"] > 0
        assert product["tried"] == 0
    assert (tmp_path / "tuning").is_dir()


def test_numpy_has_nothing_to_tune(
    workbench: Callable[..., Any], small: Path, squares: Path
) -> None:
    done = workbench("tune", "--network", small, "--dataset", squares, "--batch", 20)
    assert done.status == 2
    assert "reference has no kernels to tune" in done.err


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "1e9", "nan"])
def test_the_time_is_bounded(workbench: Callable[..., Any], seconds: str) -> None:
    done = workbench("tune", "--seconds", seconds)
    assert done.status == 2
    assert f"--seconds: got {seconds if seconds != '1e9' else '1000000000.0'}." in done.err

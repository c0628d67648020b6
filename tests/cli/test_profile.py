"""``workbench profile``: the contract of its JSON, its table, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.bench import machine
from workbench.cli import profile


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for a moment only."""
    monkeypatch.setattr(profile, "_SECONDS", 0.02)
    monkeypatch.setattr(machine, "_SIDE", 64)


def test_json_has_the_keys_that_scripts_depend_on(
    workbench: Callable[..., Any], small: Path, squares: Path
) -> None:
    done = workbench("profile", "--json", "--network", small, "--dataset", squares, "--batch", 20)
    assert done.status == 0, done.err
    found = done.json
    assert set(found) == {
        "network",
        "batch",
        "iterations",
        "seconds",
        "kernel_seconds",
        "peak_gflops",
        "kernels",
        "device",
        "precision",
        "kernels_launched",
    }
    assert (found["network"], found["batch"]) == (str(small), 20)
    assert (found["device"], found["precision"]) == ("reference", "float32")
    assert found["iterations"] >= 1
    assert 0 < found["kernel_seconds"] <= found["seconds"]
    assert found["peak_gflops"] > 0
    for kernel in found["kernels"]:
        assert set(kernel) == {
            "label",
            "steps",
            "launches",
            "seconds",
            "share",
            "gflops",
            "gigabytes_per_second",
            "fraction_of_peak",
        }
    assert sum(kernel["share"] for kernel in found["kernels"]) == pytest.approx(1)
    assert any("layer 1 dense" in kernel["label"] for kernel in found["kernels"])


def test_the_table_names_layers_and_shares(
    workbench: Callable[..., Any], small: Path, squares: Path
) -> None:
    done = workbench(
        *("profile", "--network", small, "--dataset", squares, "--batch", "full"),
        *("--precision", "float64"),
    )
    assert done.status == 0, done.err
    for word in ("batch 200", "float64", "reference", "layer 1 dense", "GFLOP/s", "an iteration"):
        assert word in done.out


@pytest.mark.parametrize(
    ("words", "quoted"),
    [
        (["--network", "nonsense"], "nonsense"),
        (["--device", "nonsense:0"], "nonsense:0"),
        (["--batch", "0"], "0"),
    ],
)
def test_what_cannot_be_is_refused(
    workbench: Callable[..., Any], words: list[str], quoted: str
) -> None:
    done = workbench("profile", *words)
    assert (done.status, done.out) == (2, "")
    assert quoted in done.err

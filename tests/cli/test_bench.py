"""``workbench bench``: the contract of its JSON, its table, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workbench.bench import rounds
from workbench.cli import bench


@pytest.fixture(autouse=True)
def _small_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the peak be measured by a product that takes no time worth mentioning."""
    monkeypatch.setattr(rounds, "PEAK", "gemm-64")


def test_json_has_the_keys_that_scripts_depend_on(workbench: Callable[..., Any]) -> None:
    done = workbench(
        *("bench", "--json", "--rounds", "1", "--device", "reference"),
        *("--only", "gemm-48", "gemm-16x24x8-tn"),
    )
    assert done.status == 0, done.err
    assert set(done.json) == {"default_device", "peak_gflops", "work"}
    assert done.json["default_device"] == "reference"
    assert [work["name"] for work in done.json["work"]] == ["gemm-48", "gemm-16x24x8-tn"]
    for work in done.json["work"]:
        assert set(work) == {
            "name",
            "device",
            "seconds",
            "spread",
            "peers",
            "speedup_over_fastest_peer",
            "fraction_of_peak",
        }
        assert work["device"] == "reference"
        assert work["spread"] == 0
        assert "numpy" in work["peers"]
        fastest = min(work["peers"].values())
        assert work["speedup_over_fastest_peer"] == pytest.approx(fastest / work["seconds"])
        assert 0 < work["fraction_of_peak"] <= 1


def test_the_table_names_machine_contenders_and_peak(workbench: Callable[..., Any]) -> None:
    done = workbench("bench", "--rounds", "1", "--only", "gemm-48")
    assert done.status == 0, done.err
    for word in (bench.processor(), "NumPy", "reference", "gemm-48, product", "GFLOP/s", "of peak"):
        assert word in done.out


@pytest.mark.parametrize(
    ("words", "quoted"),
    [
        (["--only", "relu", "nonsense"], "'nonsense'"),
        (["--rounds", "0"], "0"),
        (["--rounds", "two"], "two"),
        (["--images", "60000"], "60000"),
        (["--only", "gemm-8", "--device", "nonsense:0"], "nonsense:0"),
    ],
)
def test_what_cannot_be_is_refused(
    workbench: Callable[..., Any], words: list[str], quoted: str
) -> None:
    done = workbench("bench", *words)
    assert (done.status, done.out) == (2, "")
    assert quoted in done.err

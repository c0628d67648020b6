"""``workbench bench``: the contract of its JSON, its table, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workbench.bench import rounds
from workbench.bench.machine import processor
from workbench.bench.rounds import Benchmark, Figures, Measured
from workbench.bench.work import find_work
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


def test_the_table_names_machine_contenders_and_peak(
    workbench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_all(devices: list[str], *_: object) -> Benchmark:
        (device,) = devices
        peers = {"numpy": Figures((3.0, 2.0, 4.0)), "torch": Figures((0.0015, 0.001, 0.002))}
        work = find_work("gemm-1000")
        beside = Measured(work, device, Figures((0.0005, 0.001, 0.0001)), peers)
        alone = Measured(work, "other:0", Figures((2e-5,)), {})
        return Benchmark({"numpy": "NumPy 2", "torch": "PyTorch 2"}, 8000.0, (beside, alone))

    monkeypatch.setattr(bench, "run_all", run_all)
    done = workbench("bench", "--only", "gemm-1000", "--rounds", 3)
    assert done.status == 0, done.err
    rows = [line.split() for line in done.out.splitlines()]
    for word in (processor(), "NumPy 2", "PyTorch 2", "3 interleaved rounds", "8000 GFLOP/s"):
        assert word in done.out
    (beside,) = (row for row in rows if "reference" in row)
    (alone,) = (row for row in rows if "other:0" in row)
    assert " ".join(beside) == (
        "gemm-1000, product reference 500 us (100 to 1,000) 3 s (2 to 4) 1.5 ms (1 to 2) "
        "3.00 4,000.0 50%"
    )
    assert " ".join(alone) == "gemm-1000, product other:0 20 us (20 to 20) 100,000.0 1250%"


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

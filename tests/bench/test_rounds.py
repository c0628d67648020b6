"""Turns, medians, ratios and the peak; and a contender in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import attrs
import pytest

from workbench import plugins
from workbench.bench import child
from workbench.bench.child import Child
from workbench.bench.contender import Task
from workbench.bench.rounds import ChildProcess, Figures, Measured, measure
from workbench.bench.work import PEAK, find_work
from workbench.core.errors import InputError, UnknownDevice, WorkbenchError

plugins.load_packages(plugins.BUILT_IN)


@attrs.define
class Fake:
    """A contender whose turns take the seconds that it was given, again for each work."""

    name: str
    seconds: Sequence[float]
    log: list[str]
    about: str = "a fake"
    _turns: int = 0

    def prepare(self, work: str, images: int) -> None:
        self.log.append(f"{self.name} prepares {work} of {images}")
        self._turns = 0

    def turn(self) -> float:
        self.log.append(self.name)
        self._turns += 1
        return self.seconds[self._turns - 1]


def silent(*_: object) -> None:
    pass


def test_contenders_take_turns_and_medians_are_compared() -> None:
    log: list[str] = []
    ours = Fake("pocl:0", (2.0, 1.0, 8.0), log)
    peers = [Fake("numpy", (5.0, 9.0, 6.0), log), Fake("torch", (4.0, 3.0, 7.0), log)]
    told: list[Measured] = []
    found = measure([ours], peers, ["gemm-100"], 3, 70, silent, told.append)
    turn = ["pocl:0", "numpy", "torch"]
    assert log == [
        *(f"{name} prepares {PEAK} of 70" for name in turn),
        *turn * 3,
        *(f"{name} prepares gemm-100 of 70" for name in turn),
        *turn * 3,
    ]
    (measured,) = found.measured
    assert told == [measured]
    assert (measured.work.name, measured.device) == ("gemm-100", "pocl:0")
    assert (measured.ours.seconds, measured.ours.spread) == (2.0, 7.0)
    assert {name: peer.seconds for name, peer in measured.peers.items()} == {
        "numpy": 6.0,
        "torch": 4.0,
    }
    assert measured.speedup == 2.0
    assert measured.gflops == pytest.approx(2e6 / 2.0 / 1e9)
    assert found.contenders == dict.fromkeys(turn, "a fake")


def test_the_peak_is_the_best_of_all_products_whoever_made_it() -> None:
    log: list[str] = []
    found = measure(
        [Fake("pocl:0", (2.0, 4.0), log)],
        [Fake("numpy", (3.0, 0.5), log)],
        ["relu"],
        2,
        500,
        silent,
        silent,
    )
    assert found.peak_gflops == pytest.approx(find_work(PEAK).flops / 0.5 / 1e9)
    assert [measured.work.name for measured in found.measured] == ["relu"]


def test_devices_are_measured_side_by_side_and_without_peers_there_is_no_ratio() -> None:
    log: list[str] = []
    ours = [Fake("pocl:0", (2.0,), log), Fake("intel:0", (1.0,), log)]
    found = measure(ours, [], [PEAK], 1, 500, silent, silent)
    assert [(m.device, m.ours.seconds, m.speedup) for m in found.measured] == [
        ("pocl:0", 2.0, None),
        ("intel:0", 1.0, None),
    ]


def test_figures_of_an_even_number_of_rounds() -> None:
    assert Figures((1.0, 4.0, 2.0, 3.0)).seconds == 2.5


def test_a_process_of_its_own_becomes_a_contender_and_takes_turns() -> None:
    with ChildProcess("numpy", "numpy") as process:
        assert process.about.startswith("NumPy ")
        process.prepare("gemm-16", 100)
        assert 0 < process.turn() < 1
        with pytest.raises(InputError, match=r"numpy: .*'nonsense'"):
            process.prepare("nonsense", 100)
        # A refusal is not the end.
        process.prepare("gemm-16", 100)
        assert process.turn() > 0


def test_a_device_that_is_not_there_is_told_as_ever() -> None:
    answer = Child().answer({"do": "become", "who": ["workbench", "nonsense:0"]})
    assert "'nonsense:0'" in answer["error"]
    assert answer["status"] == UnknownDevice.exit_status


def test_a_process_that_ends_is_an_error_and_no_hang() -> None:
    with pytest.raises(WorkbenchError, match="numpy ended with status"), ChildProcess("numpy", "x"):
        pass


def test_a_turn_is_repeated_until_it_can_be_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = []

    def timed(task: Task, units: int) -> float:
        task.run(units)
        ran.append(units)
        return 0.001 * units

    monkeypatch.setattr(child, "_timed", timed)
    monkeypatch.setattr(child, "TURN_S", 0.02)
    worker = Child()
    worker.become("numpy")
    assert worker.prepare("gemm-64", 100) == 20
    assert worker.take_turn() == pytest.approx(0.001)
    assert ran == [1, 2, 20]


def test_peers_load_no_driver() -> None:
    code = (
        "import sys; from workbench.bench.child import Child; Child().become('numpy');"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert "numpy" in done.stdout.split()
    assert not set(done.stdout.split()) & {"pyopencl", "torch", "PySide6"}

"""However the window ends, it ends soon, cleanly, and leaves nothing behind."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import attrs
import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.gui.conftest import soon_s
from workbench.engine.backends.base import Counters, Device
from workbench.engine.backends.catalogue import devices, open_device
from workbench.engine.backends.verdicts import Verdict, keep
from workbench.gui import engine_thread
from workbench.gui.controller import Controller
from workbench.gui.run_control import Phase
from workbench.gui.settings import Settings
from workbench.gui.state import DocumentState
from workbench.io import load_model
from workbench.spec.library import find_network
from workbench.training.events import EpochEnded

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
OPENCL = next((info.id for info in devices() if info.id != "reference"), None)

Opener = Callable[..., Controller]
Starter = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Starter]:
    """Return a function that starts a window in a process of its own and brings it to a point."""
    begun: list[subprocess.Popen[str]] = []
    # No kernel has been built there yet.
    caches = ("WORKBENCH_CACHE", "XDG_CACHE_HOME", "POCL_CACHE_DIR", "CUDA_CACHE_PATH")
    cold = {name: str(tmp_path / name.lower()) for name in caches}
    with monkeypatch.context() as patch:
        patch.setenv("WORKBENCH_CACHE", cold["WORKBENCH_CACHE"])
        for info in devices():
            keep(info, Verdict("trusted"))  # what a check costs is no matter here

    def started(
        point: str, *arguments: str, device: str = "reference", warm: bool = False
    ) -> subprocess.Popen[str]:
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **({} if warm else cold)}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.gui.ending", point, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**environment, "WORKBENCH_DEVICE": device},
        )
        begun.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == f"{point}\n"
        return process

    yield started
    for process in begun:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], number: int | None = None) -> None:
    """Check that the process ends as it should, told so by a signal or by itself."""
    began = time.monotonic()
    if number is not None:
        process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    took = time.monotonic() - began
    assert (process.returncode, output) == (0, "")
    # LLVM has a word of its own about a program whose building a signal has ended.
    assert "Traceback" not in errors
    assert "workbench:" not in errors
    assert took < soon_s()


def test_the_close_button_ends_a_run(start: Starter) -> None:
    ended(start("training", "button"))


@POSIX
def test_a_second_signal_does_no_harm(start: Starter) -> None:
    process = start("training", "signal")
    # The window has closed, and the process is on its way out.
    for _ in range(20):
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    ended(process)


@POSIX
@pytest.mark.skipif(OPENCL is None, reason="no OpenCL driver")
def test_the_end_comes_while_kernels_are_built_and_the_next_start_builds_them(
    start: Starter,
) -> None:
    assert OPENCL is not None
    ended(start("compiling", "signal", device=OPENCL), signal.SIGTERM)
    ended(start("training", "signal", device=OPENCL), signal.SIGINT)


@pytest.mark.skipif(OPENCL is None, reason="no OpenCL driver")
def test_the_end_comes_though_the_device_does_not_answer(start: Starter) -> None:
    assert OPENCL is not None
    ended(start("stuck", "button", device=OPENCL, warm=True))


@POSIX
@pytest.mark.parametrize("seconds", ["0.5", "100"])
def test_the_end_comes_while_a_model_is_saved(start: Starter, tmp_path: Path, seconds: str) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    path = folder / "m.h5"
    path.write_bytes(b"the old file")
    ended(start("saving", "signal", str(path), seconds), signal.SIGTERM)
    if seconds == "100":
        # The disk did not answer in time.
        assert path.read_bytes() == b"the old file"
    else:
        assert load_model(path).verified
        assert list(folder.iterdir()) == [path]


@pytest.fixture
def counters(monkeypatch: pytest.MonkeyPatch) -> list[Counters]:
    """Return what the devices count that engines open: OpenCL's where there is one."""
    found: list[Counters] = []

    def open_counted(_: str | None) -> Device:
        device = open_device(OPENCL)
        found.append(device.counters)
        return device

    monkeypatch.setattr(engine_thread, "open_device", open_counted)
    return found


def alive(counters: list[Counters]) -> int:
    return sum(each.buffers_alive for each in counters)


def resident_mb() -> float:
    """Return how much memory the process has; 0 where the system does not say."""
    pages = Path("/proc/self/statm")
    if not pages.exists():
        return 0.0
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def train_an_epoch(qtbot: QtBot, controller: Controller) -> None:
    controller.actions["train"].trigger()
    with qtbot.waitSignal(
        controller.engine.event_published,
        timeout=60_000,
        check_params_cb=lambda event: isinstance(event, EpochEnded),
    ):
        pass


def test_fifty_starts_and_stops_leave_nothing_behind(
    open_window: Opener,
    qtbot: QtBot,
    endless: DocumentState,
    counters: list[Counters],
) -> None:
    controller = open_window(endless)
    buffers, memory = [], []
    for cycle in range(50):
        train_an_epoch(qtbot, controller)
        controller.actions["stop"].trigger()
        qtbot.waitUntil(lambda: controller.run.phase is Phase.IDLE, timeout=20_000)
        buffers.append(alive(counters))
        if cycle % 10 == 9:
            gc.collect()
            memory.append(resident_mb())
    assert len(counters) == 1
    assert set(buffers) == {buffers[0]}
    assert buffers[0] > 0 or OPENCL is None
    assert memory[-1] - memory[0] < 10


def test_ten_windows_after_each_other_leave_nothing_behind(
    qtbot: QtBot, endless: DocumentState, counters: list[Counters]
) -> None:
    memory = []
    for _ in range(10):
        controller = Controller(endless, Settings())
        gone = weakref.ref(controller)
        controller.show()
        train_an_epoch(qtbot, controller)
        controller.close()
        assert controller.ended
        del controller
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        assert not QApplication.topLevelWidgets()
        assert alive(counters) == 0
        gc.collect()
        assert gone() is None
        memory.append(resident_mb())
    assert len(counters) == 10
    # What stays behind would do so in each; what a process takes once is something else.
    assert median(now - before for before, now in pairwise(memory)) < 1


def test_nothing_of_qt_is_left_to_the_collector(open_window: Opener, qtbot: QtBot) -> None:
    # It works in whichever thread makes objects, the engine's too, where Qt's must not be unmade.
    controller = open_window()
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        train_an_epoch(qtbot, controller)
        qtbot.waitUntil(lambda: controller.run.phase is Phase.IDLE, timeout=20_000)
        state = controller.document.state
        for name in ("logistic", "tanh"):
            network = find_network(name)
            controller.document.replace(attrs.evolve(state, network=network), f"Choose {name}")
        controller.document.undo_stack.undo()
        controller.actions["shortcuts"].trigger()
        controller.filing.save_as()
        controller.filing.ask_then(controller.close)
        for widget in QApplication.topLevelWidgets():
            if widget is not controller.window:
                widget.close()
        for place in range(controller.window.tabs.count()):
            controller.window.tabs.setCurrentIndex(place)
            QApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        gc.collect()
        qt = [thing for thing in gc.garbage if isinstance(thing, shiboken6.Object)]
        assert not [t for t in qt if shiboken6.isValid(t) and shiboken6.ownedByPython(t)]
        assert gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()

"""A device that fails is told of inline; network, data and figures stay, and training goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from pytestqt.qtbot import QtBot

from tests.faults import STATUS, Driver, break_kernels, checked, driver, refuse_memory
from workbench.engine.backends import watch
from workbench.engine.backends.catalogue import devices
from workbench.gui import watchdog
from workbench.gui.controller import Controller
from workbench.gui.panels.training import TrainingPanel
from workbench.gui.run_control import Phase
from workbench.gui.state import DocumentState
from workbench.io import load_model
from workbench.training import trainer

__all__ = ["checked", "driver"]

OPENCL = next((info.id for info in devices() if info.id != "reference"), "")

pytestmark = pytest.mark.skipif(not OPENCL, reason="no OpenCL driver")


@pytest.fixture
def controller(
    open_window: Callable[..., Controller],
    endless: DocumentState,
    monkeypatch: pytest.MonkeyPatch,
    driver: Driver,  # noqa: ARG001 - whatever hangs is released before the window closes
    checked: str,
) -> Controller:
    """Return a window whose network is on an OpenCL device."""
    monkeypatch.setattr(trainer, "KEEP_S", 0.0)
    return open_window(attrs.evolve(endless, device=checked))


def train(controller: Controller) -> None:
    controller.actions["train"].trigger()


def failed(qtbot: QtBot, controller: Controller, words: str) -> str:
    """Wait until a failure is told; check that the window rests and nothing is lost."""
    state = controller.document.state
    bar = controller.window.message_bar
    qtbot.waitUntil(lambda: words in bar.text, timeout=30_000)
    assert bar.isVisible()
    qtbot.waitUntil(lambda: controller.run.phase is Phase.IDLE, timeout=20_000)
    assert controller.document.state == state
    assert controller.actions["train"].isEnabled()
    return bar.text


def runs(qtbot: QtBot, controller: Controller) -> None:
    """Check that a run goes on, with no message left."""
    qtbot.waitUntil(lambda: controller.run.phase is Phase.RUNNING, timeout=20_000)
    step = controller.run.step
    qtbot.waitUntil(lambda: controller.run.step > step + 5, timeout=20_000)
    assert controller.window.message_bar.text == ""


def points(controller: Controller) -> int:
    panel = controller.panels["training"]
    assert isinstance(panel, TrainingPanel)
    return len(panel._history.points()["step"])


def test_after_every_failure_training_starts_again_in_the_same_window(
    controller: Controller, qtbot: QtBot, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        refuse_memory(patch)
        train(controller)
        assert "smaller batch" in failed(qtbot, controller, f"{OPENCL} ran out of memory")
    with monkeypatch.context() as patch:
        break_kernels(patch, "__kernel")
        train(controller)
        assert "whole log is in" in failed(qtbot, controller, "does not build on")
    train(controller)
    runs(qtbot, controller)
    driver.lose(STATUS.DEVICE_NOT_AVAILABLE)
    assert "The parameters are those after" in failed(qtbot, controller, f"{OPENCL} was lost")
    assert points(controller) > 5
    # It comes back, is opened anew, and the run goes on from what was kept.
    driver.mend()
    train(controller)
    runs(qtbot, controller)
    assert points(controller) >= controller.run.step > 5


def test_a_device_that_does_not_answer_is_given_up_and_another_goes_on(
    controller: Controller,
    qtbot: QtBot,
    driver: Driver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    train(controller)
    runs(qtbot, controller)
    monkeypatch.setattr(watch, "PATIENCE_S", 0.3)
    monkeypatch.setattr(watchdog, "_LOOKS_A_WORD", 3)
    controller.watchdog._timer.setInterval(30)
    driver.hang()
    bar = controller.window.message_bar
    qtbot.waitUntil(lambda: f"{OPENCL} has not answered for" in bar.text, timeout=20_000)
    assert "Stop" in bar.text
    # Whoever saves now gets what is known.
    path = tmp_path / "m.h5"
    controller.filing.save_to(path)
    controller.actions["stop"].trigger()
    failed(qtbot, controller, "did not answer")
    qtbot.waitUntil(lambda: controller.document.path == path, timeout=20_000)
    kept = load_model(path).position["step"]
    assert kept > 0
    train(controller)
    failed(qtbot, controller, f"{OPENCL} did not answer and was given up. Choose another")
    state = controller.document.state
    controller.document.replace(attrs.evolve(state, device="reference"), "Choose NumPy")
    qtbot.waitUntil(lambda: controller.run.holds_document, timeout=20_000)
    assert controller.run.step == points(controller) == kept
    train(controller)
    runs(qtbot, controller)
    assert controller.run.step > kept
    driver.release()


def test_a_device_that_answers_late_is_told_of_no_more(
    controller: Controller, qtbot: QtBot, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(controller)
    runs(qtbot, controller)
    monkeypatch.setattr(watch, "PATIENCE_S", 0.3)
    controller.watchdog._timer.setInterval(30)
    driver.hang()
    bar = controller.window.message_bar
    qtbot.waitUntil(lambda: "has not answered for" in bar.text, timeout=20_000)
    monkeypatch.setattr(watch, "PATIENCE_S", 10.0)
    driver.release()
    qtbot.waitUntil(lambda: bar.text == "", timeout=20_000)
    runs(qtbot, controller)

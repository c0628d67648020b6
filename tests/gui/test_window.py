"""The window as a person has it: it opens ready, trains, stops, tells and closes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from workbench.gui.controller import Controller
from workbench.gui.run_control import Phase
from workbench.gui.settings import Settings
from workbench.gui.state import DocumentState
from workbench.gui.theme.palette import current
from workbench.nn.layers.dense import Dense
from workbench.nn.optimizers.sgd import SGD
from workbench.spec.data import DataSpec

Opener = Callable[..., Controller]


def wait_for(qtbot: QtBot, controller: Controller, phase: Phase) -> None:
    qtbot.waitUntil(lambda: controller.run.phase is phase, timeout=20_000)


def with_training(state: DocumentState, **changes: Any) -> DocumentState:
    return attrs.evolve(state, training=attrs.evolve(state.training, **changes))


def button(controller: Controller, name: str) -> QToolButton:
    buttons = controller.window.top_bar.findChildren(QToolButton)
    return next(b for b in buttons if b.defaultAction() is controller.actions[name])


def test_it_opens_ready(open_window: Opener) -> None:
    controller = open_window()
    window = controller.window
    assert window.windowTitle() == "Untitled[*] — Neural Workbench"
    assert not window.isWindowModified()
    assert "reference" in window.device_label.text()
    enabled = {name: controller.actions[name].isEnabled() for name in ("train", "pause", "stop")}
    assert enabled == {"train": True, "pause": False, "stop": False}
    assert window.message_bar.text == ""


def test_space_trains_and_the_figures_reach_every_place(open_window: Opener, qtbot: QtBot) -> None:
    controller = open_window()
    qtbot.keyClick(controller.window.centralWidget(), Qt.Key.Key_Space)
    assert controller.run.phase is Phase.STARTING
    wait_for(qtbot, controller, Phase.IDLE)
    bar = controller.window.top_bar
    assert controller.run.step == 12
    assert bar._epoch.text() == "epoch 3 of 3"
    assert bar._bar.value() == bar._bar.maximum()
    assert bar._score.text().startswith("LL −")
    assert controller.document.modified
    assert controller.window.isWindowModified()


def test_space_pauses_and_resumes_with_the_focus_on_a_button(
    open_window: Opener, qtbot: QtBot, endless: DocumentState
) -> None:
    controller = open_window(endless)
    button(controller, "train").setFocus()
    for phase, name in (
        (Phase.RUNNING, "train"),
        (Phase.PAUSED, "pause"),
        (Phase.RUNNING, "train"),
    ):
        assert button(controller, name).hasFocus()
        qtbot.keyClick(button(controller, name), Qt.Key.Key_Space)
        wait_for(qtbot, controller, phase)
    assert controller.actions["train"].text() == "&Train"


def test_steps_are_single_and_stop_ends_the_run(open_window: Opener, qtbot: QtBot) -> None:
    controller = open_window()
    for count in (1, 2):
        controller.actions["step"].trigger()
        qtbot.waitUntil(lambda count=count: controller.run.step == count, timeout=20_000)
        wait_for(qtbot, controller, Phase.PAUSED)
    assert controller.actions["train"].text() == "&Resume"
    controller.actions["stop"].trigger()
    wait_for(qtbot, controller, Phase.IDLE)
    # Nothing was changed, so training goes on from there.
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.step == 12, timeout=20_000)
    wait_for(qtbot, controller, Phase.IDLE)


def test_a_rate_edited_while_it_trains_counts_at_once(
    open_window: Opener, qtbot: QtBot, endless: DocumentState
) -> None:
    controller = open_window(endless)
    controller.actions["train"].trigger()
    wait_for(qtbot, controller, Phase.RUNNING)
    controller.document.replace(with_training(endless, optimizer=SGD(0.0125)), "Set rate")
    qtbot.waitUntil(
        lambda: controller._latest is not None and controller._latest.rate == 0.0125, timeout=20_000
    )


def test_what_begins_a_new_run_and_what_goes_on(
    open_window: Opener, qtbot: QtBot, state: DocumentState
) -> None:
    controller = open_window()
    assert not controller.run.goes_on
    controller.actions["train"].trigger()
    wait_for(qtbot, controller, Phase.IDLE)
    # All epochs are done.
    assert not controller.run.goes_on
    for changes, goes_on in (
        ({"epochs": 5}, True),
        ({"epochs": 5, "optimizer": SGD(0.01)}, True),
        ({"epochs": 5, "batch": 20}, False),
        ({"epochs": 5, "seed": 1}, False),
        ({"epochs": 3}, False),
    ):
        controller.document.replace(with_training(state, **changes), "Edit")
        assert controller.run.goes_on is goes_on
    controller.document.replace(with_training(state, epochs=5), "Edit")
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.step == 20, timeout=20_000)
    wait_for(qtbot, controller, Phase.IDLE)
    controller.actions["restart"].trigger()
    qtbot.waitUntil(lambda: controller.run.step == 0, timeout=20_000)


def test_a_failure_is_told_inline_and_the_window_lives_on(
    open_window: Opener, qtbot: QtBot, state: DocumentState, tmp_path: Path
) -> None:
    controller = open_window()
    message = controller.window.message_bar
    empty = tmp_path / "empty"
    empty.mkdir()
    controller.document.replace(attrs.evolve(state, data=DataSpec(str(empty))), "Choose data")
    qtbot.waitUntil(lambda: "empty" in message.text, timeout=20_000)
    controller.document.undo_stack.undo()
    controller.actions["train"].trigger()
    wait_for(qtbot, controller, Phase.IDLE)
    assert controller.run.step == 12
    # What was told of is over.
    assert message.text == ""


def test_a_diverging_run_stops_and_can_be_trained_again(
    open_window: Opener, qtbot: QtBot, state: DocumentState
) -> None:
    controller = open_window(with_training(state, optimizer=SGD(1e30), precision="float32"))
    controller.actions["train"].trigger()
    wait_for(qtbot, controller, Phase.IDLE)
    assert "rate" in controller.window.message_bar.text
    controller.document.replace(state, "Edit")
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.step == 12, timeout=20_000)


def test_an_invalid_stack_never_reaches_the_engine(
    open_window: Opener, state: DocumentState, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller = open_window()
    sent: list[object] = []
    monkeypatch.setattr(controller.run, "_send", sent.append)
    wrong = attrs.evolve(state.network, layers=(Dense(10**6), Dense(10**6)))
    controller.document.replace(attrs.evolve(state, network=wrong), "Add layer")
    controller.actions["train"].trigger()
    assert controller.run.phase is Phase.IDLE
    assert "layer 1 (dense)" in controller.window.message_bar.text
    controller.run._prepare()
    assert sent == []


def test_a_message_is_dismissed(open_window: Opener, qtbot: QtBot) -> None:
    controller = open_window()
    bar = controller.window.message_bar
    for dismiss in (
        lambda: qtbot.mouseClick(bar.findChild(QToolButton), Qt.MouseButton.LeftButton),
        lambda: qtbot.keyClick(controller.window.centralWidget(), Qt.Key.Key_Escape),
    ):
        controller.say("Something is wrong.", "Mend it.")
        assert bar.text == "Something is wrong. Mend it."
        dismiss()
        assert bar.text == ""


@pytest.mark.parametrize("size", [QSize(1280, 800), QSize(640, 400)])
def test_a_message_moves_nothing_and_stays_in_its_corner(open_window: Opener, size: QSize) -> None:
    controller = open_window()
    window, bar = controller.window, controller.window.message_bar
    window.resize(size)
    QApplication.processEvents()
    parts = [window.top_bar, window.columns, window.tabs, *controller.panels.values()]
    before = [part.geometry() for part in parts]
    controller.say("Something is wrong with this or that. " * 4, "Mend it.", answer="Go on")
    QApplication.processEvents()
    assert [part.geometry() for part in parts] == before
    assert all(child.isVisible() for child in bar.findChildren(QWidget))
    for grown in (QSize(0, 0), QSize(200, 100)):
        window.resize(size + grown)
        QApplication.processEvents()
        around = window.centralWidget()
        gap = around.rect().bottomRight() - bar.geometry().bottomRight()
        assert 0 < gap.x() < 30
        assert 0 < gap.y() < 30
        assert around.rect().contains(bar.geometry())
        assert bar.height() >= bar.heightForWidth(bar.width())  # nothing is cut off
        found = around.childAt(bar.geometry().center())
        assert bar.isAncestorOf(found)


def test_the_choices_of_the_top_bar_are_edits(
    open_window: Opener, state: DocumentState, qtbot: QtBot
) -> None:
    controller = open_window()
    bar = controller.window.top_bar
    qtbot.waitUntil(lambda: bar._device.count() > 1, timeout=20_000)
    bar._device.activated.emit(bar._device.findData("reference"))
    assert controller.document.state.device == "reference"
    bar._dataset.activated.emit(bar._dataset.findData("digits"))
    assert controller.document.state.data.dataset == "digits"
    assert bar._dataset.currentData() == "digits"
    controller.document.undo_stack.undo()
    controller.document.undo_stack.undo()
    assert controller.document.state == state
    assert (bar._dataset.currentData(), bar._device.currentData()) == ("tiny", None)


def test_theme_and_layout_are_kept(open_window: Opener) -> None:
    controller = open_window()
    controller.actions["theme_dark"].trigger()
    assert current().is_dark
    controller.window.resize(780, 560)
    size = controller.window.size()
    controller.close()
    assert Settings().theme == "dark"
    again = open_window()
    assert current().is_dark
    assert again.actions["theme_dark"].isChecked()
    assert again.window.size() == size


def test_the_sheet_lists_every_shortcut(open_window: Opener) -> None:
    controller = open_window()
    controller.actions["shortcuts"].trigger()
    sheet = next(child for child in controller.window.findChildren(QWidget) if child.windowTitle())
    texts = [str(label.property("text")) for label in sheet.findChildren(QWidget)]
    for action in controller.window.findChildren(QAction):
        for key in action.shortcuts():
            assert any(key.toString() in text for text in texts), action.text()
    sheet.close()

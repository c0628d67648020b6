"""What people who are new to the window stumble over: it tells them, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QLineEdit, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from workbench.gui.actions import words
from workbench.gui.controller import Controller
from workbench.gui.panels.run_form import RunFormPanel
from workbench.gui.panels.stack import StackPanel
from workbench.gui.run_control import Phase
from workbench.gui.state import DocumentState
from workbench.nn.layers.dense import Dense
from workbench.training.commands import Command, SetRate

Opener = Callable[..., Controller]


def wait_for(qtbot: QtBot, controller: Controller, phase: Phase) -> None:
    qtbot.waitUntil(lambda: controller.run.phase is phase, timeout=20_000)


def button(controller: Controller, name: str) -> QToolButton:
    buttons = controller.window.top_bar.findChildren(QToolButton)
    return next(b for b in buttons if b.defaultAction() is controller.actions[name])


def stack_of(controller: Controller) -> StackPanel:
    panel = controller.panels["stack"]
    assert isinstance(panel, StackPanel)
    return panel


def line(controller: Controller, field: str) -> QLineEdit:
    found = [
        edit
        for panel in controller.panels.values()
        if isinstance(panel, StackPanel | RunFormPanel)
        for edit in panel.findChildren(QLineEdit)
        if edit.accessibleName().startswith(field)
    ]
    return found[0]


def with_layers(state: DocumentState, *layers: Any) -> DocumentState:
    return attrs.evolve(state, network=attrs.evolve(state.network, layers=layers))


def go_to(controller: Controller, title: str) -> None:
    actions = controller.window.findChildren(QAction)
    next(a for a in actions if words(a) == title and a.data() is not None).trigger()


def test_after_stop_the_same_key_trains(
    open_window: Opener, qtbot: QtBot, endless: DocumentState
) -> None:
    controller = open_window(endless)
    controller.actions["train"].trigger()
    wait_for(qtbot, controller, Phase.RUNNING)
    qtbot.mouseClick(button(controller, "stop"), Qt.MouseButton.LeftButton)
    button(controller, "stop").setFocus()
    wait_for(qtbot, controller, Phase.IDLE)
    assert button(controller, "train").hasFocus()


def test_closing_a_message_leaves_the_keys_to_the_window(open_window: Opener, qtbot: QtBot) -> None:
    controller = open_window()
    controller.say("Something happened.")
    bar = controller.window.message_bar
    close = bar.findChildren(QToolButton)[0]
    close.setFocus()
    qtbot.keyClick(close, Qt.Key.Key_Space)
    assert not bar.isVisible()
    assert QApplication.focusWidget() is controller.window.centralWidget()


@pytest.mark.parametrize(("title", "goal"), [("Layers", "Layers"), ("Draw", "Drawing surface")])
def test_going_to_a_side_leads_to_what_it_is_for(
    open_window: Opener, title: str, goal: str
) -> None:
    controller = open_window()
    go_to(controller, title)
    focus = QApplication.focusWidget()
    assert isinstance(focus, QWidget)
    assert focus.accessibleName().startswith(goal)


def test_a_rate_that_is_being_typed_does_not_train_on_the_way(
    open_window: Opener,
    qtbot: QtBot,
    endless: DocumentState,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    controller = open_window(endless)
    controller.actions["train"].trigger()
    wait_for(qtbot, controller, Phase.RUNNING)
    sent: list[Command] = []
    send = controller.run._send

    def note(command: Command) -> None:
        sent.append(command)
        send(command)

    monkeypatch.setattr(controller.run, "_send", note)
    rate = line(controller, "Rate")
    rate.selectAll()
    qtbot.keyClicks(rate, "1e-3")
    qtbot.waitUntil(lambda: bool(sent), timeout=20_000)
    assert sent == [SetRate(1e-3)]


def test_a_finished_run_is_not_thrown_away(open_window: Opener, qtbot: QtBot) -> None:
    controller = open_window()

    def train_until(step: int) -> None:
        # A run this small may be over between two looks.
        controller.actions["train"].trigger()
        assert controller.run.phase is Phase.STARTING
        wait_for(qtbot, controller, Phase.IDLE)
        assert controller.run.step == step

    train_until(12)
    controller.actions["train"].trigger()
    assert controller.run.phase is Phase.IDLE
    assert "All 3 epochs are done" in controller.window.message_bar.text
    epochs = line(controller, "Epochs")
    epochs.selectAll()
    qtbot.keyClicks(epochs, "4")
    train_until(16)
    controller.actions["restart"].trigger()
    qtbot.waitUntil(lambda: controller.run.step == 0, timeout=20_000)
    train_until(16)


def test_an_entry_that_is_refused_keeps_training_from_beginning(
    open_window: Opener, qtbot: QtBot
) -> None:
    controller = open_window()
    units = line(controller, "Units")
    units.selectAll()
    qtbot.keyClicks(units, "0")
    controller.actions["train"].trigger()
    assert controller.run.phase is Phase.IDLE
    assert "Units" in controller.window.message_bar.text
    units.selectAll()
    qtbot.keyClicks(units, "9")
    controller.actions["train"].trigger()
    assert controller.run.phase is Phase.STARTING
    wait_for(qtbot, controller, Phase.IDLE)


@pytest.mark.parametrize(
    ("end", "said"),
    [((), "no probabilities"), ((Dense(7), "softmax"), "have 10 classes")],
    ids=["no softmax", "too narrow"],
)
def test_a_network_that_cannot_be_scored_says_so_on_its_last_card(
    open_window: Opener, qtbot: QtBot, state: DocumentState, end: tuple[Any, ...], said: str
) -> None:
    softmax = state.network.layers[-1]
    layers = state.network.layers[:-1] + tuple(softmax if e == "softmax" else e for e in end)
    controller = open_window()
    controller.document.replace(with_layers(state, *layers), "Spoil")
    cards = stack_of(controller).cards
    qtbot.waitUntil(lambda: said in cards.cards[-1].text.fault, timeout=20_000)
    assert not controller.window.message_bar.isVisible()  # nobody has asked for a run
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: said in controller.window.message_bar.text, timeout=20_000)
    assert controller.run.phase is Phase.IDLE
    controller.document.undo_stack.undo()
    qtbot.waitUntil(lambda: controller.run.holds_document and not cards.cards[-1].text.fault)

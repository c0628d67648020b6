"""Saving, opening and the one question: nothing is lost and nothing stands in the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from workbench.gui.controller import Controller
from workbench.gui.run_control import Phase
from workbench.gui.settings import Settings
from workbench.gui.state import DocumentState
from workbench.io import load_model
from workbench.nn.layers.dense import Dense
from workbench.training.commands import Fetch
from workbench.training.events import Event, Fetched

Opener = Callable[..., Controller]


def train(qtbot: QtBot, controller: Controller) -> None:
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.phase is Phase.IDLE, timeout=20_000)


def save(qtbot: QtBot, controller: Controller, path: Path) -> None:
    with qtbot.waitSignal(controller.filing.files.saved, timeout=20_000):
        controller.filing.save_to(path)


def open_file(qtbot: QtBot, controller: Controller, path: Path) -> None:
    with qtbot.waitSignal(controller.filing.files.opened, timeout=20_000):
        controller.filing.open_path(path)
    qtbot.waitUntil(lambda: controller.run.holds_document, timeout=20_000)


def fetched(qtbot: QtBot, controller: Controller) -> Fetched:
    events: list[Event] = []
    controller.engine.event_published.connect(events.append)
    controller.engine.send(Fetch(-1))
    qtbot.waitUntil(
        lambda: any(isinstance(e, Fetched) and e.id == -1 for e in events), timeout=20_000
    )
    return next(e for e in events if isinstance(e, Fetched) and e.id == -1)


def question(controller: Controller) -> QMessageBox:
    return controller.window.findChild(QMessageBox)


def test_a_saved_model_comes_back_as_it_was(
    open_window: Opener, qtbot: QtBot, state: DocumentState, tmp_path: Path
) -> None:
    controller, path = open_window(), tmp_path / "m.h5"
    train(qtbot, controller)
    save(qtbot, controller, path)
    assert controller.window.windowTitle() == "m.h5[*] — Neural Workbench"
    assert not controller.document.modified
    assert controller.window.saved_label.text().startswith("saved ")
    assert Settings().recent == [path]
    before = fetched(qtbot, controller).model
    controller.close()

    again = open_window(attrs.evolve(state, training=attrs.evolve(state.training, seed=9)))
    open_file(qtbot, again, path)
    assert again.document.state == state
    assert (again.run.step, again.document.modified) == (12, False)
    after = fetched(qtbot, again).model
    for name, value in before.parameters.items():
        np.testing.assert_array_equal(after.parameters[name], value)
    for name, column in before.history.items():
        np.testing.assert_array_equal(after.history[name], column)
    assert after.position == before.position


def test_an_unfinished_run_goes_on_from_its_file(
    open_window: Opener, qtbot: QtBot, tmp_path: Path
) -> None:
    controller, path = open_window(), tmp_path / "m.h5"
    controller.actions["step"].trigger()
    qtbot.waitUntil(lambda: controller.run.phase is Phase.PAUSED, timeout=20_000)
    save(qtbot, controller, path)
    controller.close()
    again = open_window()
    open_file(qtbot, again, path)
    assert (again.run.step, again.run.goes_on) == (1, True)
    train(qtbot, again)
    assert again.run.step == 12
    assert len(fetched(qtbot, again).model.history["points.step"]) == 12


def test_saving_while_it_trains_leaves_the_run_alone(
    open_window: Opener, qtbot: QtBot, endless: DocumentState, tmp_path: Path
) -> None:
    controller, path = open_window(endless), tmp_path / "m.h5"
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.step > 0, timeout=20_000)
    save(qtbot, controller, path)
    assert controller.run.phase is Phase.RUNNING
    assert controller.document.modified
    model = load_model(path)
    assert model.verified
    assert model.position["step"] == len(model.history["points.step"]) > 0


def test_a_network_edited_after_training_is_saved_untrained_and_said_so(
    open_window: Opener, qtbot: QtBot, state: DocumentState, tmp_path: Path
) -> None:
    controller, path = open_window(), tmp_path / "m.h5"
    train(qtbot, controller)
    trained = fetched(qtbot, controller).model
    layers = (Dense(9), *state.network.layers[1:])
    edited = attrs.evolve(state, network=attrs.evolve(state.network, layers=layers))
    controller.document.replace(edited, "Set units")
    save(qtbot, controller, path)
    assert "edited" in controller.window.message_bar.text
    saved = load_model(path)
    assert (saved.network, saved.position) == (edited.network, {})
    # What was learnt is still there.
    controller.document.undo_stack.undo()
    save(qtbot, controller, path)
    for name, value in load_model(path).parameters.items():
        np.testing.assert_array_equal(value, trained.parameters[name])


def test_a_file_whose_data_are_missing_keeps_its_parameters(
    open_window: Opener, qtbot: QtBot, state: DocumentState, tmp_path: Path
) -> None:
    controller, path, copy = open_window(), tmp_path / "m.h5", tmp_path / "copy.h5"
    train(qtbot, controller)
    gone = attrs.evolve(state, data=attrs.evolve(state.data, dataset="digits", limit=10**6))
    controller.document.replace(gone, "Set limit")
    save(qtbot, controller, path)
    saved = load_model(path)
    with qtbot.waitSignal(controller.filing.files.opened, timeout=20_000):
        controller.filing.open_path(path)
    qtbot.waitUntil(lambda: "limit" in controller.window.message_bar.text, timeout=60_000)
    assert not controller.run.holds_document
    save(qtbot, controller, copy)
    for name, value in load_model(copy).parameters.items():
        np.testing.assert_array_equal(value, saved.parameters[name])


@pytest.mark.parametrize("answer", ["Save", "Discard", "Cancel"])
def test_closing_asks_once_about_what_is_not_saved(
    open_window: Opener, qtbot: QtBot, tmp_path: Path, answer: str
) -> None:
    controller, path = open_window(), tmp_path / "m.h5"
    save(qtbot, controller, path)
    train(qtbot, controller)
    saved_before = path.read_bytes()
    controller.window.close()
    controller.window.close()
    assert len(controller.window.findChildren(QMessageBox)) == 1
    asked = question(controller)
    kind = getattr(QMessageBox.StandardButton, answer)
    if answer == "Cancel":
        qtbot.mouseClick(asked.button(kind), Qt.MouseButton.LeftButton)
        assert controller.window.isVisible()
        train(qtbot, controller)
        return
    with qtbot.waitSignal(controller.closed, timeout=20_000):
        qtbot.mouseClick(asked.button(kind), Qt.MouseButton.LeftButton)
    assert controller.ended
    assert (path.read_bytes() == saved_before) is (answer == "Discard")
    if answer == "Save":
        assert load_model(path).position["step"] == 12


def test_a_save_that_fails_keeps_the_window_open(
    open_window: Opener, qtbot: QtBot, tmp_path: Path
) -> None:
    controller = open_window()
    folder = tmp_path / "folder"
    folder.mkdir()
    save(qtbot, controller, folder / "m.h5")
    train(qtbot, controller)
    (folder / "m.h5").unlink()
    folder.rmdir()
    controller.window.close()
    with qtbot.waitSignal(controller.filing.files.failed, timeout=20_000):
        button = question(controller).button(QMessageBox.StandardButton.Save)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert controller.window.isVisible()
    assert controller.window.message_bar.text
    assert controller.document.modified


def test_save_and_open_by_their_dialogs(
    open_window: Opener, qtbot: QtBot, tmp_path: Path, state: DocumentState
) -> None:
    controller = open_window()
    controller.actions["save"].trigger()
    dialog = controller.window.findChild(QFileDialog)
    with qtbot.waitSignal(controller.filing.files.saved, timeout=20_000):
        dialog.fileSelected.emit(str(tmp_path / "m.h5"))
    dialog.close()
    controller.document.replace(attrs.evolve(state, device="reference"), "Choose reference")
    controller.actions["new"].trigger()
    qtbot.mouseClick(
        question(controller).button(QMessageBox.StandardButton.Discard), Qt.MouseButton.LeftButton
    )
    assert (controller.document.state, controller.document.path) == (state, None)
    controller.window.recent_menu.aboutToShow.emit()
    with qtbot.waitSignal(controller.filing.files.opened, timeout=20_000):
        controller.window.recent_menu.actions()[0].trigger()
    assert controller.document.path == tmp_path / "m.h5"


def test_a_dropped_model_opens(open_window: Opener, qtbot: QtBot, tmp_path: Path) -> None:
    controller, path = open_window(), tmp_path / "m.h5"
    save(qtbot, controller, path)
    controller.actions["new"].trigger()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "x.txt")), QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    with qtbot.waitSignal(controller.filing.files.opened, timeout=20_000):
        controller.window.dropEvent(event)
    assert controller.document.path == path

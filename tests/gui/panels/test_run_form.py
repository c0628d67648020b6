"""The run's forms edit training and data, and leave the network alone."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from workbench.engine.backends.catalogue import open_device
from workbench.gui.forms.form import SpecEditor
from workbench.gui.forms.line_editors import LineEditor
from workbench.gui.panels.run_form import RunFormPanel
from workbench.gui.state import DocumentState
from workbench.nn.optimizers.sgd import SGD
from workbench.spec.data import DataSpec
from workbench.spec.fields import field_infos
from workbench.spec.library import find_network
from workbench.spec.training import TrainingSpec
from workbench.training.events import Snapshot, Started
from workbench.training.history import History, Iterations

STATE = DocumentState(find_network("logistic"), TrainingSpec(), DataSpec())


@pytest.fixture
def panel(qtbot: QtBot) -> RunFormPanel:
    panel = RunFormPanel()
    qtbot.addWidget(panel)
    panel.take_state(STATE)
    panel.show()
    return panel


def give(qtbot: QtBot, editor: object, text: str) -> None:
    assert isinstance(editor, LineEditor)
    editor.line.selectAll()
    qtbot.keyClicks(editor.line, text)


def test_every_field_of_both_specs_is_there(panel: RunFormPanel) -> None:
    assert list(panel.training.editors) == [info.name for info in field_infos(TrainingSpec)]
    assert list(panel.data.editors) == [info.name for info in field_infos(DataSpec)]


def test_edits_of_training_and_data_add_up(qtbot: QtBot, panel: RunFormPanel) -> None:
    told: list[tuple[DocumentState, str]] = []
    panel.state_edited.connect(lambda state, text: told.append((state, text)))
    optimizer = panel.training.editors["optimizer"]
    assert isinstance(optimizer, SpecEditor)
    assert optimizer.form is not None
    give(qtbot, optimizer.form.editors["rate"], "0.5")
    give(qtbot, panel.training.editors["epochs"], "7")
    give(qtbot, panel.training.editors["batch"], "full")
    give(qtbot, panel.data.editors["limit"], "9")
    precision = panel.training.editors["precision"]
    qtbot.keyClick(precision.control, Qt.Key.Key_Down)
    assert told[-1][0] == attrs.evolve(
        STATE,
        training=TrainingSpec(optimizer=SGD(0.5), epochs=7, batch="full", precision="float64"),
        data=DataSpec(limit=9),
    )
    assert {text for _, text in told} == {
        "Set rate",
        "Set epochs",
        "Set batch",
        "Set limit",
        "Set precision",
    }
    panel.take_state(STATE)
    assert optimizer.form.editors["rate"].value == 0.1
    limit = panel.data.editors["limit"]
    assert isinstance(limit, LineEditor)
    assert limit.line.text() == ""


def test_a_rate_that_cannot_be_is_said_beside_it(qtbot: QtBot, panel: RunFormPanel) -> None:
    optimizer = panel.training.editors["optimizer"]
    assert isinstance(optimizer, SpecEditor)
    assert optimizer.form is not None
    with qtbot.assertNotEmitted(panel.state_edited):
        give(qtbot, optimizer.form.editors["rate"], "-1")
    assert "greater than 0" in optimizer.form.editors["rate"].fault


def told_of(objective: str = "log_likelihood") -> tuple[History, Started, DocumentState]:
    history = History()
    training = attrs.evolve(STATE.training, objective=objective)
    device = open_device("reference").info
    event = Started(
        device, "float32", 0, 100, 1, 10, 10, 1000, 7850, history, network=STATE.network
    )
    return history, event, attrs.evolve(STATE, training=training)


def fall(history: History) -> None:
    scores = np.full(100, -8000.0)
    history.add_points(0, 1, 0.1, Iterations(scores, scores * 0, scores * 0 + 1e4))


def warning(panel: RunFormPanel) -> str:
    labels = [w for w in panel.findChildren(QLabel) if w.property("role") == "warning"]
    return "".join(label.text() for label in labels if label.isVisible())


def test_a_rate_that_ruins_the_run_is_warned_of_until_another_run(panel: RunFormPanel) -> None:
    history, event, _ = told_of()
    panel.take_event(event)
    before = [editor.mapTo(panel, QPoint()) for editor in panel.training.editors.values()]
    fall(history)
    figures = np.full(1, -8000.0)
    panel.take_snapshot(Snapshot(100, 100, 1, 10, 0.1, 1000.0, 1e4, figures, figures))
    assert "10000" in warning(panel)
    assert "Start over" in warning(panel)
    QApplication.processEvents()
    assert before == [e.mapTo(panel, QPoint()) for e in panel.training.editors.values()]
    _, another, _ = told_of()
    panel.take_event(another)
    assert warning(panel) == ""


def test_squared_errors_are_no_guesses(panel: RunFormPanel) -> None:
    history, event, state = told_of("squared_error")
    panel.take_state(state)
    fall(history)
    panel.take_event(event)
    assert warning(panel) == ""

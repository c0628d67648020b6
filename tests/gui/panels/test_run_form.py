"""The run's forms edit training and data, and leave the network alone."""

from __future__ import annotations

import attrs
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from workbench.gui.forms.form import SpecEditor
from workbench.gui.forms.line_editors import LineEditor
from workbench.gui.panels.run_form import RunFormPanel
from workbench.gui.state import DocumentState
from workbench.nn.optimizers.sgd import SGD
from workbench.spec.data import DataSpec
from workbench.spec.fields import field_infos
from workbench.spec.library import find_network
from workbench.spec.training import TrainingSpec

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

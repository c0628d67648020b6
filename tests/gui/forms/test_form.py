"""Every field of every spec can be edited with keys and mouse, and nothing unfit is applied."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QFileDialog, QLineEdit
from pytestqt.qtbot import QtBot

from tests.gui.samples import Corner, Dot, Everything, Range, Square
from workbench.core.registry import Registry
from workbench.gui.forms.choice_editors import BooleanEditor, ChoiceEditor
from workbench.gui.forms.editor import Editor
from workbench.gui.forms.form import EDITORS, Form, ObjectEditor, SpecEditor, SpecsEditor
from workbench.gui.forms.line_editors import LineEditor, NameOrPathEditor
from workbench.gui.forms.values import make, show
from workbench.gui.widgets.combo import Combo
from workbench.spec import registries
from workbench.spec.data import DataSpec
from workbench.spec.field_info import FieldInfo, Kind
from workbench.spec.fields import field_infos
from workbench.spec.network import NetworkSpec
from workbench.spec.training import TrainingSpec

REGISTERED = [
    entry
    for registry in vars(registries).values()
    if isinstance(registry, Registry)
    for _, entry in registry.items()
    if isinstance(entry, type) and attrs.has(entry)
]
FIELDS = [
    pytest.param(cls, info, id=f"{cls.__name__}.{info.name}")
    for cls in [*REGISTERED, NetworkSpec, TrainingSpec, DataSpec, Everything]
    for info in field_infos(cls)
]


def other_values(info: FieldInfo) -> list[Any]:
    """Return values that a field takes, its bounds among them."""
    low = int(info.minimum or 0) + int(info.above_minimum)
    high = low + 5 if info.maximum is None else info.maximum
    made: dict[str, Any] = {
        "integer": lambda: [low, int(high), *info.choices],
        "number": lambda: [0.125, float(high)],
        "boolean": lambda: [True, False],
        "choice": lambda: list(info.options),
        "text": lambda: ["two words"],
        "name_or_path": lambda: [*info.options, "folder/file.csv"],
        "integers": lambda: [(low,), (low, int(high), 7)],
        "numbers": lambda: [2.5, (1.0, -3.0), (4.0,)],
        "spec": lambda: entries(info),
        "specs": lambda: [tuple(entries(info)), tuple(entries(info)[-1:])],
        "object": lambda: [make(info.spec)] if info.spec else [],
    }[info.kind]()
    return [*made, None] if info.optional else made


def entries(info: FieldInfo) -> list[Any]:
    """Return one of each thing in a registry, its fields other than at first."""
    assert info.registry is not None
    made = [(cls, make(cls)) for _, cls in info.registry.items()]
    return [
        attrs.evolve(spec, **{i.name: other_values(i)[0] for i in field_infos(cls)})
        for cls, spec in made
    ]


def give(qtbot: QtBot, editor: Editor, value: Any) -> None:
    """Do what a person does to give a value to a field."""
    if isinstance(editor, LineEditor):
        give_text(qtbot, editor.line, show(value))
    elif isinstance(editor, NameOrPathEditor):
        give_text(qtbot, editor.line, value)
        qtbot.keyClick(editor.line, Qt.Key.Key_Return)
    elif isinstance(editor, BooleanEditor):
        for _ in range(3):
            if editor.value != value:
                qtbot.keyClick(editor.box, Qt.Key.Key_Space)
    elif isinstance(editor, ChoiceEditor):
        pick(qtbot, editor.box, value)
    elif isinstance(editor, SpecEditor):
        name = None if value is None else editor.info.registry.name_of(value)  # type: ignore[union-attr]
        pick(qtbot, editor.box, name)
        fill(qtbot, editor.form, value)
    elif isinstance(editor, SpecsEditor):
        while len(editor.value or ()) < len(value):
            qtbot.mouseClick(editor.add_button, Qt.MouseButton.LeftButton)
        while len(editor.value) > len(value):
            qtbot.mouseClick(editor.entries[0].remove, Qt.MouseButton.LeftButton)
        for entry, one in zip(editor.entries, value, strict=True):
            give(qtbot, entry.editor, one)
    else:
        assert isinstance(editor, ObjectEditor)
        if editor.given is not None and (value is None) != (editor.value is None):
            qtbot.mouseClick(editor.given, Qt.MouseButton.LeftButton)
        fill(qtbot, editor.form, value)


def give_text(qtbot: QtBot, line: QLineEdit, text: str) -> None:
    line.selectAll()
    qtbot.keyClick(line, Qt.Key.Key_Delete)
    qtbot.keyClicks(line, text)


def pick(qtbot: QtBot, box: QComboBox, data: Any) -> None:
    wanted = box.findData(data)
    assert wanted >= 0
    for _ in range(box.count()):
        if box.currentIndex() != wanted:
            down = box.currentIndex() < wanted
            qtbot.keyClick(box, Qt.Key.Key_Down if down else Qt.Key.Key_Up)


def fill(qtbot: QtBot, form: Form | None, spec: Any) -> None:
    if spec is not None:
        assert form is not None
        for name, editor in form.editors.items():
            give(qtbot, editor, getattr(spec, name))


def shown_form(qtbot: QtBot, spec: Any) -> Form:
    form = Form(type(spec))
    qtbot.addWidget(form)
    form.set_spec(spec)
    form.show()
    return form


@pytest.mark.parametrize(("cls", "info"), FIELDS)
def test_a_person_can_give_every_value_to_every_field(
    qtbot: QtBot, cls: type[Any], info: FieldInfo
) -> None:
    form = shown_form(qtbot, make(cls))
    told: list[Any] = []
    form.spec_edited.connect(lambda spec, name: told.append((spec, name)))
    for value in other_values(info):
        before = form.spec
        give(qtbot, form.editors[info.name], value)
        assert getattr(form.spec, info.name) == value
        assert form.spec == attrs.evolve(before, **{info.name: value})
        if form.spec != before:
            assert told[-1][0] == form.spec
            assert told[-1][1] == told[-1][1].lower()
        # A form that is told the value shows the same.
        other = shown_form(qtbot, form.spec)
        for name, editor in other.editors.items():
            assert editor.value == getattr(form.spec, name)
            assert not editor.fault


def test_each_kind_of_field_has_an_editor() -> None:
    assert set(EDITORS) == set(Kind.__args__)  # type: ignore[attr-defined]
    assert {info.kind for info in field_infos(Everything)} == set(EDITORS)


@pytest.mark.parametrize("cls", [*REGISTERED, TrainingSpec, DataSpec, Everything])
def test_each_control_says_what_it_is_and_is_reached_by_tab(qtbot: QtBot, cls: type[Any]) -> None:
    form = shown_form(qtbot, make(cls))
    for kind in (QLineEdit, QAbstractButton, QComboBox):
        for control in form.findChildren(kind):
            assert control.accessibleName(), control
            assert control.toolTip(), control
            assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control


@pytest.mark.parametrize(
    ("field", "text"), [("count", "10"), ("count", "x"), ("rate", "0"), ("shape", "1, a")]
)
def test_what_does_not_fit_is_said_and_not_applied(qtbot: QtBot, field: str, text: str) -> None:
    form = shown_form(qtbot, Everything())
    editor = form.editors[field]
    assert isinstance(editor, LineEditor)
    give_text(qtbot, editor.line, text)
    assert "Give " in editor.fault
    assert editor.line.property("fault")
    assert form.spec.shape == (1,)  # what was typed up to there may have fitted
    assert editor.info.accepts(getattr(form.spec, field))
    # The same state again leaves what is being typed; Escape takes it back.
    form.set_spec(form.spec)
    assert editor.line.text() == text
    qtbot.keyClick(editor.line, Qt.Key.Key_Escape)
    assert not editor.fault
    assert editor.line.text() == show(getattr(form.spec, field))


def test_another_value_from_outside_takes_the_place_of_what_was_typed(qtbot: QtBot) -> None:
    form = shown_form(qtbot, Everything())
    editor = form.editors["count"]
    assert isinstance(editor, LineEditor)
    give_text(qtbot, editor.line, "many")
    form.set_spec(Everything(count=5))
    assert (editor.line.text(), editor.fault) == ("5", "")


def test_fields_that_do_not_go_together_are_refused_where_they_were_edited(qtbot: QtBot) -> None:
    form = shown_form(qtbot, Range(0, 5))
    low = form.editors["low"]
    assert isinstance(low, LineEditor)
    with qtbot.assertNotEmitted(form.spec_edited):
        give_text(qtbot, low.line, "7")
    assert "low: 7 is not below 5. Make it smaller." in low.fault
    assert form.spec == Range(0, 5)
    give_text(qtbot, low.line, "3")
    assert form.spec == Range(3, 5)
    assert not low.fault


def test_keys_step_numbers_within_their_range(qtbot: QtBot) -> None:
    form = shown_form(qtbot, Everything())
    count, rate = form.editors["count"], form.editors["rate"]
    assert isinstance(count, LineEditor)
    assert isinstance(rate, LineEditor)
    qtbot.keyClick(count.line, Qt.Key.Key_Up)
    assert form.spec.count == 4
    qtbot.keyClick(count.line, Qt.Key.Key_PageUp)
    assert form.spec.count == 9
    qtbot.keyClick(count.line, Qt.Key.Key_PageDown)
    assert form.spec.count == 1
    qtbot.keyClick(rate.line, Qt.Key.Key_Down)
    assert form.spec.rate == 0.2
    for _ in range(5):
        qtbot.keyClick(rate.line, Qt.Key.Key_Up)
    assert form.spec.rate == 2.0


def test_a_word_instead_of_a_number_is_a_button_too(qtbot: QtBot) -> None:
    form = shown_form(qtbot, Everything(count=6))
    editor = form.editors["count"]
    (button,) = (b for b in editor.findChildren(QAbstractButton) if b.text() == "full")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert form.spec.count == "full"
    assert button.isChecked()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert form.spec.count == 6
    form.set_spec(Everything(count="full"))
    assert button.isChecked()


def test_another_kind_of_thing_brings_its_own_fields(qtbot: QtBot) -> None:
    form = shown_form(qtbot, Everything())
    drawn = form.editors["drawn"]
    assert isinstance(drawn, SpecEditor)
    assert drawn.form is not None
    with qtbot.waitSignal(form.spec_edited) as edited:
        give_text(qtbot, drawn.form.editors["side"].line, "4")  # type: ignore[attr-defined]
    assert edited.args == [Everything(drawn=Square(4.0)), "side"]
    with qtbot.waitSignal(form.spec_edited) as edited:
        pick(qtbot, drawn.box, "dot")
    assert edited.args == [Everything(drawn=Dot()), "drawn"]
    assert not drawn.below.isVisible()  # type: ignore[union-attr]
    form.set_spec(Everything(drawn=Square(9.0)))
    assert drawn.form.editors["side"].value == 9.0


def test_the_last_of_a_row_cannot_be_removed(qtbot: QtBot) -> None:
    form = shown_form(qtbot, Everything(several=(Square(), Dot())))
    row = form.editors["several"]
    assert isinstance(row, SpecsEditor)
    qtbot.mouseClick(row.entries[0].remove, Qt.MouseButton.LeftButton)
    assert form.spec.several == (Dot(),)
    assert not row.entries[0].remove.isEnabled()


def test_a_file_can_be_chosen(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    form = shown_form(qtbot, Everything())
    editor = form.editors["place"]
    assert isinstance(editor, NameOrPathEditor)
    answers = iter([("", ""), ("/data/digits.npz", "")])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: next(answers))
    with qtbot.assertNotEmitted(form.spec_edited):
        qtbot.mouseClick(editor.browse, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(editor.browse, Qt.MouseButton.LeftButton)
    assert form.spec.place == "/data/digits.npz"


def test_a_path_is_applied_when_it_is_complete(qtbot: QtBot) -> None:
    form = shown_form(qtbot, Everything())
    editor = form.editors["place"]
    assert isinstance(editor, NameOrPathEditor)
    qtbot.waitUntil(form.isActiveWindow)
    editor.control.setFocus()
    with qtbot.assertNotEmitted(form.spec_edited):
        give_text(qtbot, editor.line, "some/file")
    form.editors["note"].control.setFocus()
    assert form.spec.place == "some/file"


def test_the_wheel_does_not_change_a_box(qtbot: QtBot) -> None:
    box = Combo()
    qtbot.addWidget(box)
    box.addItems(["a", "b"])
    box.show()
    middle = QPointF(box.rect().center())
    turn = QWheelEvent(
        middle,
        QPointF(box.mapToGlobal(middle.toPoint())),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(box, turn)
    assert box.currentText() == "a"


def test_objects_are_forms_within_forms(qtbot: QtBot) -> None:
    form = shown_form(qtbot, Everything())
    corner = form.editors["corner"]
    assert isinstance(corner, ObjectEditor)
    assert corner.form is not None
    give_text(qtbot, corner.form.editors["x"].line, "-4")  # type: ignore[attr-defined]
    assert form.spec.corner == Corner(-4)

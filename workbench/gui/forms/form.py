"""The form of a spec: a row for each of its fields, forms within forms where a field is a spec.

Responsible for making editors from fields and a new spec from an edit; knows no particular spec.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from workbench.core.errors import InputError
from workbench.gui.forms.choice_editors import BooleanEditor, ChoiceEditor, choice_box
from workbench.gui.forms.editor import Editor
from workbench.gui.forms.line_editors import LineEditor, NameOrPathEditor
from workbench.gui.forms.values import label_of, make, tip_of
from workbench.gui.theme.spacing import S
from workbench.spec.field_info import FieldInfo
from workbench.spec.fields import field_infos

#: A label of usual length: the column of labels is as wide at least.
_LABEL = "Pixel scale"


class Form(QWidget):
    """Edits one spec.

    Parameters
    ----------
    cls
        The class of the specs that are shown.
    names
        Fields to show, all of them unless told.
    level
        How many forms this one stands in.

    Signals
    -------
    spec_edited(object, str)
        The spec as the person edited it, and the name of the field: "units".
    """

    spec_edited = Signal(object, str)

    def __init__(
        self,
        cls: type[Any],
        names: tuple[str, ...] | None = None,
        level: int = 0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.cls = cls
        self.level = level
        self.editors: dict[str, Editor] = {}
        self._spec: Any = None
        self._rows = QFormLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setHorizontalSpacing(S.m)
        self._rows.setVerticalSpacing(S.xs)
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._rows.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for info in field_infos(cls):
            if names is None or info.name in names:
                self._add_row(info)

    @property
    def spec(self) -> Any:
        """The spec that is shown, with the person's edits."""
        return self._spec

    def set_spec(self, spec: Any) -> None:
        """Show a spec of the form's class; what is being typed stays where nothing changed."""
        self._spec = spec
        for name, editor in self.editors.items():
            editor.set_value(getattr(spec, name))
        self.follow(None)

    def fault(self) -> str:
        """Return what is wrong with the first entry that was refused; nothing where all is well."""
        refused = (editor for editor in self.findChildren(Editor) if editor.fault)
        return next((f"{editor.label}: {editor.fault}" for editor in refused), "")

    def follow(self, before: QWidget | None) -> None:
        """Let Tab go from `before` to the form, and through it in the order of its rows.

        Qt puts what is made later last, wherever it stands.
        """
        for control in self.findChildren(QWidget):
            reached = bool(control.focusPolicy() & Qt.FocusPolicy.TabFocus)
            # What has a proxy is part of another control, and lists of boxes are other windows.
            whole = control.focusProxy() is None and control.window() is self.window()
            if reached and whole:
                if before is not None:
                    QWidget.setTabOrder(before, control)
                before = control

    def _add_row(self, info: FieldInfo) -> None:
        editor = make_editor(info)
        editor.level = self.level
        editor.value_edited.connect(partial(self._on_editor_value_edited, info.name))
        self.editors[info.name] = editor
        label = QLabel(label_of(info))
        label.setToolTip(tip_of(info))
        # The fields of forms within forms stand below one another.
        width = self.fontMetrics().horizontalAdvance(_LABEL) - self.level * S.l
        label.setMinimumWidth(max(width, 0))
        label.setBuddy(editor.control or editor)
        self._rows.addRow(label, editor)
        if editor.below is not None:
            self._rows.addRow(editor.below)

    def _on_editor_value_edited(self, field: str, value: Any, name: str) -> None:
        try:
            spec = attrs.evolve(self._spec, **{field: value})
        except InputError as error:  # the fields do not go together
            self.editors[field].refuse(getattr(self._spec, field), error)
            return
        self._spec = spec
        self.spec_edited.emit(spec, name)


class SpecEditor(Editor):
    """Edits one registered thing: which one it is, and beneath it its own fields."""

    def __init__(self, info: FieldInfo, parent: QWidget | None = None) -> None:
        super().__init__(info, parent)
        assert info.registry is not None
        self._registry = info.registry
        self.box = choice_box(info)
        self.box.activated.connect(self._on_box_activated)
        self._add(self.box)
        self._column = self._make_below()
        self.form: Form | None = None

    def _show_value(self) -> None:
        name = None if self._value is None else self._registry.name_of(self._value)
        self.box.setCurrentIndex(self.box.findData(name))
        self.form = _fit_form(self, self.form, self._column, self._on_form_spec_edited)
        self._show_below(self.form is not None and bool(self.form.editors))

    def _on_box_activated(self, index: int) -> None:
        name = self.box.itemData(index)
        if name is not None and type(self._value) is self._registry[name]:
            return
        self._apply(None if name is None else make(self._registry[name]), show=True)

    def _on_form_spec_edited(self, spec: Any, name: str) -> None:
        self._apply(spec, name)


class ObjectEditor(Editor):
    """Edits a spec of one known class, beneath its row."""

    def __init__(self, info: FieldInfo, parent: QWidget | None = None) -> None:
        super().__init__(info, parent)
        assert info.spec is not None
        self._cls = info.spec
        self._column = self._make_below()
        self.form: Form | None = None
        self.given: QToolButton | None = None
        if info.optional:
            self.given = QToolButton()
            self.given.setText("set")
            self.given.setCheckable(True)
            self.given.clicked.connect(self._on_given_clicked)
            self._add(self.given)

    def _show_value(self) -> None:
        self.form = _fit_form(self, self.form, self._column, self._on_form_spec_edited)
        if self.given is not None:
            self.given.setChecked(self._value is not None)

    def _on_given_clicked(self, checked: bool) -> None:
        self._apply(make(self._cls) if checked else None, show=True)

    def _on_form_spec_edited(self, spec: Any, name: str) -> None:
        self._apply(spec, name)


@attrs.frozen
class _Entry:
    """One thing of a row: the box that holds its editor, and the button that removes it."""

    box: QWidget
    editor: SpecEditor
    remove: QToolButton


class SpecsEditor(Editor):
    """Edits a row of registered things: each with its fields, to be removed or added to."""

    def __init__(self, info: FieldInfo, parent: QWidget | None = None) -> None:
        super().__init__(info, parent)
        assert info.registry is not None
        self._registry = info.registry
        self._one = attrs.evolve(info, kind="spec", optional=False)
        self.add_button = QToolButton()
        self.add_button.setText(f"Add {info.registry.kind}")
        self.add_button.clicked.connect(self._on_add_button_clicked)
        self._add(self.add_button, f"{self.label}: add {info.registry.kind}")
        self._column = self._make_below()
        self.entries: list[_Entry] = []

    def _show_value(self) -> None:
        row = self._value or ()
        while len(self.entries) > len(row):
            box = self.entries.pop().box
            self._column.removeWidget(box)
            box.hide()
            box.deleteLater()
        while len(self.entries) < len(row):
            self.entries.append(self._new_entry(len(self.entries)))
        for entry, value in zip(self.entries, row, strict=True):
            entry.editor.set_value(value)
            entry.remove.setEnabled(self.info.optional or len(row) > 1)

    def _new_entry(self, index: int) -> _Entry:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        editor = SpecEditor(attrs.evolve(self._one, label=f"{self.label} {index + 1}"), box)
        editor.value_edited.connect(partial(self._on_entry_value_edited, index))
        remove = QToolButton()
        remove.setText("Remove")
        remove.setToolTip(f"Remove {editor.label}.")
        remove.setAccessibleName(f"Remove {editor.label}")
        remove.clicked.connect(partial(self._on_remove_clicked, index))
        editor.append(remove)
        column.addWidget(editor)
        if editor.below is not None:
            column.addWidget(editor.below)
        self._column.addWidget(box)
        return _Entry(box, editor, remove)

    def _on_add_button_clicked(self) -> None:
        _, cls = self._registry.items()[0]
        self._apply((*(self._value or ()), make(cls)), show=True)

    def _on_remove_clicked(self, index: int) -> None:
        left = self._value[:index] + self._value[index + 1 :]
        self._apply(left or None, show=True)

    def _on_entry_value_edited(self, index: int, value: Any, name: str) -> None:
        self._apply((*self._value[:index], value, *self._value[index + 1 :]), name)


def _fit_form(
    editor: Editor, form: Form | None, column: QVBoxLayout, edited: Callable[[Any, str], None]
) -> Form | None:
    """Return a form in `column` that shows an editor's value: the present one where it suits."""
    spec = editor.value
    if form is not None and (spec is None or form.cls is not type(spec)):
        column.removeWidget(form)
        form.hide()
        form.deleteLater()
        form = None
    if form is None and spec is not None:
        form = Form(type(spec), level=editor.level + 1)
        form.spec_edited.connect(edited)
        column.addWidget(form)
    if form is not None:
        form.set_spec(spec)
    return form


#: The editor of each kind of field.
EDITORS: dict[str, Callable[[FieldInfo], Editor]] = {
    "integer": LineEditor,
    "number": LineEditor,
    "boolean": BooleanEditor,
    "choice": ChoiceEditor,
    "text": LineEditor,
    "name_or_path": NameOrPathEditor,
    "integers": LineEditor,
    "numbers": LineEditor,
    "spec": SpecEditor,
    "specs": SpecsEditor,
    "object": ObjectEditor,
}


def make_editor(info: FieldInfo) -> Editor:
    """Return the editor that suits a field."""
    return EDITORS[info.kind](info)

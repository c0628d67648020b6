"""Editors that offer what there is: true or false, one word of several, or nothing at all.

Responsible for choosing; knows no spec.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QWidget

from workbench.gui.forms.editor import Editor
from workbench.gui.forms.values import sentence_of
from workbench.gui.widgets.combo import Combo
from workbench.spec.field_info import FieldInfo

#: How a box says that nothing is chosen.
NOTHING = "not set"


class BooleanEditor(Editor):
    """Edits true or false, or the lack of both."""

    def __init__(self, info: FieldInfo, parent: QWidget | None = None) -> None:
        super().__init__(info, parent)
        self.box = QCheckBox()
        self.box.setTristate(info.optional)
        self.box.clicked.connect(self._on_box_clicked)
        self._add(self.box)
        self._add_unit()

    def _show_value(self) -> None:
        if self._value is None:
            self.box.setCheckState(Qt.CheckState.PartiallyChecked)
        else:
            self.box.setChecked(self._value)

    def _on_box_clicked(self) -> None:
        state = self.box.checkState()
        unset = state == Qt.CheckState.PartiallyChecked
        self._apply(None if unset else state == Qt.CheckState.Checked)


class ChoiceEditor(Editor):
    """Edits one word of several; those of a registry are offered as it is when the form is made."""

    def __init__(self, info: FieldInfo, parent: QWidget | None = None) -> None:
        super().__init__(info, parent)
        self.box = choice_box(info)
        self.box.activated.connect(self._on_box_activated)
        self._add(self.box)
        self._add_unit()

    def _show_value(self) -> None:
        self.box.setCurrentIndex(self.box.findData(self._value))

    def _on_box_activated(self, index: int) -> None:
        self._apply(self.box.itemData(index))


def choice_box(info: FieldInfo) -> Combo:
    """Return a box with the field's words, each with what the registry's entry says of itself."""
    box = Combo()
    box.setMinimumContentsLength(6)
    if info.optional:
        box.addItem(NOTHING, None)
    for word in info.options:
        box.addItem(word, word)
        if info.registry is not None:
            tip = sentence_of(info.registry[word])
            box.setItemData(box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
    return box

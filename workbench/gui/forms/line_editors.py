"""Editors of one line of text: numbers, rows of numbers, texts, names and paths.

Responsible for typing, stepping and refusing; knows no spec.
"""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QToolButton, QWidget

from workbench.core.errors import SpecError
from workbench.gui.forms.editor import Editor
from workbench.gui.forms.values import parse, show
from workbench.gui.widgets.combo import Combo
from workbench.gui.widgets.icon_button import IconButton
from workbench.spec.field_info import FieldInfo

#: Characters of the longest row of numbers that can be typed.
_MAX_LENGTH = 10_000_000

#: What the arrow and page keys add to a whole number, and by how many notches they move others.
_STEPS = {
    Qt.Key.Key_Up: 1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_PageUp: 10,
    Qt.Key.Key_PageDown: -10,
}


class Line(QLineEdit):
    """A line of text that leaves undo to the window.

    Signals
    -------
    stepped(int)
        An arrow or page key asks for more, or less, by so much.
    given_up()
        Escape was pressed.
    """

    stepped = Signal(int)
    given_up = Signal()

    def event(self, event: QEvent) -> bool:
        """Let Ctrl+Z undo edits of the document, of which this line shows one."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            undoing = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
            if any(event.matches(key) for key in undoing):
                event.ignore()
                return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Tell steps and Escape."""
        step = _STEPS.get(Qt.Key(event.key()))
        if step is not None and event.modifiers() in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.KeypadModifier,
        ):
            self.stepped.emit(step)
        elif event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)


class LineEditor(Editor):
    """Edits what fits on a line; each text that fits is applied while it is typed."""

    def __init__(self, info: FieldInfo, parent: QWidget | None = None) -> None:
        super().__init__(info, parent)
        self.line = Line()
        self.line.setMaxLength(_MAX_LENGTH)
        if info.optional:
            self.line.setPlaceholderText("not set")
        self.line.textEdited.connect(self._on_line_text_edited)
        self.line.editingFinished.connect(self._on_line_editing_finished)
        self.line.given_up.connect(self._on_line_given_up)
        self.line.stepped.connect(self._on_line_stepped)
        self._add(self.line)
        self._add_unit()
        self._words: list[QToolButton] = [self._word_button(word) for word in info.choices]
        self._last_number: Any = None

    def show_fault(self, fault: Any) -> None:
        """Mark the line too."""
        super().show_fault(fault)
        self.line.setProperty("fault", fault is not None)
        self.line.style().polish(self.line)

    def _show_value(self) -> None:
        self.line.setText(show(self._value))
        self.line.setCursorPosition(0)
        self._show_words()

    def _show_words(self) -> None:
        for button in self._words:
            button.setChecked(self._value == button.text())
        if not isinstance(self._value, str):
            self._last_number = self._value

    def _word_button(self, word: str) -> QToolButton:
        button = QToolButton()
        button.setText(word)
        button.setCheckable(True)
        button.setToolTip(f"{self.label}: {word}, instead of a number.\n{self.info.help}")
        button.setAccessibleName(f"{self.label}: {word}")
        button.clicked.connect(self._on_word_clicked)
        self._row.addWidget(button)
        return button

    def _on_word_clicked(self, checked: bool) -> None:
        button = self.sender()
        assert isinstance(button, QToolButton)
        number = self._last_number
        if number is None:
            number = self.info.default if isinstance(self.info.default, int) else 1
        self._take_text(button.text() if checked else show(number))

    def _on_line_text_edited(self, text: str) -> None:
        try:
            value = parse(self.info, text)
        except SpecError as error:
            self.show_fault(error)
            return
        self._apply(value)
        self._show_words()

    def _on_line_editing_finished(self) -> None:
        if not self.fault:
            self.line.setText(show(self._value))

    def _on_line_given_up(self) -> None:
        self.show_fault(None)
        self._show_value()

    def _on_line_stepped(self, step: int) -> None:
        value = self._value
        if self.info.kind == "integer" and isinstance(value, int):
            low, high = self.info.minimum, self.info.maximum
            moved = value + step
            moved = moved if low is None else max(moved, int(low))
            self._take_text(show(moved if high is None else min(moved, int(high))))
        elif self.info.kind == "number" and isinstance(value, float) and value > 0:
            stepped = next_notch(value, up=step > 0)
            if self.info.accepts(stepped):
                self._take_text(show(stepped))

    def _take_text(self, text: str) -> None:
        self.line.setText(text)
        self._on_line_text_edited(text)


class NameOrPathEditor(Editor):
    """Edits the name of something known or the path of a file; applied when it is complete."""

    def __init__(self, info: FieldInfo, parent: QWidget | None = None) -> None:
        super().__init__(info, parent)
        self.box = Combo()
        self.box.setEditable(True)
        self.box.setLineEdit(Line())
        self.box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.box.setMinimumContentsLength(8)
        self.box.addItems(info.options)
        line = self.box.lineEdit()
        assert isinstance(line, Line)
        self.line = line
        line.editingFinished.connect(self._on_line_editing_finished)
        line.given_up.connect(self._on_line_given_up)
        self.box.activated.connect(self._on_box_activated)
        self._add(self.box)
        line.setAccessibleName(self._spoken_name())
        line.setToolTip(self.box.toolTip())
        self.browse = IconButton(
            "open", f"{self.label}: choose a file", f"Chooses a file: {self.label}."
        )
        self.browse.clicked.connect(self._on_browse_clicked)
        self._row.addWidget(self.browse)

    def show_fault(self, fault: Any) -> None:
        """Mark the box too."""
        super().show_fault(fault)
        self.box.setProperty("fault", fault is not None)
        self.box.style().polish(self.box)

    def _show_value(self) -> None:
        self.box.setCurrentText(show(self._value))

    def _take_text(self, text: str) -> None:
        try:
            value = parse(self.info, text)
        except SpecError as error:
            self.show_fault(error)
            return
        self._apply(value)

    def _on_line_editing_finished(self) -> None:
        self._take_text(self.box.currentText())

    def _on_line_given_up(self) -> None:
        self.show_fault(None)
        self._show_value()

    def _on_box_activated(self, index: int) -> None:
        self._take_text(self.box.itemText(index))

    def _on_browse_clicked(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, f"Choose a file: {self.label}")
        if path:
            self.box.setCurrentText(path)
            self._take_text(path)


def next_notch(value: float, up: bool) -> float:
    """Return the next number of 1, 2, 5, 10, 20, ... above or below a positive one."""
    exponent = math.floor(math.log10(value))
    notches = [float(f"{digit}e{exponent + k}") for k in (-1, 0, 1) for digit in (1, 2, 5)]
    if up:
        return next((notch for notch in notches if notch > value), value)
    return next((notch for notch in reversed(notches) if notch < value), value)

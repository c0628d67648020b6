"""The row of tools of a canvas: undo, redo, clear, paste and the brush.

Responsible for buttons that do what the canvas does by keys; knows nothing of what is drawn.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from workbench.gui.theme.spacing import S
from workbench.gui.widgets.canvas import Canvas
from workbench.gui.widgets.icon_button import IconButton
from workbench.gui.widgets.sheet import SIDE
from workbench.gui.widgets.surface import LARGEST_BRUSH, SMALLEST_BRUSH


class DrawTools(QWidget):
    """Buttons and a slider.

    Parameters
    ----------
    canvas
        What they work on.
    """

    def __init__(self, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._undo = IconButton(
            "undo",
            "Undo stroke",
            f"Take the last stroke back ({_keys(QKeySequence.StandardKey.Undo)} on the canvas)",
        )
        self._redo = IconButton(
            "redo",
            "Redo stroke",
            "Draw again what was taken back "
            f"({_keys(QKeySequence.StandardKey.Redo)} on the canvas)",
        )
        self._clear = IconButton(
            "remove",
            "Clear the drawing",
            "Take all ink away (C or Delete on the canvas);\n"
            "the right mouse button or Shift erases a part",
        )
        self._paste = IconButton(
            "paste",
            "Paste a picture",
            f"Put the clipboard's picture on the canvas ({_keys(QKeySequence.StandardKey.Paste)} "
            "on the canvas);\nPNG and JPEG files can be dropped on it, too",
        )
        self._brush = QSlider(Qt.Orientation.Horizontal)
        self._brush.setAccessibleName("Brush size")
        self._brush.setToolTip(
            f"Brush size: {SMALLEST_BRUSH} to {LARGEST_BRUSH} of the canvas's {SIDE} pixels "
            "([ and ] on the canvas)"
        )
        self._brush.setRange(SMALLEST_BRUSH, LARGEST_BRUSH)
        self._brush.setValue(canvas.brush)
        self._brush.setMinimumWidth(S.xl + S.l)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(S.xs)
        for widget in (self._undo, self._redo, self._clear, self._paste):
            row.addWidget(widget)
        row.addSpacing(S.s)
        row.addWidget(self._brush)
        self._undo.clicked.connect(canvas.undo)
        self._redo.clicked.connect(canvas.redo)
        self._clear.clicked.connect(canvas.clear)
        self._paste.clicked.connect(canvas.paste)
        self._brush.valueChanged.connect(canvas.set_brush)
        canvas.brush_changed.connect(self._brush.setValue)
        canvas.drawn.connect(self._on_canvas_drawn)
        self._on_canvas_drawn()

    def _on_canvas_drawn(self) -> None:
        sheet = self._canvas.sheet
        self._undo.setEnabled(sheet.can_undo)
        self._redo.setEnabled(sheet.can_redo)
        self._clear.setEnabled(not sheet.is_blank)


def _keys(key: QKeySequence.StandardKey) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)

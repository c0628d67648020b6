"""A large image of a matrix of numbers, in which a cell can be pointed at.

Responsible for drawing it and for telling the cell; knows nothing of what the numbers mean.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui.theme.palette import current, hub
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.colour_maps import to_rgba

_ARROWS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class NumberImage(QWidget):
    """Shows a matrix in the diverging colours; mouse and arrow keys point at one of its cells.

    Signals
    -------
    cell_pointed(int, int)
        Row and column that are pointed at, from 0; -1 and -1 where none is.
    """

    cell_pointed = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._numbers = np.zeros((0, 0))
        self._scale = 0.0
        self._cell = (-1, -1)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        hub().palette_changed.connect(self.update)

    def set_numbers(self, numbers: np.ndarray, scale: float) -> None:
        """Show a matrix; what is pointed at stays if there is such a cell.

        Parameters
        ----------
        numbers
            Of two axes; NaN is left out.
        scale
            The magnitude that gets the full colour.
        """
        if numbers.shape != self._numbers.shape:
            self._point(-1, -1)
        self._numbers, self._scale = numbers, scale
        self.update()

    def cell(self) -> tuple[int, int]:
        """Return row and column that are pointed at, from 0, or -1 and -1."""
        return self._cell

    def image_rect(self) -> QRect:
        """Return where the matrix is drawn: at the top left, in cells of whole pixels."""
        rows, columns = self._numbers.shape
        if not rows * columns:
            return QRect()
        room = self.contentsRect().adjusted(1, 1, -1, -1)
        side = min(room.width() / columns, room.height() / rows)
        side = float(int(side)) if side >= 1 else side
        return QRect(room.topLeft(), QSize(round(side * columns), round(side * rows)))

    def sizeHint(self) -> QSize:
        """Return room for 28 x 28 cells of 9 pixels."""
        return QSize(9 * 28 + S.xs, 9 * 28 + S.xs)

    def minimumSizeHint(self) -> QSize:
        """Return room for 28 x 28 cells of 4 pixels."""
        return QSize(4 * 28 + S.xs, 4 * 28 + S.xs)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the matrix and a frame around the cell."""
        place = self.image_rect()
        if place.isEmpty():
            return
        palette, painter = current(), QPainter(self)
        pixels = to_rgba(self._numbers, self._scale, palette)
        rows, columns = self._numbers.shape
        image = QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGBA8888)
        painter.drawImage(place, image)
        focused = self.hasFocus()
        painter.setPen(QPen(QColor(palette.accent if focused else palette.border), 1))
        painter.drawRect(place.adjusted(-1, -1, 0, 0))
        row, column = self._cell
        if row >= 0:
            painter.setPen(QPen(QColor(palette.text), 1))
            painter.drawRect(self._cell_rect(row, column).adjusted(-1, -1, 0, 0))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Point at what is under the mouse."""
        place, at = self.image_rect(), event.position().toPoint()
        if not place.contains(at):
            self._point(-1, -1)
            return
        rows, columns = self._numbers.shape
        self._point(
            (at.y() - place.top()) * rows // place.height(),
            (at.x() - place.left()) * columns // place.width(),
        )

    def leaveEvent(self, event: QEvent) -> None:
        """Point at nothing, unless the keyboard does."""
        if not self.hasFocus():
            self._point(-1, -1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move to the next cell, or point at nothing."""
        move = _ARROWS.get(Qt.Key(event.key()))
        row, column = self._cell
        if event.key() == Qt.Key.Key_Escape and row >= 0:
            self._point(-1, -1)
        elif move is not None and self._numbers.size:
            rows, columns = self._numbers.shape
            self._point(
                min(max(row + move[0], 0), rows - 1), min(max(column + move[1], 0), columns - 1)
            )
        else:
            super().keyPressEvent(event)

    def _cell_rect(self, row: int, column: int) -> QRect:
        place = self.image_rect()
        rows, columns = self._numbers.shape
        corner = QPoint(
            place.left() + column * place.width() // columns,
            place.top() + row * place.height() // rows,
        )
        return QRect(
            corner, QSize(max(1, place.width() // columns), max(1, place.height() // rows))
        )

    def _point(self, row: int, column: int) -> None:
        if (row, column) != self._cell:
            self._cell = (row, column)
            self.update()
            self.cell_pointed.emit(row, column)

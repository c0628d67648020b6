"""A square to draw on: what is on it, how it looks and when that is told.

Responsible for sheet, brush and painting; knows neither mouse nor keyboard.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui.theme.palette import current, hub
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.sheet import SIDE, Sheet

#: Width of the brush in pixels of the sheet; 14 are one of MNIST's.
SMALLEST_BRUSH, LARGEST_BRUSH, USUAL_BRUSH = 12, 80, 34

#: Milliseconds between two signals while a stroke is drawn.
_PAUSE_MS = 50

#: What the surface looks like in either theme: MNIST's light on dark; and the keyboard's pen.
_PAPER, _FAINT, _PEN = "#000000", "#a0a8b2", "#ffb000"


class Surface(QWidget):
    """Shows a sheet and the pen above it.

    Signals
    -------
    drawn(object)
        The ink has changed: uint8 of shape (`SIDE`, `SIDE`), bright on 0. At most 20 times a
        second; what is there in the end is always told.
    brush_changed(int)
        The brush's width in pixels of the sheet.
    """

    drawn = Signal(object)
    brush_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.invitation = "Draw a digit"
        self._sheet = Sheet()
        self._brush = USUAL_BRUSH
        self._pen: QPointF | None = None  # where it is shown, in pixels of the sheet
        self._pen_is_bold = False
        self._untold = False
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._on_pause_timeout)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        hub().palette_changed.connect(self.update)

    @property
    def sheet(self) -> Sheet:
        """What is drawn; to be read only."""
        return self._sheet

    @property
    def brush(self) -> int:
        """Width of the brush in pixels of the sheet."""
        return self._brush

    def set_brush(self, width: int) -> None:
        """Choose the brush's width, within its bounds."""
        width = min(max(width, SMALLEST_BRUSH), LARGEST_BRUSH)
        if width != self._brush:
            self._brush = width
            self.update()
            self.brush_changed.emit(width)

    def undo(self) -> None:
        """Take back the last stroke, picture or clearing."""
        self._sheet.undo()
        self._tell(at_once=True)

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._sheet.redo()
        self._tell(at_once=True)

    def clear(self) -> None:
        """Take all ink away."""
        self.lift()
        self._sheet.clear()
        self._tell(at_once=True)

    def put(self, picture: np.ndarray, label: int | None = None) -> None:
        """Show a picture: uint8 of shape (height, width), ink bright on 0, and its known class."""
        self.lift()
        self._sheet.put(picture, label)
        self._tell(at_once=True)

    def begin(self, place: QPointF, erase: bool) -> None:
        """Put pen or rubber down, at a place on the sheet."""
        if not (erase and self._sheet.is_blank):  # that would leave a step without effect
            self._sheet.begin(place, self._brush, erase)
            self._tell(at_once=False)

    def extend(self, place: QPointF) -> None:
        """Lead the pen on."""
        self._sheet.extend(place)
        self._tell(at_once=False)

    def lift(self) -> None:
        """End the stroke that is under way, if one is, and tell how it looks."""
        if self._sheet.drawing:
            self._sheet.end()
            self.update()
            if self._untold:
                self._tell(at_once=True)

    def show_pen(self, place: QPointF | None, bold: bool = False) -> None:
        """Show where the pen is and how wide; boldly where no mouse shows it."""
        self._pen, self._pen_is_bold = place, bold
        self.update()

    def _tell(self, at_once: bool) -> None:
        """Say that the ink has changed, now or when the last word is some time ago."""
        self.update()
        if at_once or not self._pause.isActive():
            self._untold = False
            self._pause.start()
            self.drawn.emit(self._sheet.to_array())
        else:
            self._untold = True

    def _on_pause_timeout(self) -> None:
        if self._untold:
            self._tell(at_once=True)

    def sizeHint(self) -> QSize:
        """Return a size that is comfortable to draw on."""
        return QSize(280, 280)

    def hasHeightForWidth(self) -> bool:
        """Return that the surface is a square."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the width: the surface is a square."""
        return width

    def square(self) -> QRectF:
        """Return where the sheet lies on the widget."""
        side = float(min(self.width(), self.height()))
        return QRectF((self.width() - side) / 2, 0.0, side, side)

    def on_sheet(self, place: QPointF) -> QPointF:
        """Return the place on the sheet that lies under a place on the widget."""
        square = self.square()
        return (place - square.topLeft()) * (SIDE / square.width())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ink, the frame, the pen and the invitation."""
        square = self.square()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setClipRect(square)
        painter.fillRect(square, QColor(_PAPER))
        painter.drawImage(square, self._sheet.image)
        if self.invitation and self._sheet.is_blank and not self._sheet.drawing:
            painter.setPen(QColor(_FAINT))
            words = square.adjusted(S.m, S.m, -S.m, -S.m)
            if self._pen is not None and self._pen_is_bold:  # it begins in the middle
                words.setBottom(square.center().y() - S.xl)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(words, flags, self.invitation)
        if self._pen is not None:
            self._draw_pen(painter, square, self._pen)
        focused, palette = self.hasFocus(), current()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(palette.accent if focused else palette.border), 1 + focused))
        inset = (1 + focused) / 2
        painter.drawRect(square.adjusted(inset, inset, -inset, -inset))

    def _draw_pen(self, painter: QPainter, square: QRectF, pen: QPointF) -> None:
        scale = square.width() / SIDE
        place, radius = square.topLeft() + pen * scale, self._brush / 2 * scale
        rings = ((_PAPER, 4.0), (_PEN, 2.0)) if self._pen_is_bold else ((_FAINT, 1.0),)
        for colour, width in rings:  # light on dark, so that it stands out from ink and paper
            painter.setPen(QPen(QColor(colour), width))
            filled = self._pen_is_bold and self._sheet.drawing
            painter.setBrush(QColor(colour) if filled else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(place, radius, radius)

"""The drawing surface: strokes by mouse, pen or keyboard, pictures by paste and drop.

Responsible for what the person does on it; knows nothing of networks.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QMimeData, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDropEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.core.errors import DataError
from workbench.gui.theme.palette import current, hub
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.pictures import holds_picture, read_picture
from workbench.gui.widgets.sheet import SIDE, Sheet

#: Width of the brush in pixels of the sheet; 14 are one of MNIST's.
SMALLEST_BRUSH, LARGEST_BRUSH, USUAL_BRUSH, _BRUSH_STEP = 12, 80, 34, 4

#: Milliseconds between two signals while a stroke is drawn.
_PAUSE_MS = 50

#: How far an arrow key moves the pen, in pixels of the sheet.
_STRIDE = 14.0

_ARROWS = {
    Qt.Key.Key_Left: QPointF(-_STRIDE, 0),
    Qt.Key.Key_Right: QPointF(_STRIDE, 0),
    Qt.Key.Key_Up: QPointF(0, -_STRIDE),
    Qt.Key.Key_Down: QPointF(0, _STRIDE),
}
_CLEARING = (Qt.Key.Key_C, Qt.Key.Key_Escape, Qt.Key.Key_Delete, Qt.Key.Key_Backspace)

#: What the surface looks like in either theme: MNIST's light on dark.
_PAPER, _FAINT = "#000000", "#a0a8b2"

HELP = (
    "Draw with the mouse or a pen. By keyboard: the arrow keys move the cursor, "
    "with Space or Shift held they draw; two arrows together go askew. "
    "[ and ] change the brush, Ctrl+Z takes a stroke back, C, Escape or Delete clears, "
    "Ctrl+V pastes a picture; one can be dropped, too."
)


class Canvas(QWidget):
    """A square to draw on.

    Signals
    -------
    drawn(object)
        The ink has changed: uint8 of shape (`SIDE`, `SIDE`), bright on 0. At most 20 times a
        second; what is there in the end is always told.
    brush_changed(int)
        The brush's width in pixels of the sheet.
    refused(str, str)
        A picture could not be taken: what happened, and what to do.
    """

    drawn = Signal(object)
    brush_changed = Signal(int)
    refused = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.invitation = "Draw a digit"
        self._sheet = Sheet()
        self._brush = USUAL_BRUSH
        self._cursor = QPointF(SIDE / 2, SIDE / 2)
        self._cursor_shown = False
        self._arrows: set[Qt.Key] = set()
        self._space_held = False
        self._untold = False
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._on_pause_timeout)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMinimumSize(168, 168)
        self.setAccessibleName("Drawing surface")
        self.setAccessibleDescription(HELP)
        self.setToolTip(HELP)
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

    def clear(self) -> None:
        """Take all ink away."""
        self._lift()
        self._sheet.clear()
        self._tell(at_once=True)

    def put(self, picture: np.ndarray) -> None:
        """Show a picture: uint8 of shape (height, width), ink bright on 0."""
        self._lift()
        self._sheet.put(picture)
        self._tell(at_once=True)

    def paste(self) -> None:
        """Take the clipboard's picture."""
        self._take(QGuiApplication.clipboard().mimeData())

    def _take(self, mime: QMimeData | None) -> None:
        try:
            picture = read_picture(mime)
        except DataError as error:
            self.refused.emit(error.message, error.hint)
        else:
            self.put(picture)

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

    def _begin(self, place: QPointF) -> None:
        self._sheet.begin(place, self._brush)
        self._tell(at_once=False)

    def _extend(self, place: QPointF) -> None:
        self._sheet.extend(place)
        self._tell(at_once=False)

    def _lift(self) -> None:
        """End the stroke that is under way, if one is, and tell how it looks."""
        if self._sheet.drawing:
            self._sheet.end()
            if self._untold:
                self._tell(at_once=True)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the pen down."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._cursor_shown = False
            self._begin(self._on_sheet(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Lead the pen."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._extend(self._on_sheet(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Lift the pen."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._extend(self._on_sheet(event.position()))
            self._lift()

    def event(self, event: QEvent) -> bool:
        """Keep the canvas's own keys from the window's shortcuts while it has the focus."""
        asked = event.type() == QEvent.Type.ShortcutOverride
        if asked and isinstance(event, QKeyEvent) and self._is_own(event):
            event.accept()
            return True
        return super().event(event)

    def _is_own(self, event: QKeyEvent) -> bool:
        if event.matches(QKeySequence.StandardKey.Undo):
            return True
        if event.matches(QKeySequence.StandardKey.Paste) or event.text() in ("[", "]"):
            return True
        shift = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
        if event.modifiers() & ~shift:
            return False
        return event.key() in _ARROWS or event.key() in (Qt.Key.Key_Space, *_CLEARING)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Draw, move, take back, clear, paste or change the brush."""
        key = Qt.Key(event.key())
        if not self._is_own(event):
            super().keyPressEvent(event)
        elif event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif event.text() in ("[", "]"):
            self.set_brush(self._brush + (_BRUSH_STEP if event.text() == "]" else -_BRUSH_STEP))
        elif key in _CLEARING:
            self.clear()
        elif key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space_held = self._cursor_shown = True
                self._begin(self._cursor)
        else:
            self._arrows.add(key)
            self._move(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Lift the pen when the key that holds it down goes up."""
        key = Qt.Key(event.key())
        if event.isAutoRepeat():
            return
        self._arrows.discard(key)
        if key == Qt.Key.Key_Space:
            self._space_held = False
        if key in (Qt.Key.Key_Space, Qt.Key.Key_Shift) and not self._space_held:
            self._lift()
            self.update()
        super().keyReleaseEvent(event)

    def _move(self, shift: bool) -> None:
        """Move the cursor by the arrows that are held, drawing if the pen is down."""
        if shift and not self._sheet.drawing:
            self._begin(self._cursor)
        way = QPointF()
        for key in self._arrows:
            way += _ARROWS[key]
        place = self._cursor + way
        edge = self._brush / 2
        self._cursor = QPointF(
            min(max(place.x(), edge), SIDE - edge), min(max(place.y(), edge), SIDE - edge)
        )
        self._cursor_shown = True
        if self._sheet.drawing:
            self._extend(self._cursor)
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the cursor to whoever came by keyboard."""
        self._cursor_shown = event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
            Qt.FocusReason.ShortcutFocusReason,
        )
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Lift the pen: the keys that held it are let go elsewhere."""
        self._arrows.clear()
        self._space_held = False
        self._lift()
        super().focusOutEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome pictures; other files are for the window."""
        event.setAccepted(holds_picture(event.mimeData()))

    def dropEvent(self, event: QDropEvent) -> None:
        """Take a dropped picture."""
        event.acceptProposedAction()
        self._take(event.mimeData())

    def sizeHint(self) -> QSize:
        """Return a size that is comfortable to draw on."""
        return QSize(280, 280)

    def hasHeightForWidth(self) -> bool:
        """Return that the surface is a square."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the width: the surface is a square."""
        return width

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ink, the frame, and the keyboard's cursor or the invitation."""
        palette, square = current(), self._square()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(square, QColor(_PAPER))
        painter.drawImage(square, self._sheet.image)
        if self.invitation and self._sheet.is_blank and not self._sheet.drawing:
            painter.setPen(QColor(_FAINT))
            words = square.adjusted(S.m, S.m, -S.m, -S.m)
            if self._cursor_shown and self.hasFocus():  # the cursor begins in the middle
                words.setBottom(square.center().y() - S.xl)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(words, flags, self.invitation)
        if self._cursor_shown and self.hasFocus():
            self._draw_cursor(painter, square)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        focused = self.hasFocus()
        painter.setPen(QPen(QColor(palette.accent if focused else palette.border), 1 + focused))
        inset = (1 + focused) / 2
        painter.drawRect(square.adjusted(inset, inset, -inset, -inset))

    def _draw_cursor(self, painter: QPainter, square: QRectF) -> None:
        scale = square.width() / SIDE
        place, radius = square.topLeft() + self._cursor * scale, self._brush / 2 * scale
        # Dark inside light, so that it stands out from ink and paper.
        for colour, width in ((_PAPER, 4.0), ("#ffb000", 2.0)):
            painter.setPen(QPen(QColor(colour), width))
            painter.setBrush(QColor(colour) if self._sheet.drawing else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(place, radius, radius)

    def _square(self) -> QRectF:
        side = float(min(self.width(), self.height()))
        return QRectF((self.width() - side) / 2, 0.0, side, side)

    def _on_sheet(self, place: QPointF) -> QPointF:
        square = self._square()
        return (place - square.topLeft()) * (SIDE / square.width())

"""The drawing surface under the hand: strokes by mouse, pen or keyboard, and pictures.

Responsible for what the person does on it; knows nothing of networks.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QKeyCombination, QMimeData, QPointF, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPointingDevice,
)
from PySide6.QtWidgets import QWidget

from workbench.core.errors import DataError
from workbench.gui.widgets.pictures import holds_picture, read_picture
from workbench.gui.widgets.sheet import SIDE
from workbench.gui.widgets.surface import Surface

#: How far an arrow key moves the pen, and how much a bracket widens it, in pixels of the sheet.
_STRIDE, _BRUSH_STEP = 14.0, 4

_ARROWS = {
    Qt.Key.Key_Left: QPointF(-_STRIDE, 0),
    Qt.Key.Key_Right: QPointF(_STRIDE, 0),
    Qt.Key.Key_Up: QPointF(0, -_STRIDE),
    Qt.Key.Key_Down: QPointF(0, _STRIDE),
}
_CLEARING = (Qt.Key.Key_C, Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
_REDOING = QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_Y)

#: What the keys do while the surface has the focus.
KEYS = (
    ("Move the pen; with two keys, askew", "Arrow keys"),
    ("Put the pen down, or lift it", "Space"),
    ("Put the rubber down, or lift it", "Shift+Space"),
    ("Thinner or thicker brush", "[ or ]"),
    ("Undo a stroke", "Ctrl+Z"),
    ("Redo a stroke", "Ctrl+Shift+Z or Ctrl+Y"),
    ("Clear the drawing", "C or Delete"),
    ("Paste a picture", "Ctrl+V"),
)

HELP = (
    "Draw with the mouse or a pen; the right button or Shift erases.\n"
    "By keyboard: the arrow keys move the pen, Space puts it down or lifts it,\n"
    "Shift+Space the rubber; [ and ] change the brush.\n"
    "Pictures can be pasted and dropped."
)


class Canvas(Surface):
    """A square to draw on.

    Signals
    -------
    refused(str, str)
        A picture could not be taken: what happened, and what to do.
    """

    refused = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._button = Qt.MouseButton.NoButton  # that holds the pen down
        self._cursor = QPointF(SIDE / 2, SIDE / 2)  # the keyboard's pen
        self._arrows: set[Qt.Key] = set()
        self._space_held = self._moved = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setAccessibleName("Drawing surface")
        self.setAccessibleDescription(HELP.replace("\n", " "))
        self.setToolTip(HELP)

    def paste(self) -> None:
        """Take the clipboard's picture."""
        self.take(QGuiApplication.clipboard().mimeData())

    def take(self, mime: QMimeData | None) -> None:
        """Show the picture that was pasted or dropped, or say why that cannot be."""
        try:
            picture = read_picture(mime)
        except DataError as error:
            self.refused.emit(error.message, error.hint)
        else:
            self.put(picture)

    def lift(self) -> None:
        """End the stroke that is under way, whatever holds the pen down."""
        self._button, self._space_held = Qt.MouseButton.NoButton, False
        super().lift()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the pen or the rubber down, unless another button holds it already."""
        place, button = event.position(), event.button()
        if self._button != Qt.MouseButton.NoButton or not self.square().contains(place):
            return
        if button in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            erase = (
                button == Qt.MouseButton.RightButton
                or bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
                or event.pointerType() == QPointingDevice.PointerType.Eraser
            )
            self.lift()
            self._button = button
            self.show_pen(self.on_sheet(place))
            self.begin(self.on_sheet(place), erase)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Lead the pen; beyond the edge, too, from where it may come back."""
        place = self.on_sheet(event.position())
        if self._button != Qt.MouseButton.NoButton:
            self.extend(place)
        if self._button != Qt.MouseButton.NoButton or not self.sheet.drawing:
            self.show_pen(place)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Lift the pen."""
        if event.button() == self._button:
            self.extend(self.on_sheet(event.position()))
            self.lift()

    def leaveEvent(self, event: QEvent) -> None:
        """Show the mouse's pen no more."""
        if not self._pen_is_bold:
            self.show_pen(None)

    def event(self, event: QEvent) -> bool:
        """Keep the canvas's own keys from the window's shortcuts while it has the focus."""
        if event.type() == QEvent.Type.ToolTip and not self.sheet.is_blank:
            return True  # it would lie on the drawing
        asked = event.type() == QEvent.Type.ShortcutOverride
        if asked and isinstance(event, QKeyEvent) and self._is_own(event):
            event.accept()
            return True
        return super().event(event)

    def _is_own(self, event: QKeyEvent) -> bool:
        if event.matches(QKeySequence.StandardKey.Undo) or _is_redo(event):
            return True
        if event.matches(QKeySequence.StandardKey.Paste) or event.text() in ("[", "]"):
            return True
        shift = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
        if event.modifiers() & ~shift:
            return False
        if event.key() == Qt.Key.Key_Escape:
            return self.sheet.drawing
        return event.key() in _ARROWS or event.key() in (Qt.Key.Key_Space, *_CLEARING)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Draw, move, take back, clear, paste or change the brush."""
        key = Qt.Key(event.key())
        if not self._is_own(event):
            super().keyPressEvent(event)
        elif event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
        elif _is_redo(event):
            self.redo()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif event.text() in ("[", "]"):
            self.set_brush(self.brush + (_BRUSH_STEP if event.text() == "]" else -_BRUSH_STEP))
        elif key in _CLEARING:
            self.clear()
        elif key == Qt.Key.Key_Escape:
            self.lift()
        elif key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._put_down_or_lift(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        else:
            self._arrows.add(key)
            self._move()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Lift the pen where its key was held while it drew, not where it was only pressed."""
        if event.isAutoRepeat():
            return
        key = Qt.Key(event.key())
        self._arrows.discard(key)
        if key == Qt.Key.Key_Space:
            if self._space_held and self._moved:
                self.lift()
            self._space_held = False
        super().keyReleaseEvent(event)

    def _put_down_or_lift(self, erase: bool) -> None:
        if self.sheet.drawing:
            self.lift()
        else:
            self._space_held, self._moved = True, False
            self.begin(self._cursor, erase)
        self.show_pen(self._cursor, bold=True)

    def _move(self) -> None:
        """Move the cursor by the arrows that are held, drawing if the pen is down."""
        self._moved = True
        way = QPointF()
        for key in self._arrows:
            way += _ARROWS[key]
        place = self._cursor + way
        edge = self.brush / 2
        self._cursor = QPointF(
            min(max(place.x(), edge), SIDE - edge), min(max(place.y(), edge), SIDE - edge)
        )
        if self.sheet.drawing and self._button == Qt.MouseButton.NoButton:
            self.extend(self._cursor)
        self.show_pen(self._cursor, bold=True)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the pen to whoever came by keyboard."""
        if event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
            Qt.FocusReason.ShortcutFocusReason,
        ):
            self.show_pen(self._cursor, bold=True)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Lift the pen: the keys that held it are let go elsewhere."""
        self._arrows.clear()
        self.lift()
        self.show_pen(None)
        super().focusOutEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome pictures; other files are for the window."""
        event.setAccepted(holds_picture(event.mimeData()))

    def dropEvent(self, event: QDropEvent) -> None:
        """Take a dropped picture."""
        event.acceptProposedAction()
        self.take(event.mimeData())


def _is_redo(event: QKeyEvent) -> bool:
    return event.matches(QKeySequence.StandardKey.Redo) or event.keyCombination() == _REDOING

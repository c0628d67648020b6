"""The cards of a stack, one below the other: chosen, moved and removed by mouse and by keyboard.

Responsible for telling what the person wants with a card; changes none itself and knows no spec.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from workbench.gui.theme.palette import current
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.layer_card import CardText, LayerCard

#: Thickness of the line that shows where a dragged card would go.
_MARK_PX = 2


class CardList(QWidget):
    """A column of cards, of which one is chosen; the cards that cannot move stand first.

    Signals
    -------
    index_chosen(int)
        Another card was chosen by the person.
    move_wanted(int, int)
        The card of the first index is to stand where the second one is.
    removal_wanted(int), copy_wanted(int)
        The card is to go, or to be there twice.
    opening_wanted()
        The chosen card's form is to be gone to.
    drag_moved(QPoint)
        A card is being dragged, and the mouse is there, in the list's coordinates.
    """

    index_chosen = Signal(int)
    move_wanted = Signal(int, int)
    removal_wanted = Signal(int)
    copy_wanted = Signal(int)
    opening_wanted = Signal()
    drag_moved = Signal(QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Layers")
        self.setToolTip(
            "The layers, from the input to the output.\n"
            "Up and Down choose, Alt+Up and Alt+Down move, Delete removes, Ctrl+D duplicates,\n"
            "Enter goes to the layer's form."
        )
        self.cards: list[LayerCard] = []
        self._chosen = 0
        self._pressed: tuple[int, QPoint] | None = None
        self._gap: int | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(_MARK_PX, _MARK_PX, _MARK_PX, _MARK_PX)
        self._column.setSpacing(S.xs)
        self._column.addStretch(1)

    @property
    def chosen(self) -> int:
        """Index of the chosen card."""
        return self._chosen

    @property
    def is_dragging(self) -> bool:
        """Whether a card is being dragged."""
        return self._gap is not None

    def show_texts(self, texts: Sequence[CardText]) -> None:
        """Show these cards; those that are there already stay."""
        while len(self.cards) > len(texts):
            card = self.cards.pop()
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        while len(self.cards) < len(texts):
            card = LayerCard(self)
            self._column.insertWidget(len(self.cards), card)
            self.cards.append(card)
        for card, text in zip(self.cards, texts, strict=True):
            if card.text != text:
                card.show_text(text)
        self._end_drag()
        self.choose(min(self._chosen, len(self.cards) - 1))

    def choose(self, index: int) -> None:
        """Choose a card, without a signal."""
        self._chosen = index
        for number, card in enumerate(self.cards):
            card.set_chosen(number == index)
        text = self.cards[index].text
        self.setAccessibleDescription(f"{text.title}, {index} of {len(self.cards) - 1}. {text.tip}")

    def settle(self) -> None:
        """Let the cards take their places now, so that it is known where they are."""
        self._column.activate()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose, move, remove or duplicate."""
        key, modifiers = event.key(), event.modifiers()
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(key))
        plain = not modifiers & ~Qt.KeyboardModifier.KeypadModifier
        if step is not None and modifiers & Qt.KeyboardModifier.AltModifier:
            self._want_move(self._chosen, self._chosen + step)
        elif step is not None and plain:
            self._choose_as_asked(self._chosen + step)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End) and plain:
            self._choose_as_asked(0 if key == Qt.Key.Key_Home else len(self.cards) - 1)
        elif key == Qt.Key.Key_Delete and plain:
            self.removal_wanted.emit(self._chosen)
        elif key == Qt.Key.Key_D and modifiers == Qt.KeyboardModifier.ControlModifier:
            self.copy_wanted.emit(self._chosen)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2) and plain:
            self.opening_wanted.emit()
        elif key == Qt.Key.Key_Escape and self.is_dragging:
            self._end_drag()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Keep the keys of the list from shortcuts of the window while it has the focus."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            control = event.modifiers() == Qt.KeyboardModifier.ControlModifier
            if event.key() == Qt.Key.Key_Delete or (control and event.key() == Qt.Key.Key_D):
                event.accept()
                return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the card under the mouse; it may be the beginning of a drag."""
        index = self._card_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index is not None:
            self._choose_as_asked(index)
            self._pressed = (index, event.position().toPoint())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show where the dragged card would go."""
        if self._pressed is None:
            return
        index, start = self._pressed
        at = event.position().toPoint()
        far = (at - start).manhattanLength() >= QApplication.startDragDistance()
        if (far or self.is_dragging) and self.cards[index].text.movable:
            self._gap = self._gap_at(at)
            self.drag_moved.emit(at)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Drop the card."""
        pressed, gap = self._pressed, self._gap
        self._end_drag()
        if pressed is not None and gap is not None:
            index = pressed[0]
            self._want_move(index, gap - 1 if gap > index else gap)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go to the form."""
        self.opening_wanted.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the focus and the place of a dragged card."""
        painter = QPainter(self)
        accent = QColor(current().accent)
        if self.hasFocus() and self.cards:
            around = self.cards[self._chosen].geometry()
            painter.setPen(accent)
            painter.drawRoundedRect(around.adjusted(-1, -1, 0, 0), 6, 6)
        if self._gap is not None:
            below = self.cards[self._gap - 1].geometry().bottom()
            middle = below + (S.xs + _MARK_PX) // 2 - _MARK_PX // 2
            painter.fillRect(QRect(0, middle, self.width(), _MARK_PX), accent)
        painter.end()

    def _card_at(self, point: QPoint) -> int | None:
        rows = (k for k, card in enumerate(self.cards) if card.geometry().contains(point))
        return next(rows, None)

    def _gap_at(self, point: QPoint) -> int:
        """Return the number of the card before which a card dropped here would stand."""
        above = sum(card.geometry().center().y() < point.y() for card in self.cards)
        fixed = sum(not card.text.movable for card in self.cards)
        return max(above, fixed)

    def _choose_as_asked(self, index: int) -> None:
        if 0 <= index < len(self.cards) and index != self._chosen:
            self.choose(index)
            self.index_chosen.emit(index)

    def _want_move(self, index: int, target: int) -> None:
        inside = 0 <= target < len(self.cards)
        if inside and index != target and self._both_movable(index, target):
            self.move_wanted.emit(index, target)

    def _both_movable(self, index: int, target: int) -> bool:
        return self.cards[index].text.movable and self.cards[target].text.movable

    def _end_drag(self) -> None:
        self._pressed = self._gap = None
        self.update()

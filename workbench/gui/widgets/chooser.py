"""A list that opens over the window, to search and choose from: names, each with a sentence.

Responsible for finding and choosing; knows nothing of what the names stand for.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from workbench.gui.theme.palette import current
from workbench.gui.theme.spacing import S

#: Width of the list, and the most rows that it shows at once.
_WIDTH = 360
_ROWS = 7

#: Width of the words: what margins and a scroll bar leave.
_TEXT_WIDTH = _WIDTH - 4 * S.s - S.l

_SENTENCE = Qt.ItemDataRole.UserRole


class Chooser(QFrame):
    """Opens below a button and offers entries.

    Parameters
    ----------
    what
        What is chosen, for the search's hint: "layer".

    Signals
    -------
    name_chosen(str)
        The person chose an entry; the list is closed.
    """

    name_chosen = Signal(str)

    def __init__(self, what: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.search = QLineEdit()
        self.search.setPlaceholderText(f"Search for a {what}")
        self.search.setAccessibleName(f"Search for a {what}")
        self.search.setToolTip("Words of the name or of the sentence. Enter takes the chosen one.")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._on_search_text_changed)
        self.search.installEventFilter(self)
        self.entries = QListWidget()
        self.entries.setAccessibleName(f"{what} to choose from".capitalize())
        self.entries.setToolTip("Up and Down choose, Enter or a click takes, Esc closes.")
        self.entries.setItemDelegate(_TwoLines(self.entries))
        self.entries.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.entries.setUniformItemSizes(False)
        self.entries.itemClicked.connect(self._on_entries_item_clicked)
        self.entries.itemActivated.connect(self._on_entries_item_clicked)
        self._nothing = QLabel(f"No {what} is called so or says so. Try another word.")
        self._nothing.setProperty("role", "muted")
        self._nothing.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(S.s, S.s, S.s, S.s)
        column.setSpacing(S.s)
        for widget in (self.search, self.entries, self._nothing):
            column.addWidget(widget)

    def offer(self, entries: Sequence[tuple[str, str]]) -> None:
        """Offer these names, each with its sentence."""
        self.entries.clear()
        for name, sentence in entries:
            item = QListWidgetItem(name)
            item.setData(_SENTENCE, sentence)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{name}: {sentence}")
            self.entries.addItem(item)
        self.search.clear()
        self._on_search_text_changed("")

    def open_below(self, button: QWidget) -> None:
        """Show the list below a button, inside the screen."""
        rows = range(min(_ROWS, self.entries.count()))
        height = sum(self.entries.sizeHintForRow(row) for row in rows)
        self.entries.setFixedHeight(height + 2 * self.entries.frameWidth())
        self.setFixedWidth(max(_WIDTH, button.width()))
        self.adjustSize()
        corner = button.mapToGlobal(button.rect().bottomLeft())
        room = button.screen().availableGeometry()
        x = max(room.left(), min(corner.x(), room.right() - self.width()))
        if corner.y() + self.height() > room.bottom():
            corner.setY(button.mapToGlobal(button.rect().topLeft()).y() - self.height())
        self.move(x, max(room.top(), corner.y()))
        self.show()
        self.search.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close on Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys move through the list while the search is typed."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
                self._go(-1 if event.key() == Qt.Key.Key_Up else 1)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                item = self.entries.currentItem()
                if item in self._shown():
                    self._on_entries_item_clicked(item)
                return True
        return super().eventFilter(watched, event)

    def found(self) -> list[str]:
        """Return the names that the search leaves."""
        return [item.text() for item in self._shown()]

    def _shown(self) -> list[QListWidgetItem]:
        items = [self.entries.item(row) for row in range(self.entries.count())]
        return [item for item in items if not item.isHidden()]

    def _go(self, step: int) -> None:
        shown = self._shown()
        item = self.entries.currentItem()
        at = shown.index(item) + step if item in shown else 0
        if 0 <= at < len(shown):
            self.entries.setCurrentItem(shown[at])

    def _on_search_text_changed(self, text: str) -> None:
        words = text.casefold().split()
        for row in range(self.entries.count()):
            item = self.entries.item(row)
            said = f"{item.text()} {item.data(_SENTENCE)}".casefold()
            item.setHidden(not all(word in said for word in words))
        shown = self._shown()
        # A name is meant before a sentence is.
        named = [item for item in shown if item.text().casefold().startswith(text.casefold())]
        if shown:
            self.entries.setCurrentItem((named or shown)[0])
        self.entries.setVisible(bool(shown))
        self._nothing.setVisible(not shown)

    def _on_entries_item_clicked(self, item: QListWidgetItem) -> None:
        self.close()
        self.name_chosen.emit(item.text())


class _TwoLines(QStyledItemDelegate):
    """Draws a name in bold and its sentence below, on as many lines as it needs."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        palette = current()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if chosen:
            painter.fillRect(option.rect, option.palette.brush(QPalette.ColorRole.Highlight))
        inside = option.rect.adjusted(S.s, S.xs, 0, -S.xs)
        inside.setWidth(_TEXT_WIDTH)
        font = option.font
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(palette.accent_text if chosen else palette.text)
        painter.drawText(inside, Qt.AlignmentFlag.AlignTop, index.data())
        font.setBold(False)
        painter.setFont(font)
        painter.setPen(palette.accent_text if chosen else palette.muted)
        below = inside.adjusted(0, option.fontMetrics.height(), 0, 0)
        painter.drawText(below, Qt.TextFlag.TextWordWrap, index.data(_SENTENCE))
        painter.restore()

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        metrics = option.fontMetrics
        room = QRect(0, 0, _TEXT_WIDTH, 1000)
        said = metrics.boundingRect(room, Qt.TextFlag.TextWordWrap, index.data(_SENTENCE))
        return QSize(room.width(), metrics.height() + said.height() + 2 * S.xs)

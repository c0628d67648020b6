"""A scrollable wall of small images of one size, with captions and marks.

Responsible for placing, drawing and choosing them; knows nothing of what they show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs
import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPixmap,
    QPolygon,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from workbench.gui.theme.palette import current, hub
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.contact_sheet import contact_sheet

#: About the least and the largest size of the longer side of an image, in logical pixels.
_LEAST_SIDE, _LARGEST_SIDE = 56, 168

_NONE = Qt.KeyboardModifier.NoModifier
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


@attrs.define(eq=False)
class _Scene:
    """What images in view stand in; it stays while only their pixels change.

    Attributes
    ----------
    looks
        All that it depends on.
    behind
        Ground, captions and the frames of what is chosen or under the mouse.
    images
        Where each image in view is drawn, and where in the sheet it is.
    marked
        Where the images are that stand out.
    """

    looks: tuple[object, ...]
    behind: QPixmap
    images: list[tuple[QRect, QRect]] = attrs.Factory(list)
    marked: list[QRect] = attrs.Factory(list)


class ImageWall(QAbstractScrollArea):
    """Shows images in rows, as many in a row as fit; all of them are kept in one `QImage`.

    One of them may be chosen, by a click or by the arrow keys, Home, End and the page keys; a
    double click or Return activates it. Arrow keys that lead outside are left to the parent.

    Attributes
    ----------
    invitation
        What stands there while there are no images.

    Signals
    -------
    item_hovered(int)
        The image under the mouse; -1 where there is none.
    item_clicked(int)
        An image was chosen, by mouse or keyboard.
    item_activated(int)
        It was double-clicked, or Return was pressed on it.
    """

    item_hovered = Signal(int)
    item_clicked = Signal(int)
    item_activated = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.invitation = ""
        self._pixels = np.zeros((0, 0), np.uint8)  # what the sheet looks into
        self._sheet = QImage()
        self._sheet_columns = 1
        self._image = QSize(1, 1)
        self._factor = 1  # by which images are enlarged
        self._cell, self._columns = QSize(1, 1), 1  # a place with its caption, and places in a row
        self._count = 0
        self._captions: list[str] = []
        self._shortened: list[str] = []  # as far as they fit their places
        self._marks: list[bool] = []
        self._current = self._hovered = -1
        self._scene: _Scene | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        # Every pixel is painted, so that Qt need not paint all that lies below first.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        hub().palette_changed.connect(self.viewport().update)

    def set_images(
        self, images: np.ndarray, captions: Sequence[str] = (), marks: Sequence[bool] = ()
    ) -> None:
        """Show other images; the choice stays where it was if there is such a place.

        Parameters
        ----------
        images
            Bytes, grey or RGBA. They are copied.
        captions
            A few characters below each image; none at all where empty.
        marks
            Which images are to stand out; none where empty.

        Shapes
        ------
        images : (n, height, width) or (n, height, width, 4), uint8
        """
        count = len(images)
        placed = (self._count, self._image, bool(self._captions))
        known, self._captions = self._captions, list(captions)
        self._marks = list(marks)
        self._count = count
        if count:
            self._image = QSize(images.shape[2], images.shape[1])
            self._pixels, self._sheet_columns = contact_sheet(images)
            height, width = self._pixels.shape[:2]
            colour = images.ndim == 4
            form = QImage.Format.Format_RGBA8888 if colour else QImage.Format.Format_Grayscale8
            self._sheet = QImage(self._pixels.data, width, height, self._pixels.strides[0], form)
        if placed != (count, self._image, bool(self._captions)):
            self._current = min(self._current, count - 1)
            self._hovered = -1
            self._arrange()
        elif known != self._captions:
            self._shorten()
        self.viewport().update()

    def set_current(self, index: int) -> None:
        """Choose an image without a signal and bring it into view; -1 chooses none."""
        self._current = index if index < self._count else -1
        if self._current >= 0:
            self._show(self._current)
        known = 0 <= self._current < len(self._captions)
        self.setAccessibleDescription(self._captions[self._current] if known else "")
        self.viewport().update()

    def count(self) -> int:
        """Return how many images there are."""
        return self._count

    def current(self) -> int:
        """Return the image that is chosen, or -1."""
        return self._current

    def image_rect(self, index: int) -> QRect:
        """Return where an image is drawn on the viewport, its caption left out."""
        return self._image_rect(self._cell_rect(index))

    def _image_rect(self, cell: QRect) -> QRect:
        drawn = self._drawn_size()
        return QRect(cell.topLeft() + QPoint((cell.width() - drawn.width()) // 2, S.xs), drawn)

    def index_at(self, place: QPoint) -> int:
        """Return the image whose cell holds a point of the viewport, or -1."""
        cell, columns = self._cell, self._columns
        column = (place.x() - S.xs) // cell.width()
        row = (place.y() - S.xs + self.verticalScrollBar().value()) // cell.height()
        index = row * columns + column
        return index if 0 <= column < columns and 0 <= index < self._count else -1

    def _drawn_size(self) -> QSize:
        return self._image * self._factor

    def _cell_rect(self, index: int) -> QRect:
        cell = self._cell
        row, column = divmod(index, self._columns)
        top = row * cell.height() + S.xs - self.verticalScrollBar().value()
        return QRect(QPoint(column * cell.width() + S.xs, top), cell)

    def _arrange(self) -> None:
        """Enlarge the images as long as all are in view; where they are not, let them scroll."""
        side = max(self._image.width(), self._image.height())
        least = max(1, round(_LEAST_SIDE / side))
        for factor in range(max(least, _LARGEST_SIDE // side), least - 1, -1):
            self._measure(factor)
            if self._height() <= self.viewport().height():
                break
        page, bar = self.viewport().height(), self.verticalScrollBar()
        bar.setRange(0, max(0, self._height() - page))
        bar.setPageStep(page)
        bar.setSingleStep(self._cell.height() // 2)
        self._shorten()

    def _measure(self, factor: int) -> None:
        """Note what room an image takes that is enlarged by a factor."""
        self._factor = factor
        drawn, room = self._drawn_size(), self.viewport().width() - 2 * S.xs
        least_width = max(drawn.width(), S.xl) + 2 * S.xs
        self._columns = max(1, room // least_width)
        # What is left over beside the last image is shared out among all.
        width = max(least_width, room // self._columns)
        caption = self.fontMetrics().height() if self._captions else 0
        self._cell = QSize(width, drawn.height() + caption + 2 * S.xs)

    def _shorten(self) -> None:
        metrics, width = self.fontMetrics(), self._cell.width()
        right = Qt.TextElideMode.ElideRight
        self._shortened = [metrics.elidedText(text, right, width) for text in self._captions]

    def _height(self) -> int:
        return math.ceil(self._count / self._columns) * self._cell.height() + 2 * S.xs

    def _show(self, index: int) -> None:
        cell, bar = self._cell_rect(index), self.verticalScrollBar()
        below = cell.bottom() + S.xs - self.viewport().height()
        if cell.top() < 0:
            bar.setValue(bar.value() + cell.top() - S.xs)
        elif below > 0:
            bar.setValue(bar.value() + below)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the images that are in view."""
        painter = QPainter(self.viewport())
        palette = current()
        # At some scales what is drawn below ends within the last pixel.
        painter.fillRect(event.rect(), self.palette().color(QPalette.ColorRole.Base))
        if not self._count:
            painter.setPen(QColor(palette.muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect(), flags, self.invitation)
            return
        scene = self._scene_in_view()
        painter.drawPixmap(0, 0, scene.behind)
        # All that is done for each of many images, several times a second while they are live.
        for place, source in scene.images:
            painter.drawImage(place, self._sheet, source)
        for place in scene.marked:
            _draw_mark(painter, QColor(palette.bad), place)

    def _scene_in_view(self) -> _Scene:
        """Return what the images stand in, as it was painted last unless it looks otherwise now."""
        viewport, bar = self.viewport(), self.verticalScrollBar()
        looks = (
            (viewport.size(), viewport.devicePixelRatioF(), bar.value(), self.font()),
            (current(), self.palette().color(QPalette.ColorRole.Base)),
            (self._shortened, self._marks, self._current, self._hovered, self.hasFocus()),
            (self._count, self._image, self._factor, self._cell, self._columns),
            self._sheet_columns,
        )
        if self._scene is None or self._scene.looks != looks:
            self._scene = self._drawn_scene(looks)
        return self._scene

    def _drawn_scene(self, looks: tuple[object, ...]) -> _Scene:
        """Return what the images in view stand in: their places, captions and the choice."""
        viewport, bar = self.viewport(), self.verticalScrollBar()
        ratio, cell, columns = viewport.devicePixelRatioF(), self._cell.height(), self._columns
        behind = QPixmap(viewport.size() * ratio)
        behind.setDevicePixelRatio(ratio)
        behind.fill(self.palette().color(QPalette.ColorRole.Base))
        painter = QPainter(behind)
        painter.setFont(self.font())
        scene = _Scene(looks, behind)
        first = max(0, (bar.value() - S.xs) // cell) * columns
        last = ((bar.value() + viewport.height()) // cell + 1) * columns
        for index in range(first, min(last, self._count)):
            self._draw_behind(painter, scene, index)
        painter.end()
        return scene

    def _draw_behind(self, painter: QPainter, scene: _Scene, index: int) -> None:
        palette, cell = current(), self._cell_rect(index)
        place = self._image_rect(cell)
        row, column = divmod(index, self._sheet_columns)
        corner = QPoint(column * self._image.width(), row * self._image.height())
        scene.images.append((place, QRect(corner, self._image)))
        marked = index < len(self._marks) and self._marks[index]
        if marked:
            scene.marked.append(place)
        if index == self._current:
            painter.fillRect(cell.adjusted(1, 1, -1, -1), QColor(palette.raised))
        if index < len(self._captions):
            painter.setPen(QColor(palette.bad if marked else palette.text))
            below = QRect(cell)
            below.setTop(place.bottom() + 1)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, self._shortened[index])
        if index in (self._current, self._hovered):
            chosen = index == self._current
            focused = chosen and self.hasFocus()
            colour = QColor(palette.accent if chosen else palette.muted)
            painter.setPen(QPen(colour, 2 if focused else 1))
            painter.drawRect(cell.adjusted(1, 1, -2, -2))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what is chosen in view when the rows break elsewhere."""
        super().resizeEvent(event)
        self._arrange()
        if self._current >= 0:
            self._show(self._current)

    def changeEvent(self, event: QEvent) -> None:
        """Make room for captions of another size."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._arrange()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Choose something, so that the keyboard has a place to start from."""
        super().focusInEvent(event)
        if self._current < 0 and self._count and event.reason() != Qt.FocusReason.MouseFocusReason:
            self._choose(0)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Draw the choice without the focus."""
        super().focusOutEvent(event)
        self.viewport().update()

    def viewportEvent(self, event: QEvent) -> bool:
        """Tell that nothing is under the mouse any more."""
        if event.type() == QEvent.Type.Leave:
            self._hover(-1)
        return super().viewportEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Note what is under the mouse."""
        self._hover(self.index_at(event.position().toPoint()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose what is under the mouse."""
        index = self.index_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index >= 0:
            self._choose(index)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Activate what is under the mouse."""
        index = self.index_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index >= 0:
            self.item_activated.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the choice, or activate it."""
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._current >= 0:
            self.item_activated.emit(self._current)
            return
        plain = event.modifiers() in (_NONE, Qt.KeyboardModifier.KeypadModifier)
        target = self._target(key) if plain else None
        if target is not None and 0 <= target < self._count:
            self._choose(target)
        else:
            event.ignore()  # the scroll area would scroll by some of them

    def _target(self, key: Qt.Key) -> int | None:
        """Return where a key leads, which may be outside; None for keys of other purpose."""
        columns = self._columns
        page = max(1, self.viewport().height() // self._cell.height()) * columns
        column, last = max(self._current, 0) % columns, self._count - 1
        steps = _STEPS | {Qt.Key.Key_Up: -columns, Qt.Key.Key_Down: columns}
        if key in steps:
            return self._current + steps[key] if self._current >= 0 else 0
        return {
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
            Qt.Key.Key_PageUp: max(self._current - page, column),
            Qt.Key.Key_PageDown: min(self._current + page, last),
        }.get(key)

    def _choose(self, index: int) -> None:
        self.set_current(index)
        self.item_clicked.emit(index)

    def _hover(self, index: int) -> None:
        if index != self._hovered:
            self._hovered = index
            self.viewport().update()
            self.item_hovered.emit(index)


def _draw_mark(painter: QPainter, colour: QColor, place: QRect) -> None:
    """Frame an image and fold its corner, so that not the colour alone tells."""
    painter.setPen(QPen(colour, 2))
    painter.drawRect(place.adjusted(0, 0, -1, -1))
    fold = max(8, place.width() // 5)
    painter.setBrush(colour)
    corner = place.topRight()
    painter.drawPolygon(QPolygon([corner, corner - QPoint(fold, 0), corner + QPoint(0, fold)]))
    painter.setBrush(Qt.BrushStyle.NoBrush)

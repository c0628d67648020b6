"""Three columns, the middle one of tabs; where the window is narrow, all of it is tabs.

Responsible for where the parts stand; knows nothing of what they show.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import attrs
from PySide6.QtCore import QByteArray, QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSplitter, QTabWidget, QWidget

from workbench.gui.theme.spacing import S

#: Before anybody has moved a boundary: parts of the width that the columns have, and the most of
#: the height that the first part of a side has; it has less where it needs less.
_WIDTHS = [0.22, 0.56, 0.22]
_FIRST_HEIGHT = 0.66


@attrs.frozen(eq=False)
class Part:
    """A widget with the title of its tab."""

    title: str
    widget: QWidget


class Columns(QWidget):
    """Parts beside each other, or behind each other.

    Parameters
    ----------
    left, right
        From top to bottom; may be empty. In a narrow window each side is a tab, called as its first
        part is, and its parts stand beside each other.
    middle
        In the order of their tabs.

    Attributes
    ----------
    tabs
        The middle; in a narrow window everything.

    Signals
    -------
    part_shown(object)
        The widget of a part came to the front with its tab.
    """

    part_shown = Signal(object)

    def __init__(
        self,
        left: Sequence[Part],
        middle: Sequence[Part],
        right: Sequence[Part],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._parts = [part.widget for part in (*left, *middle, *right)]
        for widget in self._parts:
            widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
            widget.setProperty("role", "pane")
        self._left, self._right = _Side(left), _Side(right)
        self._sides = [side for side in (self._left, self._right) if side.parts]
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Views")
        # Else Tab would come to the bar by way of the whole once more.
        self.tabs.setFocusProxy(None)  # type: ignore[arg-type]
        self.tabs.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.tabBar().setAccessibleName("Views")
        self.tabs.tabBar().setToolTip("Left and Right turn to another view.")
        for part in middle:
            self.tabs.addTab(part.widget, part.title)
        self.tabs.currentChanged.connect(self._on_tabs_current_changed)
        self._splitter = _splitter(Qt.Orientation.Horizontal)
        self._narrow = False
        self._wide_px = 0
        self._splitters = {
            "columns": self._splitter,
            "left": self._left.column,
            "right": self._right.column,
        }
        self._moved = dict.fromkeys(self._splitters, QByteArray())
        for splitter in self._splitters.values():
            splitter.splitterMoved.connect(self._on_splitter_moved)
        for side in self._sides:
            side.parts[0].widget.installEventFilter(self)
        self._stand_beside()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._splitter)

    @property
    def is_narrow(self) -> bool:
        """Whether the sides are tabs."""
        return self._narrow

    def go_to(self, part: QWidget) -> None:
        """Bring a part to the front; one of the sides gets the focus, too."""
        for index in range(self.tabs.count()):
            if _holds(self.tabs.widget(index), part):
                self.tabs.setCurrentIndex(index)
        if any(_holds(side.area, part) for side in self._sides):
            _give_focus(part)

    def layout_state(self) -> dict[str, QByteArray]:
        """Return where boundaries were moved to, to be kept."""
        return self._moved

    def restore_layout(self, state: dict[str, QByteArray]) -> None:
        """Put the boundaries where they were moved to, by `layout_state`'s names."""
        self._moved = {name: state[name] for name in self._splitters}
        if not self._narrow:
            for name, splitter in self._splitters.items():
                splitter.restoreState(state[name])
            self._spread()

    def minimumSizeHint(self) -> QSize:
        """Return what the tabs need: everything can become one."""
        return self.tabs.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the sides be tabs where there is no room for columns."""
        super().resizeEvent(event)
        if not self._narrow:
            self._wide_px = self._splitter.minimumSizeHint().width()
        narrow = event.size().width() < self._wide_px
        if narrow and not self._narrow:
            self._narrow = True
            self._stand_behind()
        elif self._narrow and not narrow:
            self._narrow = False
            self._stand_beside()
            self.restore_layout(self._moved)
        self._spread()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Give the first part of a side the room that it needs now."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._spread()
        return super().eventFilter(watched, event)

    def _spread(self) -> None:
        """Give every part its room, unless a person has done so."""
        if self._narrow or not self._moved["columns"].isEmpty():
            return
        width = self._splitter.width()
        self._splitter.setSizes([round(part * width) for part in _WIDTHS])
        for side in self._sides:
            # Sizes that do not fit would be scaled.
            height = side.column.height() - S.s * (len(side.parts) - 1)
            first = min(side.parts[0].widget.sizeHint().height(), round(_FIRST_HEIGHT * height))
            side.column.setSizes([first, height - first])

    def _stand_behind(self) -> None:
        front = self.tabs.currentWidget()
        for side in self._sides:
            side.column.setOrientation(Qt.Orientation.Horizontal)
            place = 0 if side is self._left else self.tabs.count()
            self.tabs.insertTab(place, side.area, side.parts[0].title)
        self.tabs.setCurrentWidget(front)
        self._order_tab([self.tabs.tabBar(), *_tab_stops(self._left.area)])

    def _stand_beside(self) -> None:
        for side in self._sides:
            side.column.setOrientation(Qt.Orientation.Vertical)
            if self.tabs.indexOf(side.area) >= 0:
                self.tabs.removeTab(self.tabs.indexOf(side.area))
        for place, column in enumerate((self._left.area, self.tabs, self._right.area)):
            self._splitter.insertWidget(place, column)
            self._splitter.setStretchFactor(place, int(column is self.tabs))
            column.show()
        for side in (self._left, self._right):
            side.area.setVisible(side in self._sides)
        self._order_tab([*_tab_stops(self._left.area), self.tabs.tabBar()])

    def _order_tab(self, stops: Sequence[QWidget]) -> None:
        """Let Tab go from one to the next; what stands elsewhere now is come to elsewhere."""
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)

    def _on_splitter_moved(self) -> None:
        if not self._narrow:
            self._moved = {name: each.saveState() for name, each in self._splitters.items()}

    def _on_tabs_current_changed(self, _: int) -> None:
        for widget in self._parts:
            if _holds(self.tabs.currentWidget(), widget):
                self.part_shown.emit(widget)


class _Side:
    """Parts that stay together, in an area that scrolls where there is no room for them."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.column = _splitter(Qt.Orientation.Vertical)
        for part in parts:
            self.column.addWidget(part.widget)
        self.area = _Area(self.column)


class _Area(QScrollArea):
    """Scrolls up and down only, and is never narrower than what stands in it."""

    def __init__(self, inside: QSplitter) -> None:
        super().__init__()
        self._inside = inside
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(inside)

    def sizeHint(self) -> QSize:
        """Return what would show all of it."""
        return self._inside.sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Return the width of what stands in it, and little height."""
        return QSize(self._inside.minimumSizeHint().width(), super().minimumSizeHint().height())


def _tab_stops(within: QWidget) -> list[QWidget]:
    """Return what Tab comes to inside, in that order, whether it is seen now or not."""
    found: list[QWidget] = []
    at = within.nextInFocusChain()
    while at is not None and at is not within:
        # What has a proxy is part of another control.
        reached = bool(at.focusPolicy() & Qt.FocusPolicy.TabFocus) and at.focusProxy() is None
        if reached and within.isAncestorOf(at) and at.window() is within.window():
            found.append(at)
        at = at.nextInFocusChain()
    return found


def _holds(page: QWidget | None, widget: QWidget) -> bool:
    return page is not None and (page is widget or page.isAncestorOf(widget))


def _give_focus(part: QWidget) -> None:
    """Give the focus to the control that a part has for its goal, or to its first one."""
    usable = [each for each in _tab_stops(part) if each.isVisible() and each.isEnabled()]
    goals = [each for each in usable if each.property("goal")]
    for control in [*goals, *usable][:1]:
        control.setFocus(Qt.FocusReason.ShortcutFocusReason)


def _splitter(orientation: Qt.Orientation) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setChildrenCollapsible(False)
    splitter.setHandleWidth(S.s)
    return splitter

"""A person at the window: what they do with the mouse, and the same with the keyboard alone.

Every event enters by the window, as the system's do, so that focus, popups, scrolling and whatever
stands in front decide where it goes.
"""

from __future__ import annotations

import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QMenu,
    QWidget,
)

from workbench.gui.actions import words
from workbench.gui.controller import Controller
from workbench.gui.widgets.canvas import Canvas
from workbench.gui.widgets.card_list import CardList
from workbench.gui.widgets.chooser import Chooser
from workbench.gui.widgets.image_wall import ImageWall

W = TypeVar("W", bound=QWidget)
KEY = Qt.Key
_LEFT = Qt.MouseButton.LeftButton
_NO_MODIFIER = Qt.KeyboardModifier.NoModifier

#: Movements of the mouse from one corner of a stroke to the next.
_MOVES = 6

#: Most turns of the wheel, or keys of one kind, with which something must be reached.
_PATIENCE = 200


def wait_until(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Let the window live until something is so."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        QTest.qWait(5)


def front() -> QWindow:
    """Return the window that gets the keys."""
    wait_until(QGuiApplication.focusWindow)  # it may be on its way from one to the other
    found = QGuiApplication.focusWindow()
    assert found is not None
    return found


def focus() -> QWidget:
    """Return what has the keys."""
    found = QApplication.focusWidget()
    assert found is not None
    return found


class Person(ABC):
    """Whoever sits at a window, finds things by their names and waits for what they see."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.window = controller.window

    # What is looked for -------------------------------------------------------------------------

    def find(self, kind: type[W], name: str, within: QWidget | None = None) -> W:
        """Return the one control in sight that has a name."""
        found = [
            widget
            for widget in (within or self.window).findChildren(kind)
            if widget.isVisible() and widget.accessibleName() == name
        ]
        assert len(found) == 1, f"{len(found)} are called {name!r}"
        return found[0]

    # What is done, by whatever means ------------------------------------------------------------

    def press(self, name: str, within: QWidget | None = None) -> None:
        """Press a button."""
        self._press(self.find(QAbstractButton, name, within))

    def choose(self, name: str, text: str, within: QWidget | None = None) -> None:
        """Choose an entry of a box."""
        box = self.find(QComboBox, name, within)
        self._open_list(box)
        view = box.view()
        wait_until(view.isVisible)
        self._take(view, box.findText(text))
        wait_until(lambda: not view.isVisible())
        assert box.currentText() == text

    def enter(self, name: str, text: str, within: QWidget | None = None) -> None:
        """Write a text into a line, instead of what stands there."""
        line = self.find(QLineEdit, name, within)
        self._go_to(line)
        self._write(text)
        assert line.text() == text

    def search(self, button: str, words: str, name: str) -> None:
        """Open a palette by its button, search it, and take what was searched for."""
        self.press(button)
        wait_until(lambda: isinstance(QApplication.activePopupWidget(), Chooser))
        chooser = QApplication.activePopupWidget()
        assert isinstance(chooser, Chooser)
        self.type(words)
        assert name in chooser.found()
        (item,) = chooser.entries.findItems(name, Qt.MatchFlag.MatchExactly)
        self._take(chooser.entries, chooser.entries.row(item))
        assert not chooser.isVisible()

    def order(self, title: str, text: str) -> None:
        """Take an entry of the menu bar."""
        bar = self.window.menuBar()
        menu_action = next(action for action in bar.actions() if words(action) == title)
        self._open_menu(menu_action)
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        assert menu.menuAction() is menu_action
        self._take_from_menu(menu, next(a for a in menu.actions() if words(a) == text))

    def name_file(self, path: str) -> None:
        """Name a file in the dialog that has opened, and agree."""
        wait_until(lambda: isinstance(QApplication.activeModalWidget(), QFileDialog))
        wait_until(lambda: isinstance(focus(), QLineEdit))
        self._write(path)

        def is_agreed() -> bool:
            dialog = QApplication.activeModalWidget()
            if dialog is not None:  # a list of suggestions may be before it, and be closed first
                self._agree(dialog)
            return QApplication.activeModalWidget() is None

        wait_until(is_agreed)
        self.window.activateWindow()  # as a window manager does

    def type(self, text: str) -> None:
        """Type on what has the keys."""
        for letter in text:
            code = KEY(ord(letter.upper()))
            QTest.sendKeyEvent(QTest.KeyAction.Click, front(), code, letter, _NO_MODIFIER)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = _NO_MODIFIER) -> None:
        """Press a key and let it go."""
        QTest.keyClick(front(), key, modifiers)

    def _write(self, text: str) -> None:
        self.key(KEY.Key_A, Qt.KeyboardModifier.ControlModifier)
        self.type(text)

    @abstractmethod
    def turn_to(self, title: str) -> None:
        """Bring a tab to the front."""

    @abstractmethod
    def choose_card(self, index: int) -> None:
        """Choose a card of the stack."""

    @abstractmethod
    def draw(self, corners: Sequence[tuple[float, float]], look: Callable[[], None]) -> None:
        """Draw one stroke along corners, parts of the canvas's sides; `look` at each of them."""

    @abstractmethod
    def look_at(self, wall: ImageWall, index: int) -> None:
        """Choose an image, the one before having been looked at."""

    @abstractmethod
    def _press(self, button: QAbstractButton) -> None: ...

    @abstractmethod
    def _go_to(self, line: QLineEdit) -> None: ...

    @abstractmethod
    def _open_list(self, box: QComboBox) -> None: ...

    @abstractmethod
    def _take(self, view: QAbstractItemView, row: int) -> None: ...

    @abstractmethod
    def _open_menu(self, action: QAction) -> None: ...

    @abstractmethod
    def _take_from_menu(self, menu: QMenu, action: QAction) -> None: ...

    @abstractmethod
    def _agree(self, dialog: QWidget) -> None: ...


class ByMouse(Person):
    """Points and clicks; only words are typed."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._pointed_at: QWidget = self.window

    def turn_to(self, title: str) -> None:
        bar = self.window.tabs.tabBar()
        index = next(k for k in range(bar.count()) if bar.tabText(k) == title)
        self.click(bar, bar.tabRect(index).center())

    def choose_card(self, index: int) -> None:
        cards = self.find(CardList, "Layers")
        self.click(cards, cards.cards[index].geometry().center())

    def draw(self, corners: Sequence[tuple[float, float]], look: Callable[[], None]) -> None:
        canvas = self.find(Canvas, "Drawing surface")
        spots = []
        for x, y in corners:
            place = QPoint(round(x * canvas.width()), round(y * canvas.height()))
            handle, spot = self._spot(canvas, place)
            spots.append(spot)
        QTest.mouseMove(handle, spots[0])
        QTest.mousePress(handle, _LEFT, _NO_MODIFIER, spots[0])
        look()
        for start, end in itertools.pairwise(spots):
            for step in range(1, _MOVES + 1):
                QTest.mouseMove(handle, start + (end - start) * step / _MOVES)
            look()
        QTest.mouseRelease(handle, _LEFT, _NO_MODIFIER, spots[-1])

    def look_at(self, wall: ImageWall, index: int) -> None:
        self.click(wall.viewport(), wall.image_rect(index).center())

    def click(self, widget: QWidget, place: QPoint | None = None) -> None:
        """Click on what is in sight, in its middle unless told."""
        handle, spot = self._spot(widget, widget.rect().center() if place is None else place)
        QTest.mouseMove(handle, spot)
        QTest.mouseClick(handle, _LEFT, _NO_MODIFIER, spot)

    def _spot(self, widget: QWidget, place: QPoint) -> tuple[QWindow, QPoint]:
        """Return in which window a place of a widget is, and where, scrolled into sight."""
        # Kept, since PySide gives up what stands in a box's list together with the list's window.
        self._pointed_at = window = widget.window()
        handle = window.windowHandle()
        QTest.qWait(1)  # what an edit has moved goes to its place
        for _ in range(_PATIENCE):
            if widget.visibleRegion().contains(place):
                break
            area = _area_around(widget).viewport()
            middle = area.mapTo(window, area.rect().center())
            up = widget.mapTo(window, place).y() < middle.y()
            QTest.wheelEvent(handle, middle, QPoint(0, 120 if up else -120))
            QTest.qWait(1)
        spot = widget.mapTo(window, place)
        under = window.childAt(spot) or window
        assert under is widget or widget.isAncestorOf(under), f"{under} stands before {widget}"
        return handle, spot

    def _press(self, button: QAbstractButton) -> None:
        self.click(button)

    def _go_to(self, line: QLineEdit) -> None:
        self.click(line)

    def _open_list(self, box: QComboBox) -> None:
        self.click(box)

    def _take(self, view: QAbstractItemView, row: int) -> None:
        index = view.model().index(row, 0)
        self.click(view.viewport(), view.visualRect(index).center())

    def _open_menu(self, action: QAction) -> None:
        bar = self.window.menuBar()
        self.click(bar, bar.actionGeometry(action).center())

    def _take_from_menu(self, menu: QMenu, action: QAction) -> None:
        self.click(menu, menu.actionGeometry(action).center())

    def _agree(self, dialog: QWidget) -> None:
        box = dialog.findChild(QDialogButtonBox)
        accept = QDialogButtonBox.ButtonRole.AcceptRole
        self.click(next(button for button in box.buttons() if box.buttonRole(button) == accept))


class ByKeyboard(Person):
    """Has no mouse."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._pen = (0.5, 0.5)

    def turn_to(self, title: str) -> None:
        bar = self.window.tabs.tabBar()
        self.reach(bar)
        titles = [bar.tabText(k) for k in range(bar.count())]
        self._step_to(bar.currentIndex, titles.index(title), KEY.Key_Left, KEY.Key_Right)

    def choose_card(self, index: int) -> None:
        cards = self.find(CardList, "Layers")
        self.reach(cards)
        self._step_to(lambda: cards.chosen, index, KEY.Key_Up, KEY.Key_Down)

    def draw(self, corners: Sequence[tuple[float, float]], look: Callable[[], None]) -> None:
        self.reach(self.find(Canvas, "Drawing surface"))
        self._lead(corners[0])
        QTest.keyPress(front(), KEY.Key_Space)
        look()
        for corner in corners[1:]:
            self._lead(corner)
            look()
        QTest.keyRelease(front(), KEY.Key_Space)

    def look_at(self, wall: ImageWall, index: int) -> None:
        self.reach(wall)
        self._step_to(wall.current, index, KEY.Key_Left, KEY.Key_Right)

    def reach(self, widget: QWidget) -> None:
        """Go to a control by Tab."""
        passed: list[QWidget] = []
        while focus() is not widget:
            assert focus() not in passed, f"Tab leads around past {widget.accessibleName()!r}"
            passed.append(focus())
            self.key(KEY.Key_Tab)

    def _lead(self, corner: tuple[float, float]) -> None:
        """Lead the pen, a twentieth of the canvas with each key."""
        for axis, (back, forth) in enumerate(
            ((KEY.Key_Left, KEY.Key_Right), (KEY.Key_Up, KEY.Key_Down))
        ):
            keys = round(20 * (corner[axis] - self._pen[axis]))
            for _ in range(abs(keys)):
                self.key(forth if keys > 0 else back)
        self._pen = corner

    def _step_to(
        self, present: Callable[[], int], wanted: int, back: Qt.Key, forth: Qt.Key
    ) -> None:
        for _ in range(_PATIENCE):
            if present() == wanted:
                return
            self.key(forth if present() < wanted else back)
        raise AssertionError(f"{wanted} is not reached")

    def _press(self, button: QAbstractButton) -> None:
        self.reach(button)
        self.key(KEY.Key_Space)

    def _go_to(self, line: QLineEdit) -> None:
        self.reach(line)

    def _open_list(self, box: QComboBox) -> None:
        self.reach(box)
        self.key(KEY.Key_Down, Qt.KeyboardModifier.AltModifier)

    def _take(self, view: QAbstractItemView, row: int) -> None:
        self._step_to(lambda: view.currentIndex().row(), row, KEY.Key_Up, KEY.Key_Down)
        self.key(KEY.Key_Return)

    def _open_menu(self, action: QAction) -> None:
        self.key(_mnemonic(action), Qt.KeyboardModifier.AltModifier)

    def _take_from_menu(self, menu: QMenu, action: QAction) -> None:
        self.key(_mnemonic(action))

    def _agree(self, dialog: QWidget) -> None:
        self.key(KEY.Key_Return)


def _area_around(widget: QWidget) -> QAbstractScrollArea:
    found = widget.parentWidget()
    while found is not None and not isinstance(found, QAbstractScrollArea):
        found = found.parentWidget()
    assert found is not None, f"{widget} is out of sight"
    return found


def _mnemonic(action: QAction) -> Qt.Key:
    return KEY(ord(action.text().partition("&")[2][0].upper()))

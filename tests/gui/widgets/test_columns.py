"""Columns that become tabs where the window is narrow, and columns again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QSplitterHandle, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from workbench.gui.widgets.columns import Columns, Part

Shower = Callable[[QWidget], QWidget]

WIDE, NARROW = 900, 500


def _part(title: str, width: int) -> Part:
    widget = QWidget()
    widget.setMinimumSize(width, 50)
    column = QVBoxLayout(widget)
    column.addWidget(QWidget())
    column.addWidget(QPushButton(title))
    return Part(title, widget)


@pytest.fixture
def parts() -> dict[str, Part]:
    widths = {"stack": 200, "form": 200, "plots": 300, "weights": 300, "draw": 150}
    return {title: _part(title, width) for title, width in widths.items()}


@pytest.fixture
def columns(parts: dict[str, Part], show: Shower) -> Columns:
    stack, form, plots, weights, draw = parts.values()
    made = Columns([stack, form], [plots, weights], [draw])
    made.setMinimumSize(NARROW, 200)  # as the window decides it
    made.resize(WIDE, 400)
    show(made)
    return made


def _titles(columns: Columns) -> list[str]:
    return [columns.tabs.tabText(index) for index in range(columns.tabs.count())]


def _left_edges(parts: dict[str, Part], *titles: str) -> list[int]:
    top = parts["stack"].widget.window()
    return [parts[title].widget.mapTo(top, QPoint()).x() for title in titles]


def test_there_are_three_columns_where_there_is_room(
    columns: Columns, parts: dict[str, Part]
) -> None:
    assert _titles(columns) == ["plots", "weights"]
    assert all(parts[title].widget.isVisible() for title in ("stack", "form", "plots", "draw"))
    stack, form, plots, draw = _left_edges(parts, "stack", "form", "plots", "draw")
    assert stack == form < plots < draw


def test_a_narrow_window_has_tabs_alone_and_a_wide_one_columns_again(
    columns: Columns, parts: dict[str, Part]
) -> None:
    columns.tabs.setCurrentIndex(1)
    columns.resize(NARROW, 300)
    assert columns.is_narrow
    assert _titles(columns) == ["stack", "plots", "weights", "draw"]
    assert columns.tabs.currentWidget() is parts["weights"].widget
    columns.tabs.setCurrentIndex(0)
    stack, form = _left_edges(parts, "stack", "form")
    assert stack < form
    assert columns.width() == NARROW
    columns.tabs.setCurrentIndex(2)
    columns.resize(WIDE, 400)
    assert columns.tabs.currentWidget() is parts["weights"].widget
    assert _titles(columns) == ["plots", "weights"]
    stack, weights, draw = _left_edges(parts, "stack", "weights", "draw")
    assert stack < weights < draw
    assert parts["draw"].widget.isVisible()


def test_what_comes_to_the_front_is_told(columns: Columns, parts: dict[str, Part]) -> None:
    columns.resize(NARROW, 300)
    shown: list[QWidget] = []
    columns.part_shown.connect(shown.append)
    columns.tabs.setCurrentIndex(0)
    columns.tabs.setCurrentIndex(3)
    assert shown == [parts[title].widget for title in ("stack", "form", "draw")]


def test_boundaries_stay_where_they_were_moved(columns: Columns, parts: dict[str, Part]) -> None:
    assert all(state.isEmpty() for state in columns.layout_state().values())
    visible = [each for each in columns.findChildren(QSplitterHandle) if each.isVisible()]
    across = next(each for each in visible if each.orientation() == Qt.Orientation.Horizontal)
    width = parts["stack"].widget.width()
    start = across.rect().center()
    QTest.mousePress(across, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(across, start + QPoint(40, 0))
    QTest.mouseRelease(across, Qt.MouseButton.LeftButton, pos=start + QPoint(40, 0))
    moved = parts["stack"].widget.width()
    assert moved > width
    kept = columns.layout_state()
    columns.resize(NARROW, 300)
    assert columns.layout_state() == kept
    columns.resize(WIDE, 400)
    assert parts["stack"].widget.width() == moved


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_going_to_a_side_gives_it_the_focus(
    columns: Columns, parts: dict[str, Part], width: int, qtbot: QtBot
) -> None:
    columns.resize(width, 300)
    buttons = {title: part.widget.findChildren(QPushButton)[0] for title, part in parts.items()}
    for title in ("draw", "form", "stack"):
        columns.go_to(parts[title].widget)
        assert parts[title].widget.isVisible()
        qtbot.waitUntil(buttons[title].hasFocus)

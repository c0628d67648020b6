"""The wall shows each image at its place and can be used by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QFont, QImage
from pytestqt.qtbot import QtBot

from workbench.gui.widgets.image_wall import ImageWall

COUNT = 23


def greys(height: int = 28, width: int = 28, count: int = COUNT) -> np.ndarray:
    """Return images that are grey all over, each in a shade of its own."""
    shades = np.linspace(10, 250, count).astype(np.uint8)
    return np.broadcast_to(shades[:, None, None], (count, height, width))


@pytest.fixture
def wall(qtbot: QtBot) -> ImageWall:
    wall = ImageWall()
    qtbot.addWidget(wall)
    wall.resize(300, 300)
    wall.set_images(greys(), [f"image {i}" for i in range(COUNT)])
    wall.show()
    qtbot.waitExposed(wall)
    return wall


def grabbed(wall: ImageWall) -> QImage:
    return wall.viewport().grab().toImage()


def middle(wall: ImageWall, index: int) -> QPoint:
    return wall.image_rect(index).center()


@pytest.mark.parametrize("shape", [(28, 28), (7, 13), (1, 10), (5, 1), (3, 3)])
def test_every_image_in_view_is_at_its_place(wall: ImageWall, shape: tuple[int, int]) -> None:
    images = greys(*shape)
    wall.set_images(images)
    picture = grabbed(wall)
    seen = 0
    for index in range(COUNT):
        place = middle(wall, index)
        if wall.viewport().rect().contains(place):
            assert picture.pixelColor(place).red() == images[index, 0, 0]
            assert wall.index_at(place) == index
            seen += 1
    assert seen >= 4


@pytest.mark.parametrize(
    "change",
    [
        lambda wall: wall.set_images(greys()[::-1], [f"image {i}" for i in range(COUNT)]),
        lambda wall: wall.set_images(greys(), [f"other {i}" for i in range(COUNT)]),
        lambda wall: wall.set_images(greys(), [""] * COUNT, [i % 3 == 0 for i in range(COUNT)]),
        lambda wall: wall.set_images(greys(count=5), ["few"] * 5),
        lambda wall: wall.set_current(2),
        lambda wall: wall.verticalScrollBar().setValue(40),
        lambda wall: wall.setFont(QFont(wall.font().family(), 20)),
        lambda wall: wall.resize(200, 250),
    ],
)
def test_what_is_painted_again_is_as_if_painted_for_the_first_time(
    qtbot: QtBot, change: Callable[[ImageWall], None]
) -> None:
    pictures = []
    for paints_before in (True, False):
        wall = ImageWall()
        wall.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        qtbot.addWidget(wall)
        wall.resize(300, 300)
        wall.set_images(greys(), [f"image {i}" for i in range(COUNT)])
        wall.show()
        qtbot.waitExposed(wall)
        if paints_before:
            pictures.append(grabbed(wall))
        else:
            wall._scene = None
        change(wall)
        pictures.append(grabbed(wall))
        wall.hide()
    before, again, first = pictures
    assert again != before
    assert again == first


def test_few_images_are_larger_and_many_scroll(wall: ImageWall) -> None:
    sides = []
    for count in (1, 4, 12, 100):
        wall.set_images(greys(count=count))
        sides.append(wall.image_rect(0).width())
        view = wall.viewport().rect()
        assert view.contains(wall.image_rect(count - 1)) == (count < 100)
        assert (wall.verticalScrollBar().maximum() > 0) == (count == 100)
    assert sides[0] == 168
    assert sides == sorted(sides, reverse=True)
    assert sides[-1] == 56


def test_colours_are_kept(wall: ImageWall) -> None:
    images = np.zeros((2, 4, 4, 4), np.uint8)
    images[0] = (200, 30, 40, 255)
    images[1] = (20, 130, 240, 255)
    wall.set_images(images)
    picture = grabbed(wall)
    assert picture.pixelColor(middle(wall, 0)) == QColor(200, 30, 40)
    assert picture.pixelColor(middle(wall, 1)) == QColor(20, 130, 240)


def test_rows_and_columns_of_an_image_keep_their_place(wall: ImageWall) -> None:
    image = np.arange(12, dtype=np.uint8).reshape(1, 3, 4) * 20
    wall.set_images(image)
    picture, place = grabbed(wall), wall.image_rect(0)
    for row in range(3):
        for column in range(4):
            at = place.topLeft() + QPoint(
                (2 * column + 1) * place.width() // 8, (2 * row + 1) * place.height() // 6
            )
            assert picture.pixelColor(at).red() == image[0, row, column]


def test_a_mark_is_drawn(wall: ImageWall) -> None:
    wall.set_images(greys(), marks=[i == 1 for i in range(COUNT)])
    picture = grabbed(wall)
    corners = [wall.image_rect(i).topRight() - QPoint(2, -2) for i in (0, 1)]
    plain, marked = (picture.pixelColor(corner) for corner in corners)
    assert plain.red() == plain.green()
    assert marked.red() > marked.green()


def test_a_click_chooses_and_a_double_click_activates(qtbot: QtBot, wall: ImageWall) -> None:
    place, left = middle(wall, 4), Qt.MouseButton.LeftButton
    with qtbot.waitSignal(wall.item_clicked) as clicked:
        qtbot.mouseClick(wall.viewport(), left, pos=place)
    assert clicked.args == [4]
    assert wall.current() == 4
    with qtbot.waitSignal(wall.item_activated) as activated:
        qtbot.mouseDClick(wall.viewport(), left, pos=place)
    assert activated.args == [4]


def test_the_mouse_tells_what_it_is_over(qtbot: QtBot, wall: ImageWall) -> None:
    told: list[int] = []
    wall.item_hovered.connect(told.append)
    qtbot.mouseMove(wall.viewport(), middle(wall, 0))
    qtbot.mouseMove(wall.viewport(), middle(wall, 1))
    qtbot.mouseMove(wall.viewport(), QPoint(wall.viewport().width() - 1, 1))
    assert told == [0, 1, -1]


def test_all_of_it_is_reached_by_keyboard(qtbot: QtBot, wall: ImageWall) -> None:
    first = wall.image_rect(0).top()
    columns = next(i for i in range(COUNT) if wall.image_rect(i).top() > first)
    chosen: list[int] = []
    wall.item_clicked.connect(chosen.append)
    keys = [Qt.Key.Key_Home, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Up]
    for key in [*keys, Qt.Key.Key_Up, Qt.Key.Key_End, Qt.Key.Key_Right]:
        qtbot.keyClick(wall, key)
    assert chosen == [0, 1, 1 + columns, columns, 0, COUNT - 1]
    assert wall.viewport().rect().contains(wall.image_rect(COUNT - 1))
    assert wall.accessibleDescription() == f"image {COUNT - 1}"
    with qtbot.waitSignal(wall.item_activated) as activated:
        qtbot.keyClick(wall, Qt.Key.Key_Return)
    assert activated.args == [COUNT - 1]


def test_a_shorter_row_of_images_moves_the_choice(wall: ImageWall) -> None:
    wall.set_current(COUNT - 1)
    wall.set_images(greys(count=3))
    assert (wall.current(), wall.count()) == (2, 3)
    wall.set_images(greys(count=0))
    assert (wall.current(), wall.count()) == (-1, 0)
    assert wall.index_at(QPoint(20, 20)) == -1
    grabbed(wall)

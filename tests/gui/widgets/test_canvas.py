"""The canvas draws the same by mouse and by keyboard, takes back, and takes pictures in."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QInputDevice,
    QKeySequence,
    QMouseEvent,
    QPointingDevice,
    QShortcut,
)
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from workbench.gui.widgets.canvas import Canvas
from workbench.gui.widgets.sheet import SIDE, Sheet


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[QWidget]:
    """Return a window with a canvas and Ctrl+Z, Space and C of its own."""
    window = QWidget()
    qtbot.addWidget(window)
    canvas = Canvas(window)
    canvas.resize(SIDE // 2, SIDE // 2)
    window.resize(canvas.size())
    window.hits = []
    for key in ("Ctrl+Z", "Space", "C"):
        QShortcut(QKeySequence(key), window).activated.connect(lambda k=key: window.hits.append(k))
    with qtbot.waitActive(window):
        window.show()
    canvas.setFocus()
    return window


@pytest.fixture
def canvas(window: QWidget) -> Canvas:
    found = window.findChild(Canvas)
    assert found is not None
    return found


@pytest.fixture
def drawn(canvas: Canvas) -> list[np.ndarray]:
    told: list[np.ndarray] = []
    canvas.drawn.connect(told.append)
    return told


def stroke(qtbot: QtBot, canvas: Canvas, *places: tuple[int, int]) -> None:
    """Draw a stroke; places are in pixels of the widget."""
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(*places[0]))
    for place in places[1:]:
        qtbot.mouseMove(canvas, QPoint(*place))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(*places[-1]))


def test_a_stroke_is_told_as_bytes_while_it_is_drawn(
    qtbot: QtBot, canvas: Canvas, drawn: list[np.ndarray]
) -> None:
    stroke(qtbot, canvas, (50, 98), (100, 98), (150, 98))
    first, last = drawn[0], drawn[-1]
    assert last.shape == (SIDE, SIDE)
    assert last.dtype == np.uint8
    assert (first > 0).sum() < (last > 0).sum()
    assert last[SIDE // 2, 110:290].min() == 255
    assert not last[: SIDE // 2 - canvas.brush].any()


def test_telling_is_throttled_and_the_end_is_told(
    qtbot: QtBot, canvas: Canvas, drawn: list[np.ndarray]
) -> None:
    stroke(qtbot, canvas, *[(20 + i, 98) for i in range(150)])
    assert len(drawn) < 60
    np.testing.assert_array_equal(drawn[-1], canvas.sheet.to_array())


def test_a_stroke_that_rests_is_told_without_being_ended(
    qtbot: QtBot, canvas: Canvas, drawn: list[np.ndarray]
) -> None:
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(40, 40))
    qtbot.mouseMove(canvas, QPoint(90, 90))
    qtbot.waitUntil(lambda: bool(drawn) and np.array_equal(drawn[-1], canvas.sheet.to_array()))
    assert canvas.sheet.drawing


def test_strokes_are_smooth() -> None:
    """Quadratic curves stay nearer to a circle than straight lines between its points."""
    sheet, centre, radius = Sheet(), SIDE / 2, 120.0
    corners = [
        QPointF(centre + radius * np.cos(a), centre + radius * np.sin(a))
        for a in np.linspace(0, 2 * np.pi, 13)
    ]
    sheet.begin(corners[0], 12)
    for corner in corners[1:]:
        sheet.extend(corner)
    sheet.end()
    rows, columns = np.nonzero(sheet.to_array() > 127)
    distance = np.hypot(rows - centre + 0.5, columns - centre + 0.5)
    # Of a polygon the edges' middles lie radius * (1 - cos(15 degrees)) = 4 pixels within.
    assert distance.max() - distance.min() < 12 + 4


def test_a_long_stroke_is_as_even_as_a_short_one() -> None:
    """Drawing in pieces leaves no seams: along a straight line all columns are alike."""
    sheet = Sheet()
    sheet.begin(QPointF(30, 196.3), 20)
    for x in np.arange(30.5, 360, 0.5):
        sheet.extend(QPointF(x, 196.3))
    columns = sheet.to_array()[:, 50:340].astype(int)
    assert np.ptp(columns, axis=1).max() <= 90
    assert (np.ptp(columns, axis=0) == 255).all()


def test_a_click_leaves_a_dot_as_large_as_the_brush(
    qtbot: QtBot, canvas: Canvas, drawn: list[np.ndarray]
) -> None:
    canvas.set_brush(40)
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(98, 98))
    area = (drawn[-1] / 255.0).sum()
    assert area == pytest.approx(np.pi * 20**2, rel=0.02)


def test_undo_takes_back_strokes_and_clearing_and_stays_on_the_canvas(
    qtbot: QtBot, window: QWidget, canvas: Canvas, drawn: list[np.ndarray]
) -> None:
    stroke(qtbot, canvas, (20, 20), (80, 80))
    one = canvas.sheet.to_array()
    stroke(qtbot, canvas, (80, 20), (20, 80))
    qtbot.keyClick(canvas, Qt.Key.Key_C)
    assert not drawn[-1].any()
    qtbot.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (drawn[-1] > 0).sum() > (one > 0).sum()
    qtbot.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_array_equal(drawn[-1], one)
    for _ in range(3):
        qtbot.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not drawn[-1].any()
    assert window.hits == []


@pytest.mark.parametrize("key", [Qt.Key.Key_C, Qt.Key.Key_Backspace, Qt.Key.Key_Delete])
def test_keys_clear(qtbot: QtBot, canvas: Canvas, drawn: list[np.ndarray], key: Qt.Key) -> None:
    stroke(qtbot, canvas, (20, 20), (80, 80))
    qtbot.keyClick(canvas, key)
    assert not drawn[-1].any()


def test_brackets_change_the_brush(qtbot: QtBot, canvas: Canvas) -> None:
    before = canvas.brush
    qtbot.keyClick(canvas, "]")
    assert canvas.brush > before
    qtbot.keyClick(canvas, "[")
    assert canvas.brush == before
    with qtbot.assertNotEmitted(canvas.brush_changed):
        for _ in range(50):
            canvas.set_brush(before)


def test_space_draws_the_stroke_that_a_mouse_draws(
    qtbot: QtBot, window: QWidget, canvas: Canvas, drawn: list[np.ndarray]
) -> None:
    qtbot.keyPress(canvas, Qt.Key.Key_Space)
    for _ in range(5):
        qtbot.keyClick(canvas, Qt.Key.Key_Down)
    qtbot.keyRelease(canvas, Qt.Key.Key_Space)
    by_keyboard = drawn[-1]
    assert not canvas.sheet.drawing
    qtbot.keyClick(canvas, Qt.Key.Key_Up)  # moves without ink
    np.testing.assert_array_equal(canvas.sheet.to_array(), by_keyboard)
    canvas.clear()
    centre = SIDE // 4
    stroke(qtbot, canvas, *[(centre, centre + 7 * i) for i in range(6)])
    np.testing.assert_array_equal(drawn[-1], by_keyboard)
    assert window.hits == []


def test_space_that_is_only_pressed_puts_the_pen_down_until_it_is_pressed_again(
    qtbot: QtBot, canvas: Canvas, drawn: list[np.ndarray]
) -> None:
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert canvas.sheet.drawing
    for _ in range(4):
        qtbot.keyClick(canvas, Qt.Key.Key_Down)
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert not canvas.sheet.drawing
    rows, columns = np.nonzero(drawn[-1])
    assert np.ptp(rows) == np.ptp(columns) + 4 * 14
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    np.testing.assert_array_equal(canvas.sheet.to_array(), drawn[-1])


def test_escape_lifts_the_pen_and_clears_nothing(
    qtbot: QtBot, canvas: Canvas, drawn: list[np.ndarray]
) -> None:
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    for _ in range(2):
        qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert not canvas.sheet.drawing
    assert drawn[-1].any()


def test_two_arrows_go_askew(qtbot: QtBot, canvas: Canvas, drawn: list[np.ndarray]) -> None:
    qtbot.keyPress(canvas, Qt.Key.Key_Space)
    qtbot.keyPress(canvas, Qt.Key.Key_Right)
    for _ in range(4):
        qtbot.keyClick(canvas, Qt.Key.Key_Down)
    qtbot.keyRelease(canvas, Qt.Key.Key_Right)
    qtbot.keyRelease(canvas, Qt.Key.Key_Space)
    assert not canvas.sheet.drawing
    rows, columns = np.nonzero(drawn[-1])
    assert np.corrcoef(rows, columns)[0, 1] > 0.5


@pytest.mark.parametrize("by", ["right button", "Shift", "Shift+Space"])
def test_ink_is_erased(qtbot: QtBot, canvas: Canvas, drawn: list[np.ndarray], by: str) -> None:
    stroke(qtbot, canvas, (20, 98), (176, 98))
    before = drawn[-1]
    shift, middle = Qt.KeyboardModifier.ShiftModifier, QPoint(98, 98)
    if by == "Shift+Space":
        qtbot.keyClick(canvas, Qt.Key.Key_Space, shift)
        qtbot.keyClick(canvas, Qt.Key.Key_Space)
    elif by == "Shift":
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, shift, middle)
    else:
        qtbot.mouseClick(canvas, Qt.MouseButton.RightButton, pos=middle)
    assert before[SIDE // 2, SIDE // 2] == 255
    assert drawn[-1][SIDE // 2, SIDE // 2] == 0
    assert drawn[-1][SIDE // 2, 60] == 255
    canvas.undo()
    np.testing.assert_array_equal(drawn[-1], before)


def test_a_tablet_pen_draws_and_its_other_end_erases(canvas: Canvas) -> None:
    left, plain = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    place, kind = QPointF(98, 98), QPointingDevice.PointerType
    for end, middle in ((kind.Pen, 255), (kind.Eraser, 0)):
        pen = QPointingDevice(
            "pen",
            1,
            QInputDevice.DeviceType.Stylus,
            end,
            QInputDevice.Capability.Position,
            1,
            3,
        )
        for what, held in (
            (QEvent.Type.MouseButtonPress, left),
            (QEvent.Type.MouseButtonRelease, Qt.MouseButton.NoButton),
        ):
            event = QMouseEvent(what, place, canvas.mapToGlobal(place), left, held, plain, pen)
            QApplication.sendEvent(canvas, event)
        assert canvas.sheet.to_array()[SIDE // 2, SIDE // 2] == middle
    assert canvas.sheet.can_undo


def test_erasing_a_blank_sheet_leaves_nothing_to_undo(qtbot: QtBot, canvas: Canvas) -> None:
    qtbot.mouseClick(canvas, Qt.MouseButton.RightButton, pos=QPoint(98, 98))
    assert not canvas.sheet.can_undo


def test_a_second_button_does_not_disturb_the_stroke(
    qtbot: QtBot, canvas: Canvas, drawn: list[np.ndarray]
) -> None:
    stroke(qtbot, canvas, (20, 98), (98, 98), (176, 98))
    alone = drawn[-1]
    canvas.clear()
    left, right = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
    qtbot.mousePress(canvas, left, pos=QPoint(20, 98))
    qtbot.mouseClick(canvas, right, pos=QPoint(20, 98))
    qtbot.mouseMove(canvas, QPoint(98, 98))
    qtbot.mouseMove(canvas, QPoint(176, 98))
    qtbot.mouseRelease(canvas, left, pos=QPoint(176, 98))
    np.testing.assert_array_equal(drawn[-1], alone)


def test_a_stroke_leaves_the_canvas_and_comes_back(
    qtbot: QtBot, canvas: Canvas, drawn: list[np.ndarray]
) -> None:
    stroke(qtbot, canvas, (98, 98), (300, 98), (300, 160), (98, 160))
    ink = drawn[-1]
    for row in (196, 320):
        assert ink[row, -1] == 255
    assert ink[258, -1] == 0  # between them the pen was outside


def test_redo_draws_again_until_something_else_is_drawn(
    qtbot: QtBot, window: QWidget, canvas: Canvas, drawn: list[np.ndarray]
) -> None:
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    stroke(qtbot, canvas, (20, 20), (80, 80))
    stroke(qtbot, canvas, (80, 20), (20, 80))
    both = drawn[-1]
    for _ in range(2):
        qtbot.keyClick(canvas, Qt.Key.Key_Z, control)
    assert not drawn[-1].any()
    qtbot.keyClick(canvas, Qt.Key.Key_Z, control | shift)
    qtbot.keyClick(canvas, Qt.Key.Key_Y, control)
    np.testing.assert_array_equal(drawn[-1], both)
    assert not canvas.sheet.can_redo
    canvas.undo()
    stroke(qtbot, canvas, (20, 150), (80, 150))
    assert not canvas.sheet.can_redo
    assert window.hits == []


def test_a_picture_is_known_by_its_class_until_it_is_drawn_upon(
    qtbot: QtBot, canvas: Canvas
) -> None:
    canvas.put(np.full((28, 28), 9, np.uint8), 7)
    stroke(qtbot, canvas, (20, 20), (80, 80))
    assert canvas.sheet.label is None
    canvas.undo()
    assert canvas.sheet.label == 7
    canvas.clear()
    assert canvas.sheet.label is None


def test_the_pen_is_lifted_when_the_focus_goes(qtbot: QtBot, canvas: Canvas) -> None:
    qtbot.keyPress(canvas, Qt.Key.Key_Space)
    assert canvas.sheet.drawing
    canvas.clearFocus()
    assert not canvas.sheet.drawing


def test_the_cursor_is_seen_by_whoever_uses_the_keyboard(qtbot: QtBot, canvas: Canvas) -> None:
    def orange() -> int:
        shot = canvas.grab().toImage()
        colours = (shot.pixelColor(x, shot.height() // 2) for x in range(shot.width()))
        return sum(c.red() > 200 and 100 < c.green() < 220 and c.blue() < 100 for c in colours)

    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    assert orange() == 0
    qtbot.keyClick(canvas, Qt.Key.Key_Left)
    assert orange() > 0


def dark_on_light() -> QImage:
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    for y in range(40, 160):
        for x in range(140, 160):
            image.setPixelColor(x, y, QColor("navy"))
    return image


def test_a_picture_is_pasted_as_light_ink(
    qtbot: QtBot, canvas: Canvas, drawn: list[np.ndarray]
) -> None:
    QGuiApplication.clipboard().setImage(dark_on_light())
    qtbot.keyClick(canvas, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    ink = drawn[-1]
    assert ink[SIDE // 2, SIDE // 2] == 255
    assert not ink[:, : SIDE // 3].any()
    assert canvas.sheet.picture is not None
    qtbot.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not drawn[-1].any()


@pytest.mark.parametrize("what", ["text", "one colour"])
def test_what_is_no_picture_is_refused_in_words(qtbot: QtBot, canvas: Canvas, what: str) -> None:
    clipboard = QGuiApplication.clipboard()
    if what == "text":
        clipboard.setText("seven")
    else:
        clipboard.setImage(dark_on_light().copy(0, 0, 50, 50))
    with qtbot.waitSignal(canvas.refused) as refused, qtbot.assertNotEmitted(canvas.drawn):
        canvas.paste()
    assert all(refused.args)


def drop(canvas: Canvas, mime: QMimeData) -> bool:
    """Drop something as the window system does; tells whether it was welcome."""
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, mime, buttons, modifiers)
    enter.setAccepted(False)
    QApplication.sendEvent(canvas, enter)
    if enter.isAccepted():
        place = QPointF(9, 9)
        event = QDropEvent(place, Qt.DropAction.CopyAction, mime, buttons, modifiers)
        QApplication.sendEvent(canvas, event)
    return enter.isAccepted()


def test_a_dropped_file_is_shown(canvas: Canvas, drawn: list[np.ndarray], tmp_path: Path) -> None:
    grey = np.full((60, 30), 255, np.uint8)
    grey[10:50, 12:18] = 0
    Image.fromarray(grey).save(tmp_path / "one.png")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "one.png"))])
    assert drop(canvas, mime)
    assert drawn[-1][SIDE // 2, SIDE // 2] == 255


def files(*paths: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


@pytest.mark.parametrize("name", ["bad.png", "cut.jpg", "other.gif"])
def test_a_file_that_is_no_picture_is_refused_in_words(
    qtbot: QtBot, canvas: Canvas, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    if name == "bad.png":
        path.write_bytes(b"no picture")
    else:
        Image.fromarray(np.eye(90, dtype=np.uint8) * 255).save(path)
    if name == "cut.jpg":
        path.write_bytes(path.read_bytes()[:400])
    with qtbot.waitSignal(canvas.refused) as refused, qtbot.assertNotEmitted(canvas.drawn):
        assert drop(canvas, files(path))
    assert name in refused.args[0]
    assert "PNG or JPEG" in refused.args[1]


def test_folders_models_and_texts_are_left_to_the_window(canvas: Canvas, tmp_path: Path) -> None:
    folder = tmp_path / "pictures.png"
    folder.mkdir()
    for name in ("model.h5", "note.txt"):
        (tmp_path / name).touch()
        assert not drop(canvas, files(tmp_path / name))
    for path in (folder, tmp_path, tmp_path / "gone.png"):
        assert not drop(canvas, files(path))
    mime = QMimeData()
    mime.setText("seven")
    assert not drop(canvas, mime)


def declared_huge(width: int, height: int) -> bytes:
    """Return a small PNG file whose header declares a huge picture."""
    file = BytesIO()
    Image.fromarray(np.zeros((1, 1), np.uint8)).save(file, "PNG")
    data = bytearray(file.getvalue())
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


@pytest.mark.parametrize("size", [(5_000, 5_000), (2_000_000_000, 2_000_000_000)])
@pytest.mark.parametrize("by", ["drop", "paste"])
def test_a_huge_picture_is_refused_before_it_is_decoded(
    qtbot: QtBot, canvas: Canvas, tmp_path: Path, size: tuple[int, int], by: str
) -> None:
    mime = QMimeData()
    mime.setData("image/png", declared_huge(*size))
    (tmp_path / "huge.png").write_bytes(declared_huge(*size))
    with qtbot.waitSignal(canvas.refused) as refused:
        if by == "drop":
            drop(canvas, files(tmp_path / "huge.png"))
        else:
            canvas.take(mime)
    assert "larger than" in refused.args[0]
    assert refused.args[1] == "Scale it down first."


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_large_picture_is_scaled_down_and_shows_the_same(
    canvas: Canvas, drawn: list[np.ndarray], tmp_path: Path, kind: str
) -> None:
    small = np.full((100, 150), 255, np.uint8)
    small[20:80, 60:75] = 0
    for name, grey in (("small", small), ("large", small.repeat(25, 0).repeat(25, 1))):
        Image.fromarray(grey).save(tmp_path / f"{name}.{kind.lower()}", kind)
        assert drop(canvas, files(tmp_path / f"{name}.{kind.lower()}"))
        assert canvas.sheet.picture is not None
        assert max(canvas.sheet.picture.shape) <= 800
    one, other = (ink.astype(float) for ink in drawn[-2:])
    assert np.abs(one - other).mean() < 2


@pytest.mark.parametrize("ink", [0, 255])
def test_ink_on_a_transparent_sheet_is_light(
    canvas: Canvas, drawn: list[np.ndarray], tmp_path: Path, ink: int
) -> None:
    pixels = np.zeros((60, 60, 4), np.uint8)
    pixels[10:50, 26:34] = (ink, ink, ink, 255)
    Image.fromarray(pixels).save(tmp_path / "one.png")
    assert drop(canvas, files(tmp_path / "one.png"))
    assert drawn[-1][SIDE // 2, SIDE // 2] == 255
    assert not drawn[-1][:, : SIDE // 3].any()


@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1), (28, 28), (3, 2)])
def test_a_picture_of_any_size_is_put(canvas: Canvas, shape: tuple[int, int]) -> None:
    canvas.put(np.full(shape, 255, np.uint8))
    assert canvas.sheet.to_array().any()
    assert canvas.sheet.picture is not None
    assert canvas.sheet.picture.shape == shape

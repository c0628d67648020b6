"""A stroke becomes a question, its answer becomes bars; stale answers become nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QScrollArea, QSlider
from pytestqt.qtbot import QtBot

from workbench.data.drawing import centred, read_drawing
from workbench.gui.panels import draw
from workbench.gui.panels.draw import DrawPanel
from workbench.gui.state import DocumentState
from workbench.gui.widgets.canvas import Canvas
from workbench.gui.widgets.pixel_view import PixelView
from workbench.gui.widgets.probability_bars import ProbabilityBars
from workbench.nn.layers.dense import Dense
from workbench.spec.data import DataSpec
from workbench.spec.network import NetworkSpec
from workbench.spec.training import TrainingSpec
from workbench.training.events import Finished, Predicted, RequestFailed, Snapshot


@pytest.fixture
def panel(qtbot: QtBot) -> DrawPanel:
    panel = DrawPanel()
    qtbot.addWidget(panel)
    panel.resize(300, 760)
    with qtbot.waitExposed(panel):
        panel.show()
    return panel


@pytest.fixture
def canvas(panel: DrawPanel) -> Canvas:
    return the(panel, Canvas)


@pytest.fixture
def bars(panel: DrawPanel) -> ProbabilityBars:
    return the(panel, ProbabilityBars)


Asked = list[tuple[np.ndarray, int]]


@pytest.fixture
def asked(panel: DrawPanel) -> Asked:
    found: Asked = []
    panel.prediction_wanted.connect(lambda images, request: found.append((images, request)))
    return found


def the(panel: DrawPanel, kind: type) -> object:
    found = panel.findChild(kind)
    assert found is not None
    return found


def button(panel: DrawPanel, name: str) -> QAbstractButton:
    return next(b for b in panel.findChildren(QAbstractButton) if b.accessibleName() == name)


def words(panel: DrawPanel) -> str:
    return " ".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def stroke(qtbot: QtBot, canvas: Canvas, *places: tuple[int, int]) -> None:
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(*places[0]))
    for place in places[1:]:
        qtbot.mouseMove(canvas, QPoint(*place))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(*places[-1]))


def answer(id: int, winner: int = 7, step: int = 5) -> Predicted:
    outputs = np.full((1, 10), 0.01)
    outputs[0, winner] = 0.91
    return Predicted(id, step, outputs)


SNAPSHOT = Snapshot(1, 9, 1, 1, 0.1, 10.0, 0.1, np.zeros(1), np.zeros(1))


def test_a_stroke_is_asked_about_and_its_answer_shown(
    qtbot: QtBot, panel: DrawPanel, canvas: Canvas, bars: ProbabilityBars, asked: Asked
) -> None:
    assert "Draw a digit" in words(panel)
    stroke(qtbot, canvas, (60, 50), (160, 50), (100, 200))
    images, newest = asked[-1]
    assert images.shape == (1, 28, 28)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images[0], centred(canvas.sheet.to_array() / 255))
    seen = the(panel, PixelView)
    assert isinstance(seen, PixelView)
    np.testing.assert_array_equal(seen.pixels, images[0])
    panel.take_event(answer(newest))
    assert bars.accessibleDescription() == "7: 91 %"
    assert "91 %" in words(panel)


def test_an_older_answer_shows_until_the_newer_comes_but_never_after_it(
    qtbot: QtBot, panel: DrawPanel, canvas: Canvas, bars: ProbabilityBars, asked: Asked
) -> None:
    stroke(qtbot, canvas, (60, 50), (160, 50))
    stroke(qtbot, canvas, (60, 90), (160, 90))
    stroke(qtbot, canvas, (60, 120), (160, 120))
    first, second, third = asked[0][1], asked[-2][1], asked[-1][1]
    assert first < second < third
    panel.take_event(answer(first, 1))
    assert bars.winner == 1
    panel.take_event(answer(third, 3))
    panel.take_event(answer(second, 2))
    assert bars.winner == 3


def test_answers_to_others_and_to_what_was_cleared_are_not_shown(
    qtbot: QtBot, panel: DrawPanel, canvas: Canvas, bars: ProbabilityBars, asked: Asked
) -> None:
    stroke(qtbot, canvas, (60, 50), (160, 50))
    panel.take_event(answer(asked[-1][1] + 1))
    assert bars.winner is None
    button(panel, "Clear the drawing").click()
    panel.take_event(answer(asked[-1][1]))
    assert bars.winner is None
    assert "Draw a digit" in words(panel)


def test_undo_and_clear_are_read_again(
    qtbot: QtBot, panel: DrawPanel, canvas: Canvas, asked: Asked
) -> None:
    undo, clear = button(panel, "Undo stroke"), button(panel, "Clear the drawing")
    assert not undo.isEnabled()
    assert not clear.isEnabled()
    stroke(qtbot, canvas, (60, 50), (160, 50))
    one = asked[-1][0]
    stroke(qtbot, canvas, (100, 20), (100, 150))
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    np.testing.assert_array_equal(asked[-1][0], one)
    qtbot.mouseClick(clear, Qt.MouseButton.LeftButton)
    assert not clear.isEnabled()
    count = len(asked)
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert len(asked) == count + 1
    np.testing.assert_array_equal(asked[-1][0], one)


def test_drawing_by_keyboard_is_asked_about(qtbot: QtBot, canvas: Canvas, asked: Asked) -> None:
    canvas.setFocus()
    qtbot.keyPress(canvas, Qt.Key.Key_Space)
    for _ in range(8):
        qtbot.keyClick(canvas, Qt.Key.Key_Down)
    qtbot.keyRelease(canvas, Qt.Key.Key_Space)
    rows, columns = np.nonzero(asked[-1][0][0] > 127)
    assert np.ptp(rows) > 3 * np.ptp(columns)


def test_a_pasted_picture_is_asked_about(qtbot: QtBot, panel: DrawPanel, asked: Asked) -> None:
    image = QImage(100, 100, QImage.Format.Format_Grayscale8)
    image.fill(255)
    for y in range(20, 80):
        for x in range(46, 54):
            image.setPixel(x, y, 0xFF000000)
    QGuiApplication.clipboard().setImage(image)
    qtbot.mouseClick(button(panel, "Paste a picture"), Qt.MouseButton.LeftButton)
    assert asked[-1][0][0, 14, 14] > 200


def test_an_empty_clipboard_is_told_inline(qtbot: QtBot, panel: DrawPanel) -> None:
    QGuiApplication.clipboard().clear()
    with qtbot.waitSignal(panel.message_raised) as raised:
        button(panel, "Paste a picture").click()
    assert all(raised.args)


def test_an_image_that_was_sent_is_read_byte_for_byte(
    qtbot: QtBot, panel: DrawPanel, canvas: Canvas, asked: Asked
) -> None:
    image = np.random.default_rng(3).integers(0, 256, (28, 28)).astype(np.uint8)
    panel.show_image(image, 7)
    np.testing.assert_array_equal(asked[-1][0][0], image)
    stroke(qtbot, canvas, (60, 50), (160, 50))
    assert (asked[-1][0][0] != image).any()
    canvas.undo()
    np.testing.assert_array_equal(asked[-1][0][0], image)


def test_of_a_test_image_the_true_class_is_said(
    qtbot: QtBot, panel: DrawPanel, canvas: Canvas, asked: Asked
) -> None:
    panel.show_image(np.full((28, 28), 200, np.uint8), 7)
    assert "True class 7" in words(panel)
    panel.take_event(answer(asked[-1][1], winner=7))
    assert "Right: true class 7" in words(panel)
    panel.take_event(Finished(9, 1.0))
    panel.take_event(answer(asked[-1][1], winner=2))
    assert "Wrong: true class 7" in words(panel)
    stroke(qtbot, canvas, (60, 50), (160, 50))
    assert "true class" not in words(panel).lower()
    canvas.undo()
    assert "True class 7" in words(panel)


def test_a_dropped_picture_is_read_as_the_command_line_reads_it(
    panel: DrawPanel, asked: Asked, tmp_path: Path
) -> None:
    grey = np.full((90, 60), 240, np.uint8)
    grey[20:70, 25:35] = 30
    path = tmp_path / "one.png"
    Image.fromarray(grey).save(path)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    copy, beside = Qt.DropAction.CopyAction, QPoint(20, panel.height() - 20)
    enter = QDragEnterEvent(beside, copy, mime, buttons, modifiers)
    enter.setAccepted(False)
    QApplication.sendEvent(panel, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(panel, QDropEvent(QPointF(beside), copy, mime, buttons, modifiers))
    np.testing.assert_array_equal(asked[-1][0][0], read_drawing(path))


def test_while_training_it_asks_again_at_most_twice_a_second(
    qtbot: QtBot,
    panel: DrawPanel,
    canvas: Canvas,
    asked: Asked,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(draw.time, "monotonic", lambda: now[0])
    panel.take_snapshot(SNAPSHOT)
    assert not asked  # there is no drawing
    stroke(qtbot, canvas, (60, 50), (160, 50))
    asked.clear()
    for _ in range(60):
        now[0] += 1 / 30
        panel.take_snapshot(SNAPSHOT)
    assert 3 <= len(asked) <= 4
    asked.clear()
    panel.take_event(Finished(9, 1.0))
    assert len(asked) == 1


def test_of_an_untrained_network_it_says_so(
    qtbot: QtBot, panel: DrawPanel, canvas: Canvas, asked: Asked
) -> None:
    stroke(qtbot, canvas, (60, 50), (160, 50))
    panel.take_event(answer(asked[-1][1], step=0))
    assert "91 %, not trained yet" in words(panel)
    panel.take_event(Finished(9, 1.0))
    panel.take_event(answer(asked[-1][1], step=9))
    assert "not trained" not in words(panel)


def test_without_a_network_it_says_so(
    qtbot: QtBot, panel: DrawPanel, canvas: Canvas, bars: ProbabilityBars, asked: Asked
) -> None:
    stroke(qtbot, canvas, (60, 50), (160, 50))
    panel.take_event(RequestFailed(asked[-1][1], "There is no network yet.", "Train one."))
    assert "There is no network yet. Train one." in words(panel)
    assert bars.winner is None


def test_networks_of_other_inputs_are_told_of_and_not_asked(
    qtbot: QtBot, panel: DrawPanel, canvas: Canvas, asked: Asked
) -> None:
    def state(*shape: int) -> DocumentState:
        network = NetworkSpec(shape, (Dense(10),))
        return DocumentState(network, TrainingSpec(), DataSpec("digits"))

    panel.take_state(state(4))
    stroke(qtbot, canvas, (60, 50), (160, 50))
    assert not asked
    assert "28 × 28" in words(panel)
    for shape in ((1, 28, 28), (784,)):
        panel.take_state(state(*shape))
        assert asked
        assert "28 × 28" not in words(panel)


def test_the_slider_and_the_canvas_agree_on_the_brush(
    qtbot: QtBot, panel: DrawPanel, canvas: Canvas
) -> None:
    slider = the(panel, QSlider)
    assert isinstance(slider, QSlider)
    slider.setValue(50)
    assert canvas.brush == 50
    canvas.setFocus()
    qtbot.keyClick(canvas, "]")
    assert slider.value() == canvas.brush > 50


def test_the_brush_is_found_again(panel: DrawPanel, canvas: Canvas, qtbot: QtBot) -> None:
    canvas.set_brush(52)
    other = DrawPanel()
    qtbot.addWidget(other)
    other.restore_choices(panel.choices())
    assert other.choices() == panel.choices() == {"brush": 52}
    for nonsense in ({}, {"brush": "thick"}, {"brush": None}):
        other.restore_choices(nonsense)
    assert other.choices() == {"brush": 52}


@pytest.mark.parametrize(
    ("width", "height", "beside", "scrolls"),
    [
        (250, 400, False, True),
        (250, 700, False, False),
        (300, 1000, False, False),
        (600, 300, True, False),
        (1200, 700, True, False),
        (480, 300, True, False),
    ],
)
def test_all_of_it_is_of_use_in_any_room(
    panel: DrawPanel,
    canvas: Canvas,
    bars: ProbabilityBars,
    width: int,
    height: int,
    beside: bool,
    scrolls: bool,
) -> None:
    panel.resize(width, height)
    QApplication.processEvents()
    area = the(panel, QScrollArea)
    assert isinstance(area, QScrollArea)
    assert panel.minimumSizeHint().width() <= 250
    assert area.widget().minimumSizeHint().width() <= area.viewport().width()
    assert (area.verticalScrollBar().maximum() > 0) == scrolls
    assert canvas.width() == canvas.height() >= 144
    inside = area.widget()
    below = bars.mapTo(inside, QPoint(0, 0)), canvas.mapTo(inside, canvas.rect().bottomRight())
    assert (below[0].x() > below[1].x()) == beside
    assert (below[0].y() > below[1].y()) == (not beside)
    assert inside.rect().contains(bars.mapTo(inside, bars.rect().bottomRight()))
    # What the net sees and the tools stand together with them, whatever room is left.
    seen = the(panel, PixelView)
    assert isinstance(seen, PixelView)
    if not beside:
        assert below[0].y() - seen.mapTo(inside, seen.rect().bottomLeft()).y() < 20

"""The weights of a layer stand at their places, and are asked for only while they are looked at."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QLabel
from pytestqt.qtbot import QtBot

from workbench.engine.backends.catalogue import open_device
from workbench.gui.panels.weights import WeightsPanel
from workbench.gui.state import DocumentState
from workbench.gui.theme.palette import current
from workbench.gui.unit_images import unit_images
from workbench.gui.widgets.image_wall import ImageWall
from workbench.gui.widgets.number_image import NumberImage
from workbench.spec.data import DataSpec
from workbench.spec.library import find_network
from workbench.spec.network import NetworkSpec
from workbench.spec.training import TrainingSpec
from workbench.training.events import Finished, Probed, Snapshot, Started
from workbench.training.history import History


def state(network: NetworkSpec) -> DocumentState:
    return DocumentState(network, TrainingSpec(), DataSpec())


def started(name: str = "relu") -> Started:
    info, network = open_device("reference").info, find_network(name)
    return Started(info, "float32", 0, 100, 1, 10, 10, 1000, 7850, History(), network=network)


def snapshot(step: int) -> Snapshot:
    figures = np.zeros(1)
    return Snapshot(step, 100, 1, 10, 0.1, 1000.0, 0.1, figures, figures)


@pytest.fixture
def asked(panel: WeightsPanel) -> list[int]:
    layers: list[int] = []
    panel.parameters_wanted.connect(layers.append)
    return layers


@pytest.fixture
def panel(qtbot: QtBot) -> WeightsPanel:
    panel = WeightsPanel()
    qtbot.addWidget(panel)
    panel.resize(900, 600)
    panel.take_state(state(find_network("relu")))
    return panel


@pytest.fixture
def shown(panel: WeightsPanel, qtbot: QtBot) -> WeightsPanel:
    panel.show()
    qtbot.waitExposed(panel)
    return panel


@pytest.fixture
def note(shown: WeightsPanel) -> Callable[[], str]:
    return lambda: next(
        label.text() for label in shown.findChildren(QLabel) if " weights." in label.text()
    )


def known_matrix() -> np.ndarray:
    """Return weights (784, 256) of which unit k has 1 at pixel 3 k, -1 at the next, else 0."""
    matrix = np.zeros((784, 256), np.float32)
    for unit in range(256):
        matrix[3 * unit, unit], matrix[3 * unit + 1, unit] = 1, -1
    return matrix


def test_a_known_matrix_stands_at_its_place() -> None:
    images = unit_images(known_matrix(), (1, 28, 28))
    assert images.shape == (256, 28, 28)
    for unit in range(256):
        assert images[unit, *divmod(3 * unit, 28)] == 1
        assert images[unit, *divmod(3 * unit + 1, 28)] == -1
    assert np.count_nonzero(images) == 512


@pytest.mark.parametrize(
    ("incoming", "in_shape", "expected"),
    [
        (784, (1, 28, 28), (28, 28)),
        (784, (784,), (28, 28)),
        (75, (3, 5, 5), (15, 5)),
        (256, (256,), (16, 16)),
        (10, (10,), (2, 5)),
        (3, (3,), (1, 3)),
        (1, (1,), (1, 1)),
        (127, (127,), (11, 12)),
    ],
)
def test_the_form_of_images(
    incoming: int, in_shape: tuple[int, ...], expected: tuple[int, int]
) -> None:
    values = np.arange(incoming * 4.0).reshape(incoming, 4)
    images = unit_images(values, in_shape)
    assert images.shape == (4, *expected)
    for unit in range(4):
        flat = images[unit].ravel()
        np.testing.assert_array_equal(flat[:incoming], values[:, unit])
        assert np.isnan(flat[incoming:]).all()


def test_a_parameter_of_one_axis_has_one_number_a_unit() -> None:
    np.testing.assert_array_equal(unit_images(np.arange(5.0), (5,)).ravel(), np.arange(5.0))


def test_colours_and_numbers_are_where_the_weights_are(shown: WeightsPanel, qtbot: QtBot) -> None:
    shown.take_event(started())
    bias = np.linspace(0, 1, 256)
    shown.take_event(Probed(0, 5, 0, {"weight": known_matrix(), "bias": bias}))
    wall, large = shown.findChild(ImageWall), shown.findChild(NumberImage)
    assert wall.count() == 256
    qtbot.mouseClick(wall.viewport(), Qt.MouseButton.LeftButton, pos=wall.image_rect(7).center())
    for widget, place in ((wall.viewport(), wall.image_rect(7)), (large, large.image_rect())):
        picture = widget.grab().toImage()
        for pixel, colour in ((21, "positive"), (22, "negative"), (50, "zero")):
            row, column = divmod(pixel, 28)
            at = place.topLeft() + QPoint(
                (2 * column + 1) * place.width() // 56, (2 * row + 1) * place.height() // 56
            )
            assert picture.pixelColor(at) == QColor(getattr(current(), colour))
    place = large.image_rect()
    qtbot.mouseMove(large, place.topLeft() + QPoint(place.width() * 43 // 56, 2))
    assert large.cell() == (0, 21)
    texts = [label.text() for label in shown.findChildren(QLabel)]
    assert "Row 0, column 21: 1" in texts
    assert f"Unit 7, bias {bias[7]:.4g}" in texts


def test_the_keyboard_reads_every_weight(shown: WeightsPanel, qtbot: QtBot) -> None:
    shown.take_event(started())
    shown.take_event(Probed(0, 5, 0, {"weight": known_matrix()}))
    wall, large = shown.findChild(ImageWall), shown.findChild(NumberImage)
    qtbot.keyClick(wall, Qt.Key.Key_Right)
    for _ in range(5):
        qtbot.keyClick(large, Qt.Key.Key_Right)
    qtbot.keyClick(large, Qt.Key.Key_Up)
    assert large.accessibleDescription() == "Row 0, column 4: -1"


def test_nothing_is_asked_before_a_run(shown: WeightsPanel, asked: list[int]) -> None:
    shown.take_state(state(find_network("logistic")))
    assert asked == []


def test_nothing_is_asked_while_hidden(panel: WeightsPanel, asked: list[int], qtbot: QtBot) -> None:
    panel.take_event(started())
    panel.take_snapshot(snapshot(1))
    panel.take_event(Finished(100, 1.0))
    qtbot.wait(250)
    assert asked == []
    panel.show()
    assert asked == [0]
    panel.hide()
    panel.take_snapshot(snapshot(2))
    qtbot.wait(250)
    assert asked == [0]


def test_at_most_five_requests_a_second_and_the_last_change_is_seen(
    shown: WeightsPanel, asked: list[int], qtbot: QtBot
) -> None:
    shown.take_event(started())
    for step in range(50):
        shown.take_snapshot(snapshot(step))
    assert asked == [0]
    qtbot.waitUntil(lambda: asked == [0, 0])
    qtbot.wait(450)
    assert asked == [0, 0]


def test_another_layer_is_asked_for(shown: WeightsPanel, asked: list[int], qtbot: QtBot) -> None:
    shown.take_event(started())
    chooser = shown.findChild(QComboBox)
    texts = [chooser.itemText(i) for i in range(chooser.count())]
    assert texts == ["1 · dense, 256 units", "3 · dense, 128 units", "5 · dense, 10 units"]
    chooser.setCurrentIndex(1)
    qtbot.waitUntil(lambda: asked[-1:] == [2])
    shown.take_event(Probed(0, 5, 0, {"weight": known_matrix()}))  # too late to be shown
    assert shown.findChild(ImageWall).count() == 0
    shown.take_event(Probed(0, 5, 2, {"weight": np.ones((256, 128))}))
    assert shown.findChild(ImageWall).count() == 128


def test_an_edited_stack_leaves_the_trained_weights(
    shown: WeightsPanel, note: Callable[[], str]
) -> None:
    shown.take_event(started())
    shown.take_event(Probed(0, 5, 0, {"weight": known_matrix()}))
    assert "since" not in note()
    shown.take_state(state(find_network("logistic")))
    assert shown.findChild(QComboBox).count() == 3
    assert "has changed since" in note()
    shown.take_event(started("logistic"))
    assert shown.findChild(QComboBox).count() == 1


def test_it_is_usable_in_little_room(shown: WeightsPanel, qtbot: QtBot) -> None:
    shown.take_event(started())
    shown.take_event(Probed(0, 5, 0, {"weight": known_matrix()}))
    shown.resize(380, 260)
    assert (shown.width(), shown.height()) == (380, 260)
    wall, large = shown.findChild(ImageWall), shown.findChild(NumberImage)
    qtbot.waitUntil(lambda: large.image_rect().width() >= 4 * 28)
    assert wall.viewport().rect().contains(wall.image_rect(0))
    for widget in (wall, large, shown.findChild(QComboBox)):
        place = widget.rect().translated(widget.mapTo(shown, QPoint()))
        assert shown.rect().contains(place), widget


def test_large_layers_are_asked_for_less_often(shown: WeightsPanel) -> None:
    shown.take_event(started())
    for columns in (8, 1024):
        shown.take_event(Probed(0, 5, 0, {"weight": np.ones((784, columns), np.float32)}))
        assert 200 <= shown._rest.interval() <= 1000
    assert shown._rest.interval() > 200

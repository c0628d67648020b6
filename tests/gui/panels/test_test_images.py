"""Pages of test images: what is assigned, what is wrong, what is asked and when."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel
from pytestqt.qtbot import QtBot

from workbench.gui.panels import test_images
from workbench.gui.panels.test_images import PAGE, TestImagesPanel
from workbench.gui.widgets.image_wall import ImageWall
from workbench.training.events import (
    DataLoaded,
    Finished,
    Predicted,
    RequestFailed,
    Snapshot,
    Started,
    Stopped,
)
from workbench.training.history import History

COUNT = 2 * PAGE + 7


class Network:
    """Answers what the panel asks; reads the class off the first pixel, some of them wrong."""

    def __init__(self, panel: TestImagesPanel) -> None:
        self.panel = panel
        self.asked: list[tuple[np.ndarray, int]] = []
        self.wrong = 10
        self.requests = 0
        panel.prediction_wanted.connect(self._on_prediction_wanted)

    def _on_prediction_wanted(self, images: np.ndarray, id: int) -> None:
        self.requests += 1
        self.asked.append((images, id))

    def answer(self) -> None:
        """Answer until nothing is asked any more."""
        while self.asked:
            images, id = self.asked.pop(0)
            label, number = images[:, 0, 0], images[:, 0, 1]
            outputs = np.zeros((len(images), 10))
            outputs[np.arange(len(images)), (label + (number % self.wrong == 8)) % 10] = 1
            self.panel.take_event(Predicted(id, 3, outputs))


@pytest.fixture
def split() -> tuple[np.ndarray, np.ndarray]:
    """Return images that carry their label and number in their first pixels."""
    images = np.random.default_rng(1).integers(0, 255, (COUNT, 28, 28)).astype(np.uint8)
    labels = (np.arange(COUNT) % 10).astype(np.int32)
    images[:, 0, 0], images[:, 0, 1] = labels, np.arange(COUNT)
    images.setflags(write=False)
    return images, labels


@pytest.fixture
def panel(qtbot: QtBot) -> TestImagesPanel:
    panel = TestImagesPanel()
    qtbot.addWidget(panel)
    panel.resize(760, 600)
    with qtbot.waitExposed(panel):
        panel.show()
    return panel


@pytest.fixture
def network(panel: TestImagesPanel) -> Network:
    return Network(panel)


@pytest.fixture
def wall(panel: TestImagesPanel) -> ImageWall:
    found = panel.findChild(ImageWall)
    assert found is not None
    return found


def button(panel: TestImagesPanel, name: str) -> QAbstractButton:
    return next(b for b in panel.findChildren(QAbstractButton) if b.accessibleName() == name)


def words(panel: TestImagesPanel) -> str:
    return " ".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def captions(wall: ImageWall) -> list[str]:
    return wall._captions


def marked(wall: ImageWall) -> list[int]:
    return [i for i in range(wall.count()) if wall._marks[i]]


def started() -> Started:
    return Started(None, "float64", 0, 9, 1, 9, 1, 9, 9, History())  # type: ignore[arg-type]


SNAPSHOT = Snapshot(1, 9, 1, 1, 0.1, 10.0, 0.1, np.zeros(1), np.zeros(1))


def trained(panel: TestImagesPanel, network: Network, split: tuple[np.ndarray, ...]) -> None:
    panel.take_event(DataLoaded(*split))
    panel.take_event(started())
    panel.take_event(Finished(9, 1.0))
    network.answer()


def test_at_first_it_says_what_to_do(panel: TestImagesPanel, wall: ImageWall) -> None:
    assert "Train a network" in words(panel)
    assert not wall.isVisible()


def test_pages_show_true_and_assigned_classes_and_mark_mistakes(
    qtbot: QtBot, panel: TestImagesPanel, network: Network, wall: ImageWall, split: tuple
) -> None:
    trained(panel, network, split)
    assert wall.count() == PAGE
    assert captions(wall)[:3] == ["0 → 0", "1 → 1", "2 → 2"]
    assert captions(wall)[8] == "8 → 9"
    assert marked(wall) == list(range(8, PAGE, 10))
    said = words(panel)
    assert f"1–{PAGE} of {COUNT}" in said
    assert f"5 of {PAGE} wrong here" in said
    assert f"10 of {COUNT} wrong in all (9.35 %)" in said
    previous, following = button(panel, "Previous page"), button(panel, "Next page")
    assert not previous.isEnabled()
    for _ in range(2):
        qtbot.mouseClick(following, Qt.MouseButton.LeftButton)
    assert wall.count() == 7
    assert f"{2 * PAGE + 1}–{COUNT} of {COUNT}" in words(panel)
    assert not following.isEnabled()
    qtbot.mouseClick(previous, Qt.MouseButton.LeftButton)
    assert marked(wall) == list(range(8, PAGE, 10))


def test_before_the_answer_the_true_class_stands_alone(
    panel: TestImagesPanel, network: Network, wall: ImageWall, split: tuple
) -> None:
    panel.take_event(DataLoaded(*split))
    panel.take_event(started())
    assert captions(wall)[:3] == ["0", "1", "2"]
    assert marked(wall) == []
    assert "wrong" not in words(panel)
    np.testing.assert_array_equal(network.asked[0][0], split[0][:PAGE])


def test_only_mistakes(
    qtbot: QtBot, panel: TestImagesPanel, network: Network, wall: ImageWall, split: tuple
) -> None:
    trained(panel, network, split)
    qtbot.mouseClick(button(panel, "Next page"), Qt.MouseButton.LeftButton)
    only = button(panel, "Only mistakes")
    qtbot.keyClick(only, Qt.Key.Key_Space)
    network.answer()
    assert captions(wall) == ["8 → 9"] * 10
    assert marked(wall) == list(range(10))
    assert "1–10 of 10 " in words(panel)
    qtbot.keyClick(only, Qt.Key.Key_Space)
    assert wall.count() == PAGE


def test_a_network_without_mistakes(
    panel: TestImagesPanel, network: Network, wall: ImageWall, split: tuple
) -> None:
    network.wrong = 5  # of five no remainder is 8
    trained(panel, network, split)
    button(panel, "Only mistakes").click()
    assert wall.count() == 0
    assert wall.invitation == "No mistakes"
    assert f"0 of {COUNT} wrong in all" in words(panel)


def test_mistakes_are_counted_while_the_network_is_trained_if_only_they_are_shown(
    panel: TestImagesPanel,
    network: Network,
    wall: ImageWall,
    split: tuple,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(test_images.time, "monotonic", lambda: now[0])
    panel.take_event(DataLoaded(*split))
    panel.take_event(started())
    button(panel, "Only mistakes").click()
    network.answer()
    assert wall.count() == 10
    network.wrong = 20
    for _ in range(5):
        now[0] += 1.0
        panel.take_snapshot(SNAPSHOT)
        network.answer()
    assert wall.count() == 5
    network.requests = 0
    panel.take_event(Finished(9, 1.0))
    network.answer()
    assert network.requests == 2
    assert f"5 of {COUNT} wrong in all" in words(panel)


def test_pages_turn_by_keys(
    qtbot: QtBot, panel: TestImagesPanel, network: Network, wall: ImageWall, split: tuple
) -> None:
    trained(panel, network, split)
    control = Qt.KeyboardModifier.ControlModifier
    wall.setFocus(Qt.FocusReason.TabFocusReason)

    def place() -> tuple[int, int]:
        """Return the image that is chosen, by its number, and how many are on its page."""
        return panel._page * PAGE + wall.current(), wall.count()

    qtbot.keyClick(wall, Qt.Key.Key_PageDown, control)
    assert place() == (PAGE, PAGE)
    qtbot.keyClick(wall, Qt.Key.Key_End)
    qtbot.keyClick(wall, Qt.Key.Key_Right)
    assert place() == (2 * PAGE, 7)
    qtbot.keyClick(wall, Qt.Key.Key_PageDown, control)
    assert place() == (2 * PAGE, 7)  # there is no further page
    qtbot.keyClick(wall, Qt.Key.Key_Left)
    assert place() == (2 * PAGE - 1, PAGE)
    qtbot.keyClick(wall, Qt.Key.Key_PageUp, control)
    assert place() == (0, PAGE)
    qtbot.keyClick(wall, Qt.Key.Key_Left)
    assert place() == (0, PAGE)
    for _ in range(2):
        qtbot.keyClick(panel, Qt.Key.Key_PageDown, control)
    qtbot.keyClick(wall, Qt.Key.Key_Home, control)
    assert place() == (0, PAGE)
    following, first = button(panel, "Next page"), button(panel, "First page")
    assert not first.isEnabled()
    qtbot.mouseClick(following, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(following, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(first, Qt.MouseButton.LeftButton)
    assert place() == (-1, PAGE)  # the mouse has chosen no image


def test_what_is_pointed_at_or_chosen_is_told_with_probabilities(
    qtbot: QtBot, panel: TestImagesPanel, network: Network, wall: ImageWall, split: tuple
) -> None:
    trained(panel, network, split)
    qtbot.mouseMove(wall.viewport(), wall.image_rect(8).center())
    assert "Image 9: true class 8, assigned 9 (100 %), 0 (0 %)" in words(panel)
    wall.set_current(3)
    qtbot.keyClick(wall, Qt.Key.Key_Right)
    assert "Image 5: true class 4, assigned 4 (100 %)" in words(panel)
    assert "Image 5" in wall.accessibleDescription()
    qtbot.mouseMove(wall.viewport(), wall.image_rect(0).center())
    qtbot.mouseMove(wall.viewport(), QPoint(wall.viewport().width() - 1, 1))
    assert "Image 5:" in words(panel)
    qtbot.mouseClick(button(panel, "Next page"), Qt.MouseButton.LeftButton)
    assert "Image" not in words(panel)
    assert "true → assigned class" in words(panel)


@pytest.mark.parametrize("only_mistakes", [False, True])
def test_the_page_stays_while_training_goes_on(
    panel: TestImagesPanel,
    network: Network,
    wall: ImageWall,
    split: tuple,
    monkeypatch: pytest.MonkeyPatch,
    only_mistakes: bool,
) -> None:
    monkeypatch.setattr(test_images, "PAGE", 4)
    now = [100.0]
    monkeypatch.setattr(test_images.time, "monotonic", lambda: now[0])
    trained(panel, network, split)
    button(panel, "Only mistakes").setChecked(only_mistakes)
    network.answer()
    button(panel, "Next page").click()
    panel.take_event(started())  # what the last network said is forgotten
    assert "5–8 of" in words(panel) or only_mistakes
    network.answer()
    for _ in range(20):
        now[0] += 0.5
        panel.take_snapshot(SNAPSHOT)
        network.answer()
        assert "5–8 of" in words(panel)
    panel.take_event(Finished(9, 1.0))
    network.answer()
    assert captions(wall)[0] == ("8 → 9" if only_mistakes else "4 → 4")


def test_it_is_of_use_in_little_room(
    panel: TestImagesPanel, network: Network, wall: ImageWall, split: tuple
) -> None:
    many = 100
    trained(panel, network, (np.tile(split[0], (many, 1, 1)), np.tile(split[1], many)))
    panel.resize(380, 300)
    QApplication.processEvents()
    assert panel.width() == 380
    assert wall.image_rect(0).width() >= 56
    assert wall.viewport().rect().contains(wall.image_rect(3))
    for label in (*panel.findChildren(QLabel), *panel.findChildren(QAbstractButton)):
        if label.isVisible():
            assert panel.rect().contains(label.mapTo(panel, label.rect().bottomRight()))
            assert label.width() >= label.minimumSizeHint().width()


@pytest.mark.parametrize("by", ["double click", "Return"])
def test_an_image_is_sent_on(
    qtbot: QtBot, panel: TestImagesPanel, network: Network, wall: ImageWall, split: tuple, by: str
) -> None:
    trained(panel, network, split)
    qtbot.mouseClick(button(panel, "Next page"), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.image_sent) as sent:
        if by == "Return":
            wall.set_current(3)
            qtbot.keyClick(wall, Qt.Key.Key_Return)
        else:
            place = wall.image_rect(3).center()
            qtbot.mouseDClick(wall.viewport(), Qt.MouseButton.LeftButton, pos=place)
    np.testing.assert_array_equal(sent.args[0], split[0][PAGE + 3])


def test_training_refreshes_the_page_now_and_then(
    panel: TestImagesPanel, network: Network, split: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(test_images.time, "monotonic", lambda: now[0])
    panel.take_event(DataLoaded(*split))
    panel.take_event(started())
    network.answer()
    network.requests = 0
    for _ in range(100):
        now[0] += 0.05
        panel.take_snapshot(SNAPSHOT)
        network.answer()
    assert 4 <= network.requests <= 6


def test_the_end_of_a_run_counts_all_mistakes_in_bits(
    panel: TestImagesPanel, network: Network, split: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_images, "_CHUNK", 40)
    panel.take_event(DataLoaded(*split))
    panel.take_event(started())
    panel.take_event(Stopped(3, "stopped"))
    assert len(network.asked) == 1  # one at a time, so that drawings are read in between
    sizes: list[int] = []
    panel.prediction_wanted.connect(lambda images, _: sizes.append(len(images)))
    network.answer()
    assert sizes == [PAGE, 40, 40, COUNT - 80]
    assert f"10 of {COUNT} wrong in all" in words(panel)


def test_nothing_is_asked_unseen_and_everything_when_seen_again(
    panel: TestImagesPanel, network: Network, split: tuple
) -> None:
    panel.hide()
    panel.take_event(DataLoaded(*split))
    panel.take_event(started())
    panel.take_event(Finished(9, 1.0))
    assert network.requests == 0
    panel.show()
    network.answer()
    assert f"10 of {COUNT} wrong in all" in words(panel)
    requests = network.requests
    panel.hide()
    panel.show()
    network.answer()
    assert network.requests == requests


def test_a_new_run_forgets_what_the_last_network_said(
    panel: TestImagesPanel, network: Network, wall: ImageWall, split: tuple
) -> None:
    trained(panel, network, split)
    panel.take_event(Stopped(9, "stopped"))
    stale = network.asked[-1]
    panel.take_event(started())
    assert captions(wall)[8] == "8"
    panel.take_event(Predicted(stale[1], 3, np.eye(10)[np.zeros(len(stale[0]), int)]))
    assert captions(wall)[8] == "8"


def test_a_request_that_failed_is_told(
    panel: TestImagesPanel, network: Network, split: tuple
) -> None:
    panel.take_event(DataLoaded(*split))
    panel.take_event(Finished(9, 1.0))
    panel.take_event(RequestFailed(network.asked[-1][1], "There is no network yet.", "Train one."))
    assert "There is no network yet. Train one." in words(panel)


def test_data_that_are_no_images_are_told_of(panel: TestImagesPanel, wall: ImageWall) -> None:
    panel.take_event(DataLoaded(np.zeros((5, 4)), np.zeros((5, 1))))
    assert "No images with classes" in words(panel)
    assert not wall.isVisible()

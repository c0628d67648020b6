"""Qt without a screen, settings of its own, and a watch for what a test leaves behind."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

# Before Qt is imported anywhere.
os.environ["QT_QPA_PLATFORM"] = "offscreen"

import attrs
import numpy as np
import pyqtgraph  # noqa: F401 - so that no test waits for it, or leaves the thread that imports it
import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QThread, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from workbench import plugins
from workbench.data.dataset import Dataset, Progress, Split
from workbench.gui import app
from workbench.gui.controller import Controller
from workbench.gui.settings import Settings
from workbench.gui.state import DocumentState
from workbench.gui.theme.palette import hub
from workbench.nn.layers.dense import Dense
from workbench.spec.data import DataSpec
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import DATASETS, LAYERS
from workbench.spec.training import TrainingSpec

plugins.load_packages([*plugins.BUILT_IN, "workbench.gui.panels"])


class Tiny:
    """A dataset that is there at once: ten classes, bright squares in ten places."""

    about = "Squares for tests."

    def load(self, progress: Progress) -> Dataset:
        progress("making squares", 1, 1)
        random = np.random.default_rng(7)
        splits = []
        for rows in (200, 60, 60):
            labels = np.arange(rows, dtype=np.int32) % 10
            images = random.integers(0, 60, (rows, 28, 28)).astype(np.uint8)
            for image, label in zip(images, labels, strict=True):
                row, column = divmod(int(label), 5)
                image[4 + 12 * row : 12 + 12 * row, 1 + 5 * column : 6 + 5 * column] += 180
            splits.append(Split(images, labels))
        return Dataset("tiny", *splits, classes=10)


@pytest.fixture(scope="session", autouse=True)
def _application(qapp: QApplication) -> Iterator[None]:
    """Give the application its looks, and add the tiny dataset."""
    DATASETS.add("tiny")(Tiny)
    app.prepare(qapp)
    yield
    DATASETS.remove("tiny")


@pytest.fixture
def state() -> DocumentState:
    """Return a small network on the tiny dataset."""
    layers = (Dense(8), LAYERS["relu"](), Dense(10), LAYERS["softmax"]())
    training = TrainingSpec(batch=50, epochs=3, precision="float64")
    return DocumentState(NetworkSpec((1, 28, 28), layers), training, DataSpec("tiny"))


def soon_s() -> float:
    """Return in how many seconds a window has to end: in two, or as a busy machine stretches them.

    A machine with twice as much to do as it has processors does all of it half as fast.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return 2.0 * max(1.0, load / (os.cpu_count() or 1))


Opener = Callable[..., Controller]


@pytest.fixture
def open_window(qtbot: QtBot, state: DocumentState) -> Iterator[Opener]:
    """Return a function that opens a window and waits until its network can be asked."""
    opened = []

    def open(begin: DocumentState = state) -> Controller:
        controller = Controller(begin, Settings())
        opened.append(controller)
        controller.show()
        qtbot.waitUntil(lambda: controller.run.holds_document, timeout=20_000)
        return controller

    yield open
    for controller in opened:
        controller.close()
        assert controller.ended
    opened.clear()


@pytest.fixture
def endless(state: DocumentState) -> DocumentState:
    """Return a run that goes on until it is stopped."""
    return attrs.evolve(state, training=attrs.evolve(state.training, epochs=1_000_000))


@pytest.fixture(autouse=True)
def _collected_here() -> Iterator[None]:
    """Let Python's collector work after each test, in this thread alone.

    In an engine's it might meet the window of the test before. Qt holds a lock while that is
    unmade and waits for Python's, which this thread may hold while it waits for Qt's.
    """
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def _nothing_left_behind(
    _collected_here: None, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Fail the test that leaves a thread, a running timer or a window behind."""
    # Settings of its own, in this process and its children.
    monkeypatch.setenv("WORKBENCH_CONFIG", str(tmp_path / "config"))
    # Compute in NumPy where no device is named, so that most tests wait for no compiler.
    monkeypatch.setenv("WORKBENCH_DEVICE", "reference")
    before = {id(thing) for thing in _alive()}
    yield
    qapp.processEvents()
    hub().choose("light")
    left = _left(before)
    if left:
        gc.collect()
        left = _left(before)
    assert not left, f"left behind: {left}"


def _left(before: set[int]) -> list[object]:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    return [thing for thing in _alive() if id(thing) not in before]


def _alive() -> list[object]:
    threads = [thread for thread in threading.enumerate() if _is_ours(thread)]
    objects: list[object] = [*threads, *QApplication.topLevelWidgets()]
    for thing in gc.get_objects():
        if isinstance(thing, QThread | QTimer) and shiboken6.isValid(thing):
            running = thing.isRunning() if isinstance(thing, QThread) else thing.isActive()
            if running:
                objects.append(thing)
    return objects


def _is_ours(thread: threading.Thread) -> bool:
    # A QThread that ran Python leaves an entry of this kind; the QThread itself is looked at above.
    return not isinstance(thread, threading._DummyThread)


@pytest.fixture
def show(qtbot: QtBot) -> Callable[[QWidget], QWidget]:
    """Return a function that shows a widget and waits until it stands there."""

    def shown(widget: QWidget) -> QWidget:
        qtbot.addWidget(widget)
        with qtbot.waitExposed(widget):
            widget.show()
        return widget

    return shown

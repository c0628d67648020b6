"""Qt without a screen, settings of its own, and a watch for what a test leaves behind."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

# Before Qt is imported anywhere.
os.environ["QT_QPA_PLATFORM"] = "offscreen"

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QThread, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from workbench import plugins
from workbench.gui.theme.palette import hub

plugins.load_packages(plugins.BUILT_IN)


@pytest.fixture(autouse=True)
def _nothing_left_behind(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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

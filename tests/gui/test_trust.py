"""The window checks a device before it computes, says so, and asks before a wrong one is used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from workbench.engine.backends import verdicts
from workbench.engine.backends.base import Device
from workbench.engine.backends.opencl.device import list_opencl
from workbench.engine.backends.verdicts import Finding, Trust, Verdict
from workbench.gui.controller import Controller
from workbench.gui.run_control import Phase
from workbench.gui.state import DocumentState
from workbench.training import devices

INFOS = list_opencl()
pytestmark = pytest.mark.skipif(not INFOS, reason="no OpenCL driver")

Opener = Callable[..., Controller]


def verdict(trust: Trust) -> Verdict:
    wrong = () if trust == "trusted" else ("TN",)
    return Verdict(trust, (Finding("products", "float32", 0.5 if wrong else 1e-7, "TN", wrong),))


class Check:
    """Stands in for the check of devices: says what it is told to, when it is told to."""

    def __init__(self) -> None:
        self.says = verdict("trusted")
        self.may_end = threading.Event()
        self.threads: list[str] = []

    def __call__(self, device: Device, progress: Callable[[str, int, int], None]) -> Verdict:
        progress(f"checking {device.info.id}", 0, 2)
        self.threads.append(threading.current_thread().name)
        assert self.may_end.wait(20)
        return self.says


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Check]:
    """Return the check on a machine where nothing is known of any device."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    made = Check()
    monkeypatch.setattr(devices, "check", made)
    yield made
    made.may_end.set()


def chosen(state: DocumentState) -> DocumentState:
    return attrs.evolve(state, device=INFOS[0].id)


def badge(controller: Controller) -> QLabel:
    return controller.window.device_label


def shows(qtbot: QtBot, controller: Controller, words: str) -> None:
    qtbot.waitUntil(lambda: words in badge(controller).text(), timeout=30_000)


def test_a_device_is_checked_once_and_the_badge_tells(
    open_window: Opener, qtbot: QtBot, state: DocumentState, check: Check
) -> None:
    controller = open_window(state)
    assert badge(controller).text() == "NumPy (reference), float64"
    controller.document.replace(chosen(state), "Choose")
    shows(qtbot, controller, f"{INFOS[0].name} ({INFOS[0].id}), checking…")
    assert controller.window.isEnabled()
    check.may_end.set()
    shows(qtbot, controller, f"{INFOS[0].name} ({INFOS[0].id}), trusted, float64")
    assert "1.0e-07" in badge(controller).toolTip()
    assert badge(controller).property("role") == "muted"
    assert len(check.threads) == 1
    assert check.threads != [threading.main_thread().name]
    controller.document.replace(state, "Choose")
    shows(qtbot, controller, "reference")
    controller.document.replace(chosen(state), "Choose")
    shows(qtbot, controller, "trusted")
    assert len(check.threads) == 1


def test_a_refused_device_is_used_only_if_somebody_insists(
    open_window: Opener, qtbot: QtBot, endless: DocumentState, check: Check
) -> None:
    check.says = verdict("refused")
    check.may_end.set()
    controller = open_window(endless)
    bar = controller.window.message_bar
    controller.document.replace(chosen(endless), "Choose")
    qtbot.waitUntil(lambda: "computes wrong: products" in bar.text, timeout=20_000)
    assert badge(controller).text() == "NumPy (reference), float64"
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.phase is Phase.IDLE, timeout=20_000)
    assert "computes wrong: products" in bar.text
    assert bar._answer.isVisible()
    assert bar._answer.text() == bar._answer.accessibleName() == "Use it anyway"
    qtbot.mouseClick(bar._answer, Qt.MouseButton.LeftButton)
    shows(qtbot, controller, f"({INFOS[0].id}), refused, float64")
    assert badge(controller).property("role") == "bad"
    assert "products in float32 (TN" in badge(controller).toolTip()
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.step > 0, timeout=30_000)
    controller.actions["stop"].trigger()
    qtbot.waitUntil(lambda: controller.run.phase is Phase.IDLE, timeout=20_000)


def test_the_window_says_why_numpy_computes(
    open_window: Opener,
    state: DocumentState,
    check: Check,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WORKBENCH_DEVICE")
    check.says = verdict("limited")
    check.may_end.set()
    controller = open_window(state)
    assert badge(controller).text() == "NumPy (reference), float64"
    bar = controller.window.message_bar
    assert "No OpenCL device computes right here: NumPy computes" in bar.text
    assert not bar._answer.isVisible()
    assert verdicts.stored(INFOS[0]) == check.says

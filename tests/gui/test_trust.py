"""The window checks a device before it computes, says so, and asks before a wrong one is used."""

from __future__ import annotations

import threading
from collections.abc import Callable

import attrs
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from tests.asking import QUESTIONS, Asking, asking
from workbench.engine.backends import catalogue, verdicts
from workbench.engine.backends.opencl.device import list_opencl
from workbench.gui.controller import Controller
from workbench.gui.run_control import Phase
from workbench.gui.state import DocumentState
from workbench.training import engine_loop, trust
from workbench.training.commands import Probe
from workbench.training.events import DeviceAdmitted

__all__ = ["asking"]

#: What the first network needs.
TRIAL = ("trial", "float64")
INFOS = list_opencl()[:1]
pytestmark = pytest.mark.skipif(not INFOS, reason="no OpenCL driver")

Opener = Callable[..., Controller]


@pytest.fixture(autouse=True)
def _one_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "list_opencl", lambda: INFOS)
    # Long enough that nothing is asked by itself where a test does not want it.
    monkeypatch.setattr(engine_loop, "_QUIET_S", 60.0)


def chosen(state: DocumentState) -> DocumentState:
    return attrs.evolve(state, device=INFOS[0].id)


def badge(controller: Controller) -> QLabel:
    return controller.window.device_label


def shows(qtbot: QtBot, controller: Controller, words: str) -> None:
    qtbot.waitUntil(lambda: words in badge(controller).text(), timeout=30_000)


def test_a_device_is_checked_once_and_the_badge_tells(
    open_window: Opener, qtbot: QtBot, state: DocumentState, asking: Asking
) -> None:
    asking.may_end.clear()
    controller = open_window(state)
    assert badge(controller).text() == "NumPy (reference), float64"
    controller.document.replace(chosen(state), "Choose")
    shows(qtbot, controller, f"{INFOS[0].name} ({INFOS[0].id}), checking…")
    assert controller.window.isEnabled()
    asking.may_end.set()
    shows(qtbot, controller, f"{INFOS[0].name} ({INFOS[0].id}), trusted, float64")
    assert "1.0e-07" in badge(controller).toolTip()
    assert badge(controller).property("role") == "muted"
    assert asking.asked == [TRIAL]
    assert asking.threads != {threading.main_thread().name}
    controller.document.replace(state, "Choose")
    shows(qtbot, controller, "NumPy (reference), float64")
    assert badge(controller).toolTip() == "What computes"
    controller.document.replace(chosen(state), "Choose")
    shows(qtbot, controller, "trusted")
    assert asking.asked == [TRIAL]


def test_the_badge_follows_what_is_asked_while_the_window_rests(
    open_window: Opener,
    qtbot: QtBot,
    state: DocumentState,
    asking: Asking,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asking.wrong = {"moves": ("slice",)}
    controller = open_window(chosen(state))
    label, bar = badge(controller), controller.window.message_bar
    controller.display.take_event(DeviceAdmitted(INFOS[0], trust.unknown(INFOS[0]), ""))
    assert f"({INFOS[0].id}), not checked yet, float64" in label.text()
    assert label.toolTip().startswith("Still to be asked")
    known = verdicts.stored(INFOS[0])
    assert known is not None
    controller.display.take_event(DeviceAdmitted(INFOS[0], known, ""))
    assert ", trusted, " in label.text()
    assert (
        "Still to be asked while nothing is trained, in float32: updates, moves; in float64: upd"
        in label.toolTip()
    )
    assert not bar.isVisible()
    monkeypatch.setattr(engine_loop, "_QUIET_S", 0.0)
    controller.requests.ask(None, Probe(0, 1))  # something to do, once more
    shows(qtbot, controller, f"({INFOS[0].id}), limited, float64")
    assert label.property("role") == "bad"
    assert "moves in float32 (slice" in label.toolTip()
    assert "Still to be asked" not in label.toolTip()
    assert "computes wrong: moves" in bar.text
    assert not bar._answer.isVisible()
    assert asking.asked == [TRIAL, *QUESTIONS]


def test_what_is_wrong_is_said_once(
    open_window: Opener,
    qtbot: QtBot,
    state: DocumentState,
    asking: Asking,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each question more is news about the device, but not to a person."""
    monkeypatch.setattr(engine_loop, "_QUIET_S", 0.0)
    monkeypatch.setattr(trust, "FAMILIES", dict(reversed(trust.FAMILIES.items())))
    asking.wrong = {"moves": ("slice",)}
    controller = open_window(chosen(state))
    said: list[str] = []
    monkeypatch.setattr(
        controller.window.message_bar, "show_message", lambda text, *_, **__: said.append(text)
    )
    qtbot.waitUntil(lambda: len(asking.asked) == 4, timeout=20_000)
    shows(qtbot, controller, "limited")
    qtbot.waitUntil(lambda: "Still to be asked" not in badge(controller).toolTip(), timeout=20_000)
    assert len(said) <= 1


def test_a_refused_device_is_used_only_if_somebody_insists(
    open_window: Opener, qtbot: QtBot, endless: DocumentState, asking: Asking
) -> None:
    asking.off, asking.wrong = True, {"updates": ("TN",)}
    controller = open_window(endless)
    bar = controller.window.message_bar
    controller.document.replace(chosen(endless), "Choose")
    qtbot.waitUntil(lambda: "computes wrong: updates" in bar.text, timeout=20_000)
    assert badge(controller).text() == "NumPy (reference), float64"
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.phase is Phase.IDLE, timeout=20_000)
    assert "computes wrong: updates" in bar.text
    assert bar._answer.isVisible()
    assert bar._answer.text() == bar._answer.accessibleName() == "Use it anyway"
    qtbot.mouseClick(bar._answer, Qt.MouseButton.LeftButton)
    shows(qtbot, controller, f"({INFOS[0].id}), refused, float64")
    assert badge(controller).property("role") == "bad"
    assert "updates in float32 (TN" in badge(controller).toolTip()
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.step > 0, timeout=30_000)
    controller.actions["stop"].trigger()
    qtbot.waitUntil(lambda: controller.run.phase is Phase.IDLE, timeout=20_000)


def test_the_window_says_why_numpy_computes(
    open_window: Opener, state: DocumentState, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKBENCH_DEVICE")
    asking.off, asking.wrong = True, {"moves": ("slice",)}
    controller = open_window(state)
    assert badge(controller).text() == "NumPy (reference), float64"
    bar = controller.window.message_bar
    assert "No OpenCL device computes right here: NumPy computes" in bar.text
    assert not bar._answer.isVisible()
    known = verdicts.stored(INFOS[0])
    assert known is not None
    assert known.trust == "limited"

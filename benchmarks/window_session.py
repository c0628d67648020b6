"""What `window.py` measures inside one process: a window that opens, trains or rests.

Each measurement prints one JSON object. Times are seconds unless their names say otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any, NoReturn

import attrs
import numpy as np
from PySide6.QtCore import (
    QElapsedTimer,
    QEvent,
    QEventLoop,
    QObject,
    QPointF,
    Qt,
    QTimer,
    SignalInstance,
)
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from workbench.gui import app
from workbench.gui.controller import Controller
from workbench.gui.panels.training import TrainingPanel
from workbench.gui.run_control import Phase
from workbench.gui.settings import Settings
from workbench.gui.widgets.canvas import Canvas
from workbench.gui.widgets.probability_bars import ProbabilityBars
from workbench.spec.data import DataSpec
from workbench.training.events import EpochEnded, Event, Predicted

#: Size of the window in logical pixels.
WIDTH, HEIGHT = 1440, 900
#: Milliseconds between two beats, and between two moves of the mouse.
BEAT_MS, MOVE_MS = 10, 16
#: How often a run is stopped in one process.
STOPS = 5
#: The share of images classified rightly that a first network is to reach.
GOAL = 0.9


class Heart(QObject):
    """A timer of 10 ms in the window's thread, and the CPU time which that thread takes."""

    def __init__(self) -> None:
        super().__init__()
        self._timer = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._since = QElapsedTimer()
        self._gaps: list[int] = []

    def start(self) -> None:
        self._gaps = []
        self._began, self._cpu = time.perf_counter(), time.thread_time()
        self._since.start()
        self._timer.start()

    def stop(self) -> dict[str, float]:
        """Return what was found since `start`."""
        self._gaps.append(self._since.nsecsElapsed())
        self._timer.stop()
        cpu, wall = time.thread_time() - self._cpu, time.perf_counter() - self._began
        gaps_ms = np.array(self._gaps) / 1e6
        return {
            "gap_p50_ms": float(np.percentile(gaps_ms, 50)),
            "gap_p99_ms": float(np.percentile(gaps_ms, 99)),
            "gap_max_ms": float(gaps_ms.max()),
            "gui_cpu_ms_per_s": 1000 * cpu / wall,
        }

    def _beat(self) -> None:
        self._gaps.append(self._since.nsecsElapsed())
        self._since.start()


class Painting(QObject):
    """Calls a function after each painting of a widget."""

    def __init__(self, widget: QWidget, painted: Any) -> None:
        super().__init__(widget)
        self._widget, self._painted, self._inside = widget, painted, False
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if watched is not self._widget or event.type() != QEvent.Type.Paint or self._inside:
            return False
        self._inside = True
        self._widget.event(event)
        self._inside = False
        self._painted()
        return True


class Strokes(QObject):
    """Draws with the mouse and notes how long each move takes to reach the painted bars.

    A move counts from when it was due, however late this thread got to it, until bars are painted
    that show an answer to a drawing with this move in it.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        panel = controller.panels["draw"]
        canvas, bars = panel.findChild(Canvas), panel.findChild(ProbabilityBars)
        assert canvas is not None
        assert bars is not None
        self._canvas = canvas
        self.latencies: list[float] = []
        self._newest_request = 0
        self._moved: list[float] = []
        self._asked: list[tuple[int, float]] = []
        self._answered: list[float] = []
        panel.prediction_wanted.connect(self._on_panel_prediction_wanted)
        self._canvas.drawn.connect(self._on_canvas_drawn)
        controller.engine.event_published.connect(self._on_engine_event_published)
        self._painting = Painting(bars, self._on_bars_painted)
        self._timer = QTimer(self, interval=MOVE_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._move)

    def start(self) -> None:
        self._began, self._moves = time.perf_counter(), 0
        self._send(QEvent.Type.MouseButtonPress, Qt.MouseButton.LeftButton)
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        self._send(QEvent.Type.MouseButtonRelease, Qt.MouseButton.LeftButton)

    def _move(self) -> None:
        now = time.perf_counter()
        # What Qt's timer left out is not made up for, as a mouse does not either.
        self._moves = max(self._moves + 1, int(1000 * (now - self._began) / MOVE_MS))
        self._moved.append(min(now, self._began + self._moves * MOVE_MS / 1000))
        self._send(QEvent.Type.MouseMove, Qt.MouseButton.NoButton)

    def _send(self, kind: QEvent.Type, button: Qt.MouseButton) -> None:
        # A figure that never repeats, so that every move brings ink.
        turn = self._moves / 20
        side = self._canvas.width()
        place = QPointF(
            side * (0.5 + 0.3 * np.sin(turn)), side * (0.5 + 0.35 * np.sin(0.618 * turn))
        )
        pressed = Qt.MouseButton.LeftButton
        if kind == QEvent.Type.MouseButtonRelease:
            pressed = Qt.MouseButton.NoButton
        at = self._canvas.mapToGlobal(place)
        event = QMouseEvent(kind, place, at, button, pressed, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self._canvas, event)

    def _on_panel_prediction_wanted(self, _: np.ndarray, id: int) -> None:
        self._newest_request = id

    def _on_canvas_drawn(self, _: np.ndarray) -> None:
        # The panel was told first, so its request holds all moves up to now.
        self._asked += [(self._newest_request, moment) for moment in self._moved]
        self._moved = []

    def _on_engine_event_published(self, event: Event) -> None:
        if isinstance(event, Predicted):
            self._answered += [moment for id, moment in self._asked if id <= event.id]
            self._asked = [asked for asked in self._asked if asked[0] > event.id]

    def _on_bars_painted(self) -> None:
        now = time.perf_counter()
        self.latencies += [now - moment for moment in self._answered]
        self._answered = []


class Epochs(QObject):
    """Counts the epochs that have ended."""

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self.ended = 0
        controller.engine.event_published.connect(self._on_engine_event_published)

    def _on_engine_event_published(self, event: Event) -> None:
        if isinstance(event, EpochEnded):
            self.ended += 1


def open_window(dataset: str, epochs: int, tab: str) -> Controller:
    """Show a window with the starter network; its application is the one at hand."""
    state = app.first_state()
    training = attrs.evolve(state.training, epochs=epochs, batch=128, precision="float32")
    state = attrs.evolve(state, data=DataSpec(dataset), training=training)
    controller = Controller(state, Settings())
    controller.window.resize(WIDTH, HEIGHT)
    controller.window.tabs.setCurrentWidget(controller.panels[tab])
    controller.show()
    return controller


def rest(seconds: float) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def wait_for(signal: SignalInstance, seconds: float = 120) -> None:
    """Let the window live until a signal comes.

    Raises
    ------
    TimeoutError
        It did not come.
    """
    loop, timer = QEventLoop(), QTimer(singleShot=True)
    signal.connect(loop.quit)
    timer.timeout.connect(loop.quit)
    timer.start(round(1000 * seconds))
    loop.exec()
    signal.disconnect(loop.quit)
    if not timer.isActive():
        raise TimeoutError("what was waited for did not happen")


def wait_for_phase(controller: Controller, phase: Phase) -> None:
    while controller.run.phase is not phase:
        wait_for(controller.run.phase_changed)


def button(controller: Controller, name: str) -> QToolButton:
    buttons = controller.window.top_bar.findChildren(QToolButton)
    return next(b for b in buttons if b.defaultAction() is controller.actions[name])


def open_training(dataset: str, epochs: int, tab: str) -> tuple[Controller, Strokes]:
    """Show a window that trains, with a drawing that is read again and again."""
    controller = open_window(dataset, epochs, tab)
    strokes = Strokes(controller)
    while not controller.run.holds_document:
        wait_for(controller.engine.event_published)
    strokes.start()
    rest(0.5)
    strokes.stop()
    button(controller, "train").click()
    wait_for_phase(controller, Phase.RUNNING)
    return controller, strokes


def measure_training(dataset: str, seconds: float, tab: str) -> dict[str, Any]:
    """Train at full speed: the beat at rest and while a stroke is drawn, then stop it often."""
    controller, strokes = open_training(dataset, 100_000, tab)
    epochs, heart = Epochs(controller), Heart()
    while not epochs.ended:
        wait_for(controller.engine.event_published)
    rest(1)
    # Without the beat, which takes as much of the thread's time as drawing may.
    began, cpu = time.perf_counter(), time.thread_time()
    rest(seconds)
    cpu_ms = 1000 * (time.thread_time() - cpu) / (time.perf_counter() - began)
    heart.start()
    rest(seconds)
    found: dict[str, Any] = heart.stop()
    found["gui_cpu_ms_per_s"] = cpu_ms
    strokes.latencies.clear()
    heart.start()
    strokes.start()
    rest(seconds)
    strokes.stop()
    found["drawing"] = heart.stop()
    found["stroke_p50_ms"] = 1000 * float(np.percentile(strokes.latencies, 50))
    found["stroke_p95_ms"] = 1000 * float(np.percentile(strokes.latencies, 95))
    found["stop_ms"] = [1000 * _time_stop(controller) for _ in range(STOPS)]
    controller.close()
    return found


def _time_stop(controller: Controller) -> float:
    """Stop the run by a click; return how long it took until the window showed that it was."""
    if controller.run.phase is Phase.IDLE:
        button(controller, "train").click()
        wait_for_phase(controller, Phase.RUNNING)
        rest(0.5)
    stop, loop = button(controller, "stop"), QEventLoop()
    shown: list[float] = []

    def painted() -> None:
        if controller.run.phase is Phase.IDLE and not shown:
            shown.append(time.perf_counter())
            loop.quit()

    painting = Painting(stop, painted)
    began = time.perf_counter()
    QTest.mouseClick(stop, Qt.MouseButton.LeftButton)
    loop.exec()
    stop.removeEventFilter(painting)
    return shown[0] - began


def measure_rest(dataset: str, seconds: float) -> dict[str, Any]:
    """Do nothing: what the beat is worth while others keep the machine busy."""
    controller = open_window(dataset, 10, "training")
    while not controller.run.holds_document:
        wait_for(controller.engine.event_published)
    rest(1)
    heart = Heart()
    heart.start()
    rest(seconds)
    found = heart.stop()
    controller.close()
    return found


def measure_opening(dataset: str, spawned: float) -> dict[str, Any]:
    """Open, press Space, and watch until the validation accuracy on the plot is good."""
    heart = Heart()
    shown: list[float] = []
    controller = open_window(dataset, 100, "training")
    panel = controller.panels["training"]
    assert isinstance(panel, TrainingPanel)
    epochs = Epochs(controller)
    loop = QEventLoop()

    def painted() -> None:
        shown.append(time.time())
        loop.quit()

    painting = Painting(controller.window, painted)
    if not controller.window.isVisible() or not shown:
        loop.exec()
    controller.window.removeEventFilter(painting)
    heart.start()
    # One action: Space.
    QTest.keyClick(controller.window.centralWidget() or controller.window, Qt.Key.Key_Space)
    while not _is_good(panel):
        rest(0.02)
    good = time.time()
    controller.close()
    return {
        "shown_s": shown[0] - spawned,
        "actions": 1,
        "good_s": good - shown[0],
        "epochs": epochs.ended,
        **heart.stop(),
    }


def _is_good(panel: TrainingPanel) -> bool:
    """Return whether the curve of the validation accuracy has come to the goal, painted."""
    plots = panel.plots()
    values = plots.plotted("lower", "validation")[1] if plots is not None else []
    if plots is None or not len(values) or max(values) < GOAL:
        return False
    plots.repaint()
    return True


def main() -> NoReturn:
    """Make one measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("training", "weights", "rest", "opening"))
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--spawned", type=float, default=0, help="time.time() of the start")
    options = parser.parse_args()
    application = QApplication(sys.argv[:1])
    app.prepare(application)
    if options.what == "rest":
        found = measure_rest(options.dataset, options.seconds)
    elif options.what == "opening":
        found = measure_opening(options.dataset, options.spawned)
    else:
        found = measure_training(options.dataset, options.seconds, options.what)
    print(json.dumps(found), flush=True)
    # As the program ends where its engine is still busy: here, with a question to the device.
    os._exit(0)


if __name__ == "__main__":
    main()

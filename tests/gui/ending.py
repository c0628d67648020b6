"""A process with the window that comes to a certain point, says so, and waits to be ended.

Started by tests as ``python -m tests.gui.ending POINT WAY [FILE SECONDS]``: the points are
``training``, ``compiling``, ``saving``, where saving to FILE takes SECONDS, and ``stuck``, where it
is told that the device does not answer; the ways are ``signal``, which comes from outside, and
``button``.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import attrs
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QMessageBox

from tests.faults import Driver
from tests.gui.conftest import Tiny
from workbench.engine.backends import watch
from workbench.gui import app, controller, watchdog
from workbench.gui.state import DocumentState
from workbench.nn.layers.dense import Dense
from workbench.spec.data import DataSpec
from workbench.spec.registries import DATASETS, LAYERS
from workbench.spec.training import TrainingSpec
from workbench.training.events import Event, RunFailed, Snapshot, Started

_POINT, _WAY, *_REST = sys.argv[1:]
DATASETS.add("tiny")(Tiny)
if _POINT == "stuck":
    watch.PATIENCE_S = 0.3
    watchdog.LOOK_MS = 50


class Ending(controller.Controller):
    """Comes to the point by itself."""

    def show(self) -> None:
        """Show the window, and train."""
        super().show()
        self.engine.event_published.connect(self._on_ending_event)
        if _POINT != "compiling":
            self.pump.snapshot_taken.connect(self._on_first_snapshot)
        self.run.train()

    def _on_ending_event(self, event: Event) -> None:
        if isinstance(event, Started) and _POINT == "compiling":
            # The first kernels are being built from here on.
            QTimer.singleShot(200, self._say_point)
        elif isinstance(event, RunFailed) and event.kind != "DeviceStuck":
            # A device that is stuck may be given up before the process has ended, or not.
            print(event.message, flush=True)

    def _on_first_snapshot(self, snapshot: Snapshot) -> None:
        if _POINT == "stuck" and snapshot.epoch < 3:
            return  # Kernels are still built, which may take long.
        self.pump.snapshot_taken.disconnect(self._on_first_snapshot)
        if _POINT == "stuck":
            self.watchdog.silence_changed.connect(self._on_first_silence)
            Driver(pytest.MonkeyPatch()).hang()
        elif _POINT == "saving":
            self.filing.save_to(Path(_REST[0]))
        else:
            self._say_point()

    def _on_first_silence(self) -> None:
        self.watchdog.silence_changed.disconnect(self._on_first_silence)
        self._say_point()

    def _say_point(self) -> None:
        print(_POINT, flush=True)
        if _WAY == "button":
            self.window.close()
            asked = self.window.findChild(QMessageBox)
            asked.button(QMessageBox.StandardButton.Discard).click()


def _slow_fsync(handle: int) -> None:
    os.fsync = _fsync
    print("saving", flush=True)
    time.sleep(float(_REST[1]))
    _fsync(handle)


_fsync, _usual = os.fsync, app.first_state()
if _POINT == "saving":
    os.fsync = _slow_fsync


def _first_state() -> DocumentState:
    # A file of the large one takes many writes.
    units = 1000 if _POINT == "saving" else 16
    layers = (Dense(units), Dense(10), LAYERS["softmax"]())
    return attrs.evolve(
        _usual,
        network=attrs.evolve(_usual.network, layers=layers),
        training=TrainingSpec(batch=50, epochs=1_000_000),
        data=DataSpec("tiny"),
    )


app.Controller = Ending  # type: ignore[misc]
app.first_state = _first_state
sys.exit(app.run())

"""The drawing panel: a digit by hand, what the network sees of it and what it reads.

Responsible for asking for a reading whenever the drawing or the network has changed; knows neither
the other panels nor how readings are made.
"""

from __future__ import annotations

import math
import time

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from workbench.data.drawing import SIDE, centred
from workbench.gui.panels.base import PANELS, Panel, new_request_id
from workbench.gui.state import DocumentState
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.canvas import LARGEST_BRUSH, SMALLEST_BRUSH, Canvas
from workbench.gui.widgets.icon_button import IconButton
from workbench.gui.widgets.pixel_view import PixelView
from workbench.gui.widgets.probability_bars import ProbabilityBars, in_percent
from workbench.training.events import (
    Event,
    Finished,
    Paused,
    Predicted,
    Prepared,
    RequestFailed,
    RunFailed,
    Snapshot,
    Stopped,
)

#: Seconds between two readings of one drawing while the network is trained.
_AGAIN_S = 0.2

#: After these the network is another one, or stands still at its newest.
_TURNS = (Prepared, Paused, Stopped, Finished, RunFailed)


@PANELS.add("draw")
class DrawPanel(Panel):
    """Canvas, what the net sees, and the probabilities."""

    title = "Draw"
    place = "right"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawing: np.ndarray | None = None
        self._fault = ""
        self._asked: list[int] = []
        self._asked_at_s = -math.inf
        self._canvas = Canvas()
        self._seen = PixelView(SIDE, 3)
        self._class = QLabel()
        self._note = QLabel()
        self._bars = ProbabilityBars()
        self._undo = IconButton(
            "undo",
            "Undo stroke",
            f"Take the last stroke back ({_keys(QKeySequence.StandardKey.Undo)} on the canvas)",
        )
        self._clear = IconButton(
            "clear", "Clear the drawing", "Take all ink away (C, Escape or Delete on the canvas)"
        )
        self._paste = IconButton(
            "paste",
            "Paste a picture",
            f"Put the clipboard's picture on the canvas ({_keys(QKeySequence.StandardKey.Paste)} "
            "on the canvas); PNG and JPEG files can be dropped on it, too",
        )
        self._brush = QSlider(Qt.Orientation.Horizontal)
        self._lay_out()
        self._set_up()
        self._show_nothing()

    def show_image(self, image: np.ndarray) -> None:
        """Put an image on the canvas, to be read exactly as it is: uint8 of shape (28, 28)."""
        self._canvas.put(image)

    def take_state(self, state: DocumentState) -> None:
        """Note whether the network can read drawings at all."""
        shape = state.network.input
        fault = ""
        if shape not in ((1, SIDE, SIDE), (SIDE, SIDE), (SIDE * SIDE,)):
            words = " × ".join(map(str, shape))
            fault = (
                f"The network takes inputs of {words}; a drawing is {SIDE} × {SIDE}. "
                "Choose data of that size."
            )
        if fault != self._fault:
            self._fault = fault
            self._show_nothing()
            self._read()

    def take_snapshot(self, snapshot: Snapshot) -> None:
        """Read the drawing again, as the network has learnt since."""
        if time.monotonic() - self._asked_at_s >= _AGAIN_S:
            self._ask()

    def take_event(self, event: Event) -> None:
        """Show an answer, or read again where the network has changed."""
        if isinstance(event, Predicted) and self._is_answered(event.id):
            self._show_reading(event.outputs[0], trained=event.step > 0)
        elif isinstance(event, RequestFailed) and self._is_answered(event.id):
            self._show_fault(f"{event.message} {event.hint}".rstrip())
        elif isinstance(event, _TURNS):
            self._ask()

    def _is_answered(self, request: int) -> bool:
        """Return whether an answer is to a request about the present drawing, and newest so far."""
        if request not in self._asked:
            return False
        self._asked = [other for other in self._asked if other > request]
        return True

    def _on_canvas_drawn(self, ink: np.ndarray) -> None:
        picture = self._canvas.sheet.picture
        if picture is not None and picture.shape == (SIDE, SIDE):
            self._drawing = picture  # prepared already; doing so again would move it
        else:
            self._drawing = centred(ink / 255.0) if ink.any() else None
        self._undo.setEnabled(self._canvas.sheet.can_undo)
        self._clear.setEnabled(self._drawing is not None)
        self._read()

    def _read(self) -> None:
        """Show what the net sees, and ask what it reads."""
        drawing = self._drawing
        self._seen.show_pixels(np.zeros((SIDE, SIDE), np.uint8) if drawing is None else drawing)
        if self._fault:
            self._asked.clear()
            self._show_fault(self._fault)
        elif drawing is None:
            self._asked.clear()
            self._show_nothing()
        else:
            self._ask()

    def _ask(self) -> None:
        if self._drawing is None or self._fault:
            return
        self._asked_at_s = time.monotonic()
        self._asked.append(new_request_id())
        self.prediction_wanted.emit(self._drawing[np.newaxis], self._asked[-1])

    def _show_reading(self, outputs: np.ndarray, trained: bool) -> None:
        self._bars.show_probabilities(outputs)
        self._class.setText(str(self._bars.winner))
        self._say(in_percent(float(outputs.max())) + ("" if trained else ", not trained yet"))

    def _show_nothing(self) -> None:
        self._bars.show_nothing()
        self._class.clear()
        self._say("Draw a digit, and see here what the network reads.")

    def _show_fault(self, text: str) -> None:
        self._bars.show_nothing()
        self._class.clear()
        self._say(text)

    def _say(self, text: str) -> None:
        self._class.setVisible(bool(self._class.text()))
        self._note.setText(text)

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(S.xs)
        label = QLabel("&Brush")
        label.setBuddy(self._brush)
        for widget in (self._undo, self._clear, self._paste):
            tools.addWidget(widget)
        tools.addSpacing(S.s)
        tools.addWidget(label)
        tools.addWidget(self._brush)
        caption = QLabel("What the net sees")
        caption.setProperty("role", "muted")
        seen = QGridLayout()
        seen.setHorizontalSpacing(S.m)
        seen.setVerticalSpacing(S.xs)
        seen.addWidget(caption, 0, 0, 1, 2)
        seen.addWidget(self._seen, 1, 0, Qt.AlignmentFlag.AlignTop)
        reading = QVBoxLayout()
        reading.setSpacing(0)
        reading.addStretch()
        reading.addWidget(self._class)
        reading.addWidget(self._note)
        reading.addStretch()
        seen.addLayout(reading, 1, 1)
        seen.setColumnStretch(1, 1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(S.m, S.s, S.m, S.m)
        rows.setSpacing(S.s)
        rows.addWidget(self._canvas)
        rows.addLayout(tools)
        rows.addLayout(seen)
        rows.addWidget(self._bars)
        rows.addStretch()

    def _set_up(self) -> None:
        font = self._class.font()
        font.setPointSizeF(3 * font.pointSizeF())
        font.setBold(True)
        self._class.setFont(font)
        self._class.setAccessibleName("What the network reads")
        self._note.setAccessibleName("About the reading")
        self._note.setWordWrap(True)
        self._note.setProperty("role", "muted")
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self._note.setSizePolicy(policy)
        self._seen.setAccessibleName("What the net sees")
        self._seen.setToolTip(
            f"The drawing as the network gets it: {SIDE} × {SIDE} pixels, scaled and centred "
            "as MNIST's images are"
        )
        self._brush.setAccessibleName("Brush size")
        self._brush.setToolTip("Brush size in pixels of the canvas ([ and ] on the canvas)")
        self._brush.setRange(SMALLEST_BRUSH, LARGEST_BRUSH)
        self._brush.setValue(self._canvas.brush)
        self._undo.setEnabled(False)
        self._clear.setEnabled(False)
        self._brush.valueChanged.connect(self._canvas.set_brush)
        self._canvas.brush_changed.connect(self._brush.setValue)
        self._canvas.drawn.connect(self._on_canvas_drawn)
        self._canvas.refused.connect(self.message_raised)
        self._undo.clicked.connect(self._canvas.undo)
        self._clear.clicked.connect(self._canvas.clear)
        self._paste.clicked.connect(self._canvas.paste)


def _keys(key: QKeySequence.StandardKey) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)

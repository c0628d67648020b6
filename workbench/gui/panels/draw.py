"""The drawing panel: a digit by hand, what the network sees of it and what it reads.

Responsible for asking for a reading whenever the drawing or the network has changed; knows neither
the other panels nor how readings are made.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from workbench.data.drawing import SIDE, centred
from workbench.gui.panels.base import PANELS, Panel, new_request_id
from workbench.gui.state import DocumentState
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.canvas import KEYS, Canvas
from workbench.gui.widgets.draw_tools import DrawTools
from workbench.gui.widgets.pictures import holds_picture
from workbench.gui.widgets.pixel_view import PixelView
from workbench.gui.widgets.probability_bars import ProbabilityBars, in_words
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

#: Seconds between two readings of one drawing while the network is trained: figures that change
#: faster cannot be read, and each takes time from the training.
_AGAIN_S = 0.5

#: Bounds of the canvas's side, and the room that the bars need to stand beside it, in logical
#: pixels.
_LEAST_SIDE, _LARGEST_SIDE, _BESIDE = 144, 560, 288

#: After these the network is another one, or stands still at its newest.
_TURNS = (Prepared, Paused, Stopped, Finished, RunFailed)


@PANELS.add("draw")
class DrawPanel(Panel):
    """Canvas, what the net sees, and the probabilities."""

    title = "Draw"
    place = "right"
    keys = KEYS

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawing: np.ndarray | None = None
        self._fault = ""
        self._asked: list[int] = []
        self._asked_at_s = -math.inf
        self._canvas = Canvas()
        self._canvas.setProperty("goal", True)
        self._seen = PixelView(SIDE, 3)
        self._caption = QLabel("What the net sees")
        self._class = QLabel()
        self._note = QLabel()
        self._truth = QLabel()
        self._bars = ProbabilityBars()
        self._tools = DrawTools(self._canvas)
        self._area = QScrollArea()
        # Their directions depend on the room there is.
        self._rows, self._reading, self._seeing = (
            QBoxLayout(QBoxLayout.Direction.TopToBottom) for _ in range(3)
        )
        self._set_up()
        self._lay_out()
        self._show_nothing()

    def show_image(self, image: np.ndarray, label: int) -> None:
        """Put an image on the canvas, to be read exactly as it is: uint8 of shape (28, 28)."""
        self._canvas.put(image, label)

    def choices(self) -> dict[str, Any]:
        """Return the brush's width."""
        return {"brush": self._canvas.brush}

    def restore_choices(self, choices: dict[str, Any]) -> None:
        """Take up the brush that was used last."""
        brush = choices.get("brush")
        if isinstance(brush, int):
            self._canvas.set_brush(brush)

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
        sheet = self._canvas.sheet
        if sheet.label is not None:
            self._drawing = sheet.picture  # prepared already; doing so again would move it
        elif ink.any():
            # Of a picture its own pixels, as `workbench predict` takes them.
            self._drawing = centred((ink if sheet.picture is None else sheet.picture) / 255.0)
        else:
            self._drawing = None
        self._show_truth(None)
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
        assert self._bars.winner is not None
        self._class.setText(str(self._bars.winner))
        self._say(in_words(outputs, self._bars.winner) + ("" if trained else ", not trained yet"))
        self._show_truth(self._bars.winner)

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

    def _show_truth(self, read: int | None) -> None:
        """Say of a test image what it is, and whether that is what was read."""
        label = self._canvas.sheet.label
        word = "" if read is None else "Right: " if read == label else "Wrong: "
        self._truth.setVisible(label is not None)
        self._truth.setText(f"{word}true class {label}".capitalize())
        role = {"Right: ": "good", "Wrong: ": "bad"}.get(word, "muted")
        if self._truth.property("role") != role:
            self._truth.setProperty("role", role)
            self._truth.style().polish(self._truth)

    def sizeHint(self) -> QSize:
        """Return the size at which the canvas is comfortable and nothing has to scroll."""
        return QSize(280, 280 + self._height_below()) + QSize(2 * S.m, 2 * S.s)

    def minimumSizeHint(self) -> QSize:
        """Return the least size of use: all else is reached by scrolling."""
        bar = self._area.verticalScrollBar().sizeHint().width()
        least = max(self._tools.minimumSizeHint().width(), _LEAST_SIDE)
        return QSize(least + bar + 2 * S.m, _LEAST_SIDE + 2 * S.s)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the bars below the canvas, or beside it where the room is wide and low."""
        super().resizeEvent(event)
        down, across = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        width, height = self.width() - 2 * S.m, self.height() - 2 * S.s
        wide = width >= _LEAST_SIDE + _BESIDE and width > height
        for layout, beside in ((self._rows, True), (self._reading, True), (self._seeing, False)):
            layout.setDirection(across if wide == beside else down)
        side = min(height, width - _BESIDE) if wide else min(width, height - self._height_below())
        side = min(max(side, _LEAST_SIDE), _LARGEST_SIDE)
        self._canvas.setFixedSize(side, side)
        self._rows.setSpacing(S.m if wide else S.s)

    def _height_below(self) -> int:
        """Return the height of all that stands below the canvas, with the gap above it.

        It is made of what never changes, so that no word of an answer moves the canvas.
        """
        parts = (self._tools, self._caption, self._bars)
        heights = [self._seen.height(), *(part.sizeHint().height() for part in parts)]
        return sum(heights) + 2 * S.s + S.xs + S.m

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome pictures beside the canvas, too."""
        event.setAccepted(holds_picture(event.mimeData()))

    def dropEvent(self, event: QDropEvent) -> None:
        """Hand a dropped picture to the canvas."""
        event.acceptProposedAction()
        self._canvas.take(event.mimeData())

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(0)
        for label in (self._class, self._note, self._truth):
            words.addWidget(label)
        words.addStretch()
        self._seeing.setSpacing(S.m)
        self._seeing.addWidget(self._seen, 0, Qt.AlignmentFlag.AlignTop)
        self._seeing.addLayout(words, 1)
        seen = QVBoxLayout()
        seen.setSpacing(S.xs)
        seen.addWidget(self._caption)
        seen.addLayout(self._seeing)
        self._reading.setSpacing(S.m)
        self._reading.addLayout(seen)
        self._reading.addWidget(self._bars, 1, Qt.AlignmentFlag.AlignTop)
        beside = QVBoxLayout()
        beside.setSpacing(S.s)
        beside.addWidget(self._tools)
        beside.addLayout(self._reading)
        beside.addStretch(1)
        self._rows.setContentsMargins(S.m, S.s, S.m, S.s)
        self._rows.setSpacing(S.s)
        place = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
        self._rows.addWidget(self._canvas, 0, place)
        self._rows.addLayout(beside, 1)
        inside = QWidget()
        inside.setLayout(self._rows)
        self._area.setWidget(inside)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._area)

    def _set_up(self) -> None:
        font = self._class.font()
        font.setPointSizeF(3 * font.pointSizeF())
        font.setBold(True)
        self._class.setFont(font)
        self._class.setAccessibleName("What the network reads")
        self._note.setAccessibleName("About the reading")
        self._truth.setAccessibleName("True class")
        for label in (self._caption, self._note, self._truth):
            label.setProperty("role", "muted")
        for label in (self._note, self._truth):
            label.setWordWrap(True)
            policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            policy.setHeightForWidth(True)
            label.setSizePolicy(policy)
        self._seen.setAccessibleName("What the net sees")
        self._seen.setToolTip(
            f"The drawing as the network gets it: {SIDE} × {SIDE} pixels, scaled and centred "
            "as MNIST's images are"
        )
        self._canvas.drawn.connect(self._on_canvas_drawn)
        self._canvas.refused.connect(self.message_raised)
        self.setFocusProxy(self._canvas)
        self.setAcceptDrops(True)

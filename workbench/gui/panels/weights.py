"""The weights of a layer as images, live while they are trained.

Responsible for asking for them and for showing them; knows nothing of how they are computed.
"""

from __future__ import annotations

import time

import attrs
import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from workbench.engine.graph.types import Shape
from workbench.gui.panels.base import PANELS, Panel
from workbench.gui.state import DocumentState
from workbench.gui.theme.palette import current, hub
from workbench.gui.theme.spacing import S
from workbench.gui.unit_images import main_parameter, unit_images
from workbench.gui.widgets.colour_bar import ColourBar
from workbench.gui.widgets.colour_maps import shared_scale, to_rgba
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.image_wall import ImageWall
from workbench.gui.widgets.narrow_combo import NarrowCombo
from workbench.gui.widgets.number_image import NumberImage
from workbench.gui.widgets.readout import Readout
from workbench.nn.shapes import walk
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS
from workbench.training.events import (
    EpochEnded,
    Event,
    Finished,
    Paused,
    Prepared,
    Probed,
    RunFailed,
    Snapshot,
    Stopped,
)

#: Fewest and most milliseconds between two requests.
_LEAST_REST_MS, _MOST_REST_MS = 200, 1000

#: Part of this thread's time that making images of the weights may take while a run goes on: it is
#: taken from the training.
_SHARE = 0.015

#: Width in logical pixels from which what is said of a weight fits a line.
_ROOMY_WIDTH = 560

#: Units that are shown at most: what is asked for five times a second must stay small.
_MOST_UNITS = 1024


@attrs.frozen
class _Choice:
    """A layer that has parameters."""

    layer: int
    text: str
    parameter: str
    in_shape: Shape


@PANELS.add("weights")
class WeightsPanel(Panel):
    """Every unit of a layer as an image of its incoming weights, and one of them large."""

    title = "Weights"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: DocumentState | None = None
        self._network: NetworkSpec | None = None  # the one that the engine holds
        self._choices: list[_Choice] = []
        self._images = np.zeros((0, 1, 1))
        self._bias: np.ndarray | None = None
        self._scale = 0.0
        self._changed = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_LEAST_REST_MS)
        self._rest.timeout.connect(self._ask)
        self._build()
        hub().palette_changed.connect(self._draw)

    def take_state(self, state: DocumentState) -> None:
        """Offer the layers of the network that is shown."""
        self._state = state
        if self._network is None:
            self._fill_chooser(state.network)
        self._update_note()

    def take_snapshot(self, snapshot: Snapshot) -> None:
        """Note that the weights have moved on."""
        self._changed = True
        self._ask()

    def take_event(self, event: Event) -> None:
        """Show what was asked for, and ask when there is something new to see."""
        if isinstance(event, Probed):
            self._show_parameters(event)
        elif isinstance(event, Prepared) and event.network is not None:
            self._network = event.network
            self._fill_chooser(self._network)
            self._update_note()
        if isinstance(event, Prepared | EpochEnded | Paused | Stopped | Finished | RunFailed):
            self._changed = True
            self._ask()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give words a second line, or leave them out, where there is little room."""
        super().resizeEvent(event)
        roomy = event.size().width() >= _ROOMY_WIDTH
        self._label.setVisible(roomy)
        self._readout.set_lines(1 if roomy else 2)

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for what has happened meanwhile."""
        super().showEvent(event)
        self._changed = True
        self._ask()

    def _build(self) -> None:
        self._chooser = NarrowCombo()
        self._chooser.setAccessibleName("Layer")
        self._chooser.setToolTip("The layer whose weights are shown. Only layers with parameters.")
        self._chooser.currentIndexChanged.connect(self._on_chooser_index_changed)
        self._label = QLabel("&Layer")
        self._label.setBuddy(self._chooser)
        self._legend = ColourBar()
        top = QHBoxLayout()
        top.setSpacing(S.s)
        top.addWidget(self._label)
        top.addWidget(self._chooser)
        top.addStretch(1)
        top.addWidget(self._legend)

        self._wall = ImageWall()
        self._wall.setAccessibleName("Units")
        self._wall.setToolTip("Each image is one unit: its weights, where its inputs are.")
        self._wall.item_clicked.connect(self._on_wall_item_clicked)
        self._wall.item_activated.connect(self._on_wall_item_activated)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self._wall)
        split.addWidget(self._build_detail())
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setChildrenCollapsible(False)

        self._note = QLabel()
        self._note.setProperty("role", "muted")
        self._note.setWordWrap(True)
        shown = QWidget()
        layout = QVBoxLayout(shown)
        layout.setContentsMargins(S.m, S.m, S.m, S.m)
        layout.setSpacing(S.s)
        layout.addLayout(top)
        layout.addWidget(split, 1)
        layout.addWidget(self._note)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(
            EmptyState("image", "No weights yet", "Press Train (Space) and watch them take shape.")
        )
        self._pages.addWidget(shown)

    def _build_detail(self) -> QWidget:
        self._heading = Readout(1, role="heading")
        self._large = NumberImage()
        self._large.setAccessibleName("Weights of the chosen unit")
        self._large.setToolTip("Point at a weight, or go there by the arrow keys, to read it.")
        self._large.cell_pointed.connect(self._update_readout)
        self._readout = Readout(1, wraps=True)
        detail = QWidget()
        layout = QVBoxLayout(detail)
        layout.setContentsMargins(S.s, 0, 0, 0)
        layout.setSpacing(S.s)
        layout.addWidget(self._heading)
        layout.addWidget(self._readout)
        layout.addWidget(self._large, 1)
        return detail

    def _fill_chooser(self, network: NetworkSpec) -> None:
        choices = _choices(network)
        if choices == self._choices:
            return
        self._choices = choices
        kept = self._chooser.currentIndex()
        self._chooser.blockSignals(True)
        self._chooser.clear()
        self._chooser.addItems([choice.text for choice in choices])
        self._chooser.setCurrentIndex(min(max(kept, 0), len(choices) - 1))
        self._chooser.blockSignals(False)

    def _ask(self) -> None:
        """Ask for the weights if they are looked at, have changed and the last ones are not new."""
        if not (self._changed and self._network and self._choices and self.isVisible()):
            return
        if not self._rest.isActive():
            self._changed = False
            self._rest.start()
            self.parameters_wanted.emit(self._choice.layer)

    @property
    def _choice(self) -> _Choice:
        return self._choices[max(self._chooser.currentIndex(), 0)]

    def _show_parameters(self, probed: Probed) -> None:
        if not self._choices or probed.layer != self._choice.layer:
            return
        values = probed.parameters.get(self._choice.parameter)
        if values is None or not values.size or not self.isVisible():
            return
        began = time.thread_time()
        self._scale = shared_scale(values)
        self._images = unit_images(values, self._choice.in_shape)
        bias = probed.parameters.get("bias")
        self._bias = bias if bias is not None and bias.shape == (len(self._images),) else None
        self._pages.setCurrentIndex(1)
        if self._wall.current() < 0:
            self._wall.set_current(0)
        self._draw()
        self._update_note()
        rest_ms = 1000 * (time.thread_time() - began) / _SHARE
        self._rest.setInterval(round(min(max(rest_ms, _LEAST_REST_MS), _MOST_REST_MS)))

    def _draw(self) -> None:
        shown = self._images[:_MOST_UNITS]
        captions = [str(unit) for unit in range(len(shown))]
        self._wall.set_images(to_rgba(shown, self._scale, current()), captions)
        if len(shown) and self._wall.current() < 0:
            self._wall.set_current(0)
        self._legend.set_scale(self._scale)
        self._show_unit()

    def _show_unit(self) -> None:
        unit = self._wall.current()
        if unit < 0:
            return
        bias = self._bias
        self._heading.set_text(
            f"Unit {unit}" + ("" if bias is None else f", bias {bias[unit]:.4g}")
        )
        self._large.set_numbers(self._images[unit], self._scale)
        self._update_readout(*self._large.cell())

    def _update_readout(self, row: int, column: int) -> None:
        unit = self._wall.current()
        if unit < 0:
            return
        image = self._images[unit]
        if row < 0:
            numbers = image[np.isfinite(image)]
            text = f"From {numbers.min():.4g} to {numbers.max():.4g}" if numbers.size else ""
        elif np.isnan(image[row, column]):
            text = f"Row {row}, column {column}: no weight"
        else:
            text = f"Row {row}, column {column}: {image[row, column]:.6g}"
        self._readout.set_text(text)
        self._large.setAccessibleDescription(text)

    def _update_note(self) -> None:
        count, height, width = self._images.shape
        if not count:
            return
        text = f"{count:,} units of {height} × {width} weights."
        if count > _MOST_UNITS:
            text = f"The first {_MOST_UNITS:,} of " + text
        if self._state is not None and self._state.network != self._network:
            text += " This is the network that was trained; the stack has changed since."
        self._note.setText(text)

    def _on_chooser_index_changed(self, _: int) -> None:
        self._changed = True
        self._ask()

    def _on_wall_item_clicked(self, _: int) -> None:
        self._show_unit()

    def _on_wall_item_activated(self, _: int) -> None:
        self._large.setFocus(Qt.FocusReason.OtherFocusReason)


def _choices(network: NetworkSpec) -> list[_Choice]:
    """Return the layers that have parameters, as far as the network works out."""
    found, in_shape = [], network.input
    for index, (layer, step) in enumerate(zip(network.layers, walk(network), strict=True)):
        shapes = {name: param.shape for name, param in step.params.items()}
        name = main_parameter(shapes)
        if name is not None:
            units = shapes[name][-1] if shapes[name] else 1
            text = f"{index + 1} · {LAYERS.name_of(layer)}, {units:,} units"
            found.append(_Choice(index, text, name, in_shape))
        if step.out_shape is None:
            break
        in_shape = step.out_shape
    return found

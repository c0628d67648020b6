"""The course of a run as plots.

Responsible for when they are drawn, what they show and what is exported; knows nothing of how the
figures come about.
"""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction, QImage, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workbench.gui.panels.base import PANELS, Panel
from workbench.gui.run_figures import LIKELIHOODS, SCORES, SHARES, Figure, describe
from workbench.gui.state import DocumentState
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.empty_plots import EmptyPlots
from workbench.gui.widgets.icon_button import IconButton
from workbench.gui.widgets.narrow_combo import NarrowCombo
from workbench.gui.widgets.readout import Readout
from workbench.gui.widgets.run_plots import RunPlots, can_be_made
from workbench.spec.network import NetworkSpec
from workbench.training.events import (
    Event,
    Finished,
    Paused,
    Prepared,
    RunFailed,
    Snapshot,
    Stopped,
)
from workbench.training.history import History

#: Fewest and most milliseconds between two drawings.
_LEAST_REST_MS, _MOST_REST_MS = 200, 1000

#: Part of this thread's time that giving the figures to the plots may take while a run goes on:
#: all of it, and of the painting that follows, is taken from the training.
_SHARE = 0.005

#: Width in logical pixels below which the buttons for zooming are left out.
_ZOOMING_WIDTH = 560

#: Milliseconds between two looks whether plots can be made by now.
_LOOK_MS = 30

#: Pixels of an exported picture for each of the screen's, in each direction.
_FINENESS = 2

#: Milliseconds between two changes of what is said in words.
_TEXT_MS = 500


@PANELS.add("training")
class TrainingPanel(Panel):
    """Log-likelihood and accuracy of both splits over the iterations."""

    title = "Training"
    keys = (
        ("Read the figures of an iteration on the plots", "Left or Right, Home or End"),
        ("Zoom the plots", "+ or -"),
        ("Show all of the plots", "0"),
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = History()
        self._objective = ""
        self._network: NetworkSpec | None = None
        self._trained: NetworkSpec | None = None  # the one that the history is of
        self._upper: tuple[Figure, ...] = LIKELIHOODS
        self._drawn: tuple[int, int] | None = None  # rows of points and epochs
        self._pointed: float | None = None
        self._plots: RunPlots | None = None
        self._grows = False
        self._look = QTimer(self, interval=_LOOK_MS)
        self._look.timeout.connect(self._make_plots)
        self._draw_rest = self._make_timer(_LEAST_REST_MS)
        self._draw_rest.timeout.connect(self._draw_if_changed)
        self._text_rest = self._make_timer(_TEXT_MS)
        self._text_rest.timeout.connect(self._say_newest)
        self._build()

    def take_state(self, state: DocumentState) -> None:
        """Note what is trained for, since the plots are called by it, and of whom they are."""
        self._objective = state.training.objective
        self._network = state.network
        self._say_whose()

    def take_snapshot(self, snapshot: Snapshot) -> None:
        """Draw what has come, a little later."""
        self._grows = True
        self._draw_soon()

    def take_event(self, event: Event) -> None:
        """Change to the history of another run; draw what has come."""
        if isinstance(event, Prepared):
            self._trained = event.network
            self._show_history(event.history)
            self._say_whose()
        if isinstance(event, Prepared | Paused | Stopped | Finished | RunFailed) and self._grows:
            self._grows, self._drawn = False, None
        self._draw_soon()

    def export_csv(self, path: Path) -> None:
        """Ask for all figures to be written, as the command line's log has them."""
        self.export_wanted.emit(path, self._history)

    def export_png(self, path: Path) -> None:
        """Ask for the plots to be saved as they are seen, fine enough to be printed."""
        if self._plots is not None:
            picture = QImage(self._plots.size() * _FINENESS, QImage.Format.Format_ARGB32)
            picture.setDevicePixelRatio(_FINENESS)
            self._plots.render(picture)
            self.export_wanted.emit(path, picture)

    def plots(self) -> RunPlots | None:
        """Return the plots; None before they were needed."""
        return self._plots

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what has happened meanwhile."""
        super().showEvent(event)
        self._draw_if_changed()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out what there is no room for and what keys and wheel do as well."""
        super().resizeEvent(event)
        for button in self._zooming:
            button.setVisible(event.size().width() >= _ZOOMING_WIDTH)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Make the plots ready once the window stands there."""
        if self._plots is None and not self._look.isActive():
            self._look.start()

    def _build(self) -> None:
        self._score, self._share = NarrowCombo(), NarrowCombo()
        self._share.setAccessibleName("Lower plot")
        self._score.setAccessibleName("Upper plot")
        self._fill(self._score, self._upper)
        self._fill(self._share, SHARES)
        for chooser in (self._score, self._share):
            chooser.currentIndexChanged.connect(self._on_chooser_index_changed)
        top = QHBoxLayout()
        top.setSpacing(S.s)
        top.addWidget(self._score)
        top.addWidget(self._share)
        top.addStretch(1)
        for button in self._make_buttons():
            top.addWidget(button)
        self._readout = Readout(2)
        self._note = QLabel(
            "These curves are of the network that was trained; the stack has changed since."
        )
        self._note.setProperty("role", "muted")
        self._note.setWordWrap(True)
        self._note.hide()
        self._shown = QWidget()
        self._body = QVBoxLayout(self._shown)
        self._body.setContentsMargins(S.m, S.m, S.m, S.m)
        self._body.setSpacing(S.s)
        self._body.addLayout(top)
        self._body.addWidget(self._readout)
        self._body.addWidget(self._note)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(
            EmptyPlots(
                "train",
                "Nothing trained yet",
                "Press Train (Space), and see here how log-likelihood and accuracy rise.",
            )
        )
        self._pages.addWidget(self._shown)

    def _make_buttons(self) -> list[QWidget]:
        closer = IconButton("zoom", "Zoom in", "Show fewer iterations (+ on the plots)")
        farther = IconButton("zoom_out", "Zoom out", "Show more iterations (- on the plots)")
        everything = IconButton(
            "show_all", "Show all", "Show all iterations (0, or a double click on the plots)"
        )
        self._zooming = (closer, farther)
        for button in self._zooming:
            button.hide()  # until there is room, so that the panel asks for none
        closer.clicked.connect(self._on_closer_clicked)
        farther.clicked.connect(self._on_farther_clicked)
        everything.clicked.connect(self._on_everything_clicked)
        export = IconButton("export", "Export", "Save the plots as an image, or their figures")
        export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(export)
        for text, slot in (
            ("Image (PNG)…", self._on_export_png_triggered),
            ("Figures (CSV)…", self._on_export_csv_triggered),
        ):
            action = QAction(text, menu)
            action.triggered.connect(slot)
            menu.addAction(action)
        export.setMenu(menu)
        self._last_button = export
        return [closer, farther, everything, export]

    def _make_timer(self, interval_ms: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        return timer

    def _make_plots(self) -> None:
        """Make the plots as soon as they can be made."""
        if not can_be_made():
            self._look.start()
            return
        self._look.stop()
        self._plots = RunPlots()
        self._plots.setAccessibleName("Plots of the run")
        self._plots.setToolTip(
            "Wheel: zoom. Drag: move. Double click: show all.\n"
            "Arrow keys: read the figures of an iteration."
        )
        self._plots.step_pointed.connect(self._on_plots_step_pointed)
        self._plots.show_figures(*self._figures())
        self._body.insertWidget(1, self._plots, 1)
        self._say_whose()
        QWidget.setTabOrder(self._last_button, self._plots)  # what is made late would come last
        self._draw_if_changed()

    def _fill(self, chooser: QComboBox, figures: tuple[Figure, ...]) -> None:
        chooser.blockSignals(True)
        chooser.clear()
        chooser.addItems([figure.label for figure in figures])
        chooser.blockSignals(False)
        chooser.setToolTip("\n".join(f"{figure.label}: {figure.help}" for figure in figures))

    def _figures(self) -> tuple[Figure, Figure]:
        return self._upper[self._score.currentIndex()], SHARES[self._share.currentIndex()]

    def _show_history(self, history: History) -> None:
        if history is self._history:
            return
        self._history, self._drawn = history, None
        upper = LIKELIHOODS if self._objective == "log_likelihood" else SCORES
        if upper is not self._upper:
            self._upper = upper
            self._fill(self._score, upper)
        if self._plots is not None:
            self._plots.show_figures(*self._figures())
            self._plots.point_at(None)
            self._plots.show_all()
        self._draw_if_changed()

    def _say_whose(self) -> None:
        """Say of which network the curves are, if not of the one that the stack shows."""
        stale = self._trained is not None and self._trained != self._network
        self._note.setVisible(stale)
        if self._plots is not None:
            self._plots.fade(stale)

    def _draw_soon(self) -> None:
        if self.isVisible() and not self._draw_rest.isActive():
            self._draw_rest.start()

    def _draw_if_changed(self) -> None:
        if self.isVisible() and self._rows() != self._drawn:
            self._draw()

    def _rows(self) -> tuple[int, int]:
        return len(self._history.points()["step"]), len(self._history.epochs()["step"])

    def _draw(self) -> None:
        """Draw the history as it is now."""
        if self._plots is None:
            self._make_plots()
            return
        self._drawn = self._rows()
        self._pages.setCurrentIndex(1 if any(self._drawn) else 0)
        if not any(self._drawn):
            return
        began = time.thread_time()
        self._plots.draw(self._history.points(), self._history.epochs(), self._grows)
        rest_ms = 1000 * (time.thread_time() - began) / _SHARE
        self._draw_rest.setInterval(round(min(max(rest_ms, _LEAST_REST_MS), _MOST_REST_MS)))
        if not self._text_rest.isActive():
            self._text_rest.start()

    def _say_newest(self) -> None:
        assert self._plots is not None
        newest = self._describe(None)
        self._plots.setAccessibleDescription(newest)
        if self._pointed is None:
            self._readout.set_text(newest)

    def _describe(self, step: float | None) -> str:
        return describe(self._figures(), self._history.points(), self._history.epochs(), step)

    def _on_plots_step_pointed(self, step: float | None) -> None:
        self._pointed = step
        self._readout.set_text(self._describe(step))

    def _on_chooser_index_changed(self, _: int) -> None:
        if self._plots is not None:
            self._plots.show_figures(*self._figures())
            self._draw()
            self._on_plots_step_pointed(self._pointed)

    def _on_closer_clicked(self) -> None:
        if self._plots is not None:
            self._plots.zoom(closer=True)

    def _on_farther_clicked(self) -> None:
        if self._plots is not None:
            self._plots.zoom(closer=False)

    def _on_everything_clicked(self) -> None:
        if self._plots is not None:
            self._plots.show_all()

    def _on_export_png_triggered(self) -> None:
        self._export("Save the plots", "run.png", "Images (*.png)")

    def _on_export_csv_triggered(self) -> None:
        self._export("Save the figures", "run.csv", "Comma-separated values (*.csv)")

    def _export(self, caption: str, name: str, kinds: str) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, caption, name, kinds)
        if chosen:
            write = self.export_png if name.endswith(".png") else self.export_csv
            write(Path(chosen).with_suffix(Path(name).suffix))

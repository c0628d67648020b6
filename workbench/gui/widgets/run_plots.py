"""Two plots of a run, one above the other, over the same iterations.

Responsible for curves, crosshair and zoom; knows neither where the figures come from nor when they
change.
"""

from __future__ import annotations

import importlib
import sys
import threading
from typing import Any, Literal

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.gui.run_figures import Figure, nearest
from workbench.gui.theme.palette import current, hub
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.plot_pane import Columns, PlotPane, Split

#: Part of what is seen that the page keys move by, and what one step of zooming shows.
_PAGE, _ZOOM = 0.1, 0.7

#: Room for iterations to come, as a part of those that have been, while a run goes on, and the
#: part of the width that the curves fill at least: axes that change with every point cost more
#: than the curves.
_AHEAD, _LEAST_FILL = 0.12, 0.8

#: How much of the colour stays in curves that are not of what is at hand.
_FADED = 0.35

#: Height in logical pixels below which axes and curves go without names.
_ROOMY_HEIGHT = 260

#: It takes as long to import as the window to open. Nothing of it is made in this thread.
_import = threading.Thread(
    target=importlib.import_module, args=("pyqtgraph",), name="plots", daemon=True
)


def can_be_made() -> bool:
    """Return whether plots can be made without waiting; if not, see to it that they soon can."""
    if _import.ident is None and "pyqtgraph" not in sys.modules:
        _import.start()
    return not _import.is_alive()


def are_being_imported() -> bool:
    """Return whether a thread is importing what plots need, which nothing can end early."""
    return _import.is_alive()


class RunPlots(QWidget):
    """Shows two figures of a run.

    The wheel zooms, dragging moves, a double click shows all. By keyboard: Left, Right, Home, End
    and the page keys move the crosshair, + and - zoom, 0 shows all, Escape leaves the crosshair.

    Signals
    -------
    step_pointed(object)
        The iteration at the crosshair, or None.
    """

    step_pointed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        import pyqtgraph as pg  # see `can_be_made`

        super().__init__(parent)
        self._step: float | None = None
        self._steps = np.zeros(0)
        self._first = self._last = 0.0
        self._shows_all = True
        self._canvas = pg.GraphicsLayoutWidget()
        self._canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._canvas.ci.setContentsMargins(0, S.xs, S.s, 0)
        self._canvas.ci.setSpacing(S.s)
        for row in (0, 1):
            self._canvas.ci.layout.setRowPreferredHeight(row, 1)
            self._canvas.ci.layout.setRowStretchFactor(row, 1)
        upper, lower = (self._canvas.addPlot(row=i, col=0, enableMenu=False) for i in (0, 1))
        # In the lower plot the curves are called as they are above.
        self._panes = (PlotPane(pg, upper, True), PlotPane(pg, lower, False))
        lower.setXLink(upper)
        self._both: bool | None = None
        for pane in self._panes:
            # It is made whether it is wanted or not, belongs to nobody and would stay behind.
            menu = pane.plot.ctrlMenu
            menu.setParent(self, menu.windowFlags())
            pane.plot.getViewBox().sigRangeChangedManually.connect(self._on_box_range_changed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.addWidget(self._canvas)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        scene = self._canvas.scene()
        scene.sigMouseMoved.connect(self._on_scene_mouse_moved)
        scene.sigMouseClicked.connect(self._on_scene_mouse_clicked)
        hub().palette_changed.connect(self._on_palette_changed)
        self._on_palette_changed()

    def show_figures(self, upper: Figure, lower: Figure) -> None:
        """Choose what is plotted from the next `draw` on."""
        for pane, figure in zip(self._panes, (upper, lower), strict=True):
            pane.show_figure(figure)
        self._show_names()

    def fade(self, faded: bool) -> None:
        """Let the curves step back, or come forth again."""
        for pane in self._panes:
            for curve in pane.curves.values():
                curve.setOpacity(_FADED if faded else 1)

    def draw(self, points: Columns, epochs: Columns, grows: bool = False) -> None:
        """Plot columns of a history; the lower plot goes where it would be empty.

        Parameters
        ----------
        points, epochs
            Columns of the history.
        grows
            Whether more is to come.
        """
        both = [pane.take(points, epochs) for pane in self._panes][1]
        if both != self._both:
            self._arrange(both)
        self._steps = points["step"]
        self._first = float(min(self._steps[:1], default=0))
        self._last = float(max([self._first, *self._steps[-1:], *epochs["step"][-1:]]))
        if self._shows_all:
            if not grows:
                self.show_all()
            elif not self._is_filled():
                self._show_range(self._last + _AHEAD * (self._last - self._first))
        for pane in self._panes:
            pane.refresh()
        if self._step is not None and len(self._steps):
            self._point(self._step)

    def _arrange(self, both: bool) -> None:
        """Show both plots or the upper one; the lower one of them numbers the iterations."""
        self._both = both
        upper, lower = (pane.plot for pane in self._panes)
        lower.setVisible(both)
        upper.setLabel("bottom", "" if both else "Iteration")
        lower.setLabel("bottom", "Iteration")
        upper.getAxis("bottom").setStyle(showValues=not both)
        self._show_names()

    def _show_names(self) -> None:
        for pane in self._panes:
            pane.show_names(self.height() >= _ROOMY_HEIGHT)

    def _is_filled(self) -> bool:
        """Return whether all iterations are in view and leave little room."""
        left, right = self.visible_steps()
        all_seen = left <= self._first and self._last <= right
        return all_seen and self._last - self._first >= _LEAST_FILL * (right - left)

    def plotted(self, which: Literal["upper", "lower"], split: Split) -> tuple[Any, Any]:
        """Return iterations and values of a curve, also those that share a pixel with others."""
        return self._panes[("upper", "lower").index(which)].rows(split)

    def visible_steps(self) -> tuple[float, float]:
        """Return the first and last iteration between the edges of the plots."""
        left, right = self._panes[0].plot.getViewBox().viewRange()[0]
        return float(left), float(right)

    def show_all(self) -> None:
        """Show all iterations, and those to come."""
        self._shows_all = True
        self._show_range(self._last)

    def _show_range(self, last: float) -> None:
        self._panes[0].plot.setXRange(self._first, max(last, self._first + 1), padding=0.02)

    def zoom(self, closer: bool) -> None:
        """Show fewer or more iterations around the crosshair, else around the middle."""
        left, right = self.visible_steps()
        middle = (left + right) / 2 if self._step is None else self._step
        factor = _ZOOM if closer else 1 / _ZOOM
        self._shows_all = False
        self._panes[0].plot.getViewBox().scaleBy(x=factor, center=QPointF(middle, 0))

    def point_at(self, step: float | None) -> None:
        """Move the crosshair to the point nearest to an iteration, or take it away."""
        if step is not None and not len(self._steps):
            step = None
        self._point(None if step is None else float(self._steps[nearest(self._steps, step)]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the crosshair or zoom."""
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom(closer=key != Qt.Key.Key_Minus)
        elif key == Qt.Key.Key_0:
            self.show_all()
        elif key == Qt.Key.Key_Escape and self._step is not None:
            self.point_at(None)
        elif not self._move(key):
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Frame the plots while the keyboard is theirs."""
        painter = QPainter(self)
        painter.setPen(QColor(current().accent if self.hasFocus() else current().surface))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out names where there is hardly room for the curves."""
        super().resizeEvent(event)
        self._show_names()

    def leaveEvent(self, event: QEvent) -> None:
        """Take the crosshair away, unless the keyboard holds it."""
        if not self.hasFocus():
            self.point_at(None)

    def _move(self, key: Qt.Key) -> bool:
        """Move the crosshair if `key` does; return whether it does."""
        left, right = self.visible_steps()
        last = len(self._steps) - 1
        if last < 0:
            return False
        row = nearest(self._steps, (left + right) / 2 if self._step is None else self._step)
        page = max(1, round(_PAGE * (right - left)))
        rows = {
            Qt.Key.Key_Left: row - 1,
            Qt.Key.Key_Right: row + 1,
            Qt.Key.Key_PageUp: row - page,
            Qt.Key.Key_PageDown: row + page,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        if key not in rows:
            return False
        step = float(self._steps[min(max(rows[key], 0), last)])
        self.point_at(step)
        if not left <= step <= right:
            self._shows_all = False
            width = right - left
            self._panes[0].plot.setXRange(step - width / 2, step + width / 2, padding=0)
        return True

    def _point(self, step: float | None) -> None:
        for pane in self._panes:
            pane.point(step)
        if step != self._step:
            self._step = step
            self.step_pointed.emit(step)

    def _on_scene_mouse_moved(self, place: QPointF) -> None:
        for pane in self._panes:
            box = pane.plot.getViewBox()
            if pane.plot.isVisible() and box.sceneBoundingRect().contains(place):
                self.point_at(box.mapSceneToView(place).x())
                return
        self.point_at(None)

    def _on_box_range_changed(self, _: object) -> None:
        self._shows_all = False

    def _on_scene_mouse_clicked(self, click: Any) -> None:
        if click.double():
            self.show_all()

    def _on_palette_changed(self) -> None:
        palette = current()
        self._canvas.setBackground(QColor(palette.surface))
        for pane in self._panes:
            pane.restyle(palette)

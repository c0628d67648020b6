"""Two plots of a run, one above the other, over the same iterations.

Responsible for curves, crosshair and zoom; knows neither where the figures come from nor when they
change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.gui.run_figures import Figure, nearest
from workbench.gui.theme.palette import Palette, current, hub
from workbench.gui.theme.spacing import S

Split = Literal["train", "validation"]
Columns = Mapping[str, np.ndarray]

#: Width of the left axes in logical pixels: equal, so that the plots stand exactly one above the
#: other.
_AXIS_WIDTH = 64

#: Part of what is seen that the page keys move by, and what one step of zooming shows.
_PAGE, _ZOOM = 0.1, 0.7


class _Pane:
    """One of the plots."""

    def __init__(self, pg: Any, plot: Any) -> None:
        self.plot = plot
        self.figure: Figure | None = None
        plot.hideButtons()
        # Zooming concerns the iterations; what is seen of them always fills the height.
        plot.setMouseEnabled(x=True, y=False)
        plot.setAutoVisible(y=True)
        plot.enableAutoRange(x=False, y=True)
        for side in ("left", "bottom"):
            plot.getAxis(side).enableAutoSIPrefix(False)
        plot.getAxis("left").setWidth(_AXIS_WIDTH)
        self.legend = plot.addLegend(verSpacing=-S.xs)
        self.curves: dict[Split, Any] = {
            "train": plot.plot(name="train"),
            "validation": plot.plot(name="validation", symbol="o", symbolSize=5),
        }
        for curve in self.curves.values():
            curve.setDownsampling(auto=True)
            curve.setClipToView(True)
        self.cursor = pg.InfiniteLine(angle=90)
        self.dots = {split: pg.ScatterPlotItem(size=9) for split in self.curves}
        for item in (self.cursor, *self.dots.values()):
            item.hide()
            item.setZValue(10)
            plot.addItem(item, ignoreBounds=True)

    def show_figure(self, figure: Figure) -> None:
        self.figure = figure
        axis = self.plot.getAxis("left")
        axis.setLabel(figure.label)
        axis.setScale(100 if figure.percent else 1)
        # The corner that learning leaves empty.
        corner = (1, 1) if figure.rises else (1, 0)
        self.legend.anchor(corner, corner, offset=(-S.s, -S.s if figure.rises else S.s))

    def draw(self, points: Columns, epochs: Columns) -> bool:
        """Plot the present columns; return whether there was anything to plot."""
        assert self.figure is not None
        found = False
        columns: tuple[tuple[Split, Columns, str], ...] = (
            ("train", points, self.figure.column),
            ("validation", epochs, f"validation_{self.figure.column}"),
        )
        for split, rows, column in columns:
            steps, values = rows["step"], rows[column]
            known = ~np.isnan(values)
            if not known.all():
                steps, values = steps[known], values[known]
            self.curves[split].setData(steps.astype(np.float64), self.figure.convert(values))
            found = found or bool(len(steps))
        return found

    def point(self, step: float | None) -> None:
        """Point at what is nearest to an iteration, or at nothing."""
        self.cursor.setVisible(step is not None)
        if step is not None:
            self.cursor.setValue(step)
        for split, dot in self.dots.items():
            x, y = self.curves[split].getOriginalDataset()
            if step is None or x is None or not len(x):
                dot.hide()
                continue
            row = nearest(x, step)
            dot.setData([x[row]], [y[row]])
            dot.show()

    def restyle(self, palette: Palette) -> None:
        for side in ("left", "bottom"):
            axis = self.plot.getAxis(side)
            axis.setPen(_pen(palette.border))
            axis.setTextPen(_pen(palette.muted))
        lines: dict[Split, tuple[str, Qt.PenStyle]] = {
            "train": (palette.train, Qt.PenStyle.SolidLine),
            "validation": (palette.validation, Qt.PenStyle.DashLine),
        }
        for split, (colour, dash) in lines.items():
            self.curves[split].setPen(_pen(colour, dash))
            self.dots[split].setPen(_pen(palette.surface))
            self.dots[split].setBrush(QColor(colour))
        self.curves["validation"].setSymbolPen(_pen(palette.validation))
        self.curves["validation"].setSymbolBrush(QColor(palette.validation))
        self.cursor.setPen(_pen(palette.muted))
        background = QColor(palette.surface)
        background.setAlpha(200)
        self.legend.setBrush(background)
        for _, label in self.legend.items:
            label.setText(label.text, color=palette.text)


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
        # It takes longer to import than the window takes to open.
        import pyqtgraph as pg

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
        upper = _Pane(pg, self._canvas.addPlot(row=0, col=0, enableMenu=False))
        lower = _Pane(pg, self._canvas.addPlot(row=1, col=0, enableMenu=False))
        lower.plot.setXLink(upper.plot)
        lower.legend.hide()  # the curves are called as they are above
        self._panes = (upper, lower)
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

    def draw(self, points: Columns, epochs: Columns) -> None:
        """Plot columns of a history; the lower plot goes where it would be empty."""
        upper, lower = self._panes
        upper.draw(points, epochs)
        both = lower.draw(points, epochs)
        lower.plot.setVisible(both)
        for pane in self._panes:
            pane.plot.setLabel("bottom", "Iteration" if pane is lower or not both else "")
        upper.plot.getAxis("bottom").setStyle(showValues=not both)
        self._steps = points["step"]
        self._first = float(min(self._steps[:1], default=0))
        self._last = float(max([self._first, *self._steps[-1:], *epochs["step"][-1:]]))
        if self._shows_all:
            self.show_all()
        if self._step is not None and len(self._steps):
            self._point(self._step)

    def plotted(self, which: Literal["upper", "lower"], split: Split) -> tuple[Any, Any]:
        """Return iterations and values of a curve as they were given to it."""
        pane = self._panes[("upper", "lower").index(which)]
        x, y = pane.curves[split].getOriginalDataset()
        return (x, y) if x is not None else (np.zeros(0), np.zeros(0))

    def visible_steps(self) -> tuple[float, float]:
        """Return the first and last iteration between the edges of the plots."""
        left, right = self._panes[0].plot.getViewBox().viewRange()[0]
        return float(left), float(right)

    def show_all(self) -> None:
        """Show all iterations, and those to come."""
        # Left to itself, pyqtgraph comes near the whole range in several steps only.
        self._shows_all = True
        self._panes[0].plot.setXRange(self._first, max(self._last, self._first + 1), padding=0.02)

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


def _pen(colour: str, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    pen = QPen(QColor(colour), 1, style)
    pen.setCosmetic(True)
    return pen

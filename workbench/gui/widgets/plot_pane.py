"""One plot of a run: its curves, its axes and where its crosshair points.

Responsible for drawing little where there is much to draw; knows neither where the figures come
from nor when they change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QGraphicsItem

from workbench.gui.run_figures import Figure, nearest, thinned
from workbench.gui.theme.palette import Palette
from workbench.gui.theme.spacing import S

Split = Literal["train", "validation"]
Columns = Mapping[str, np.ndarray]

#: Width of the left axes in logical pixels: equal, so that the plots stand exactly one above the
#: other.
_AXIS_WIDTH = 64

#: Room above and below the curves, and the part of the height that they fill at least, so that the
#: axis stays as it is while they move a little: new axes cost more than new curves.
_ROOM, _LEAST_FILL = 0.06, 0.6


class PlotPane:
    """One of the plots.

    Parameters
    ----------
    pg
        The module pyqtgraph.
    plot
        A `PlotItem` of it.
    has_legend
        Whether the curves are called by their names here.
    """

    def __init__(self, pg: Any, plot: Any, has_legend: bool) -> None:
        self.plot = plot
        self.box = plot.getViewBox()
        self._figure: Figure | None = None
        self._rows: dict[Split, tuple[np.ndarray, np.ndarray]] = {}
        #: What each curve was painted for, and between which figures it then lay.
        self._painted: dict[Split, tuple[tuple[object, ...], tuple[float, float]]] = {}
        self._has_legend = has_legend
        plot.hideButtons()
        # Zooming concerns the iterations; what is seen of them always fills the height.
        plot.setMouseEnabled(x=True, y=False)
        plot.disableAutoRange()
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.enableAutoSIPrefix(False)
            # Painted again only when they change, not with every point that comes.
            axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        plot.getAxis("left").setWidth(_AXIS_WIDTH)
        self.legend = plot.addLegend(verSpacing=-S.xs)
        self.curves: dict[Split, Any] = {
            "train": pg.PlotCurveItem(name="train", skipFiniteCheck=True),
            "validation": pg.PlotDataItem(name="validation", symbol="o", symbolSize=5),
        }
        for curve in self.curves.values():
            plot.addItem(curve, ignoreBounds=True)
        self.cursor = pg.InfiniteLine(angle=90)
        self.dots = {split: pg.ScatterPlotItem(size=9) for split in self.curves}
        for item in (self.cursor, *self.dots.values()):
            item.hide()
            item.setZValue(10)
            plot.addItem(item, ignoreBounds=True)
        self.box.sigXRangeChanged.connect(self._on_box_changed)
        self.box.sigResized.connect(self._on_box_changed)

    def show_figure(self, figure: Figure) -> None:
        """Choose what is plotted from the next `take` on."""
        self._figure = figure
        self._painted.clear()
        axis = self.plot.getAxis("left")
        axis.setLabel(figure.label)
        axis.setScale(100 if figure.percent else 1)
        # The corner that learning leaves empty.
        corner = (1, 1) if figure.rises else (1, 0)
        self.legend.anchor(corner, corner, offset=(-S.s, -S.s if figure.rises else S.s))

    def show_names(self, shown: bool) -> None:
        """Show what axes and curves are called, or leave the room to the curves."""
        self.legend.setVisible(shown and self._has_legend)
        for side in ("left", "bottom"):
            axis = self.plot.getAxis(side)
            axis.showLabel(shown and bool(axis.labelText))

    def take(self, points: Columns, epochs: Columns) -> bool:
        """Note the present columns for `refresh`; return whether there is anything to plot."""
        assert self._figure is not None
        column = self._figure.column
        self._rows = {
            "train": (points["step"], points[column]),
            "validation": (epochs["step"], epochs[f"validation_{column}"]),
        }
        return any(np.isfinite(values[-1:]).any() for _, values in self._rows.values())

    def rows(self, split: Split) -> tuple[np.ndarray, np.ndarray]:
        """Return iterations and figures of a curve, all of them; float64."""
        if self._figure is None or split not in self._rows:
            return np.zeros(0), np.zeros(0)
        steps, values = self._rows[split]
        known = ~np.isnan(values)
        return steps[known].astype(np.float64), self._figure.convert(values[known])

    def refresh(self) -> None:
        """Draw what is in view, as fine as the screen shows it."""
        if self._figure is None:
            return
        (left, right), room = self.box.viewRange()[0], max(round(self.box.width()), 1)
        low, high = np.inf, -np.inf
        for split, (steps, values) in self._rows.items():
            wanted = (id(values.base), len(steps), left, right, room)
            painted, bounds = self._painted.get(split, (None, (np.inf, -np.inf)))
            if painted != wanted:
                x, y = thinned(steps, values, left, right, room)
                y = self._figure.convert(y)
                self.curves[split].setData(x, y)
                bounds = (float(y.min(initial=np.inf)), float(y.max(initial=-np.inf)))
                self._painted[split] = (wanted, bounds)
            low, high = min(low, bounds[0]), max(high, bounds[1])
        self._fit_height(low, high)

    def _fit_height(self, low: float, high: float) -> None:
        if low > high:
            return
        if low == high:
            low, high = low - (abs(low) / 2 or 0.5), high + (abs(high) / 2 or 0.5)
        bottom, top = self.box.viewRange()[1]
        fills = high - low >= _LEAST_FILL * (top - bottom)
        if not (bottom <= low and high <= top and fills):
            self.plot.setYRange(low, high, padding=_ROOM)

    def point(self, step: float | None) -> None:
        """Point at what is nearest to an iteration, or at nothing."""
        self.cursor.setVisible(step is not None)
        if step is not None:
            self.cursor.setValue(step)
        for split, dot in self.dots.items():
            x, y = self.rows(split) if step is not None else (np.zeros(0), np.zeros(0))
            dot.setVisible(len(x) > 0)
            if step is not None and len(x):
                row = nearest(x, step)
                dot.setData([x[row]], [y[row]])

    def restyle(self, palette: Palette) -> None:
        """Take the theme's colours."""
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

    def _on_box_changed(self, *_: object) -> None:
        self.refresh()


def _pen(colour: str, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    pen = QPen(QColor(colour), 1, style)
    pen.setCosmetic(True)
    return pen

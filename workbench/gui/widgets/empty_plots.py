"""What stands where plots will be: the shape that a curve takes, and what to do to get it.

Responsible for how that looks; knows nothing of runs.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF

from workbench.gui.theme.palette import current
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.empty_state import EmptyState

#: Corners of the curve, and how soon it rises: before the words begin.
_CORNERS, _HASTE = 60, 12.0

#: Width in logical pixels below which the words need all of it.
_LEAST_WIDTH = 480


class EmptyPlots(EmptyState):
    """Axes and a faint promise of a curve, behind an `EmptyState`."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw axes and curve in the colour of borders."""
        if self.width() < _LEAST_WIDTH:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        room, colour = self.rect().adjusted(S.xl, S.xl, -S.xl, -S.xl), QColor(current().border)
        painter.setPen(QPen(colour, 1))
        painter.drawPolyline([room.topLeft(), room.bottomLeft(), room.bottomRight()])
        x = np.linspace(0, 1, _CORNERS)
        y = 0.9 * (1 - np.exp(-_HASTE * x))
        painter.setPen(QPen(colour, 2, Qt.PenStyle.DotLine))
        painter.drawPolyline(
            QPolygonF(
                [
                    QPointF(room.left() + a * room.width(), room.bottom() - b * room.height())
                    for a, b in zip(x.tolist(), y.tolist(), strict=True)
                ]
            )
        )

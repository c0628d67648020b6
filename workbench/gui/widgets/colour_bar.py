"""The legend of a diverging colour map.

Responsible for showing which colour stands for which number; knows nothing of the numbers.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui.theme.palette import current, hub
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.colour_maps import diverging_map

_BAR_HEIGHT = 10


class ColourBar(QWidget):
    """A strip of all colours, and below it the numbers at its ends and zero in its middle."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Scale of colours")
        hub().palette_changed.connect(self.update)

    def set_scale(self, scale: float) -> None:
        """Let the colours reach from `-scale` to `scale`."""
        self._scale = scale
        shown = f"from {-scale:.3g} to {scale:.3g}"
        if shown != self.accessibleDescription():
            self.setAccessibleDescription(shown)
            self.update()
        self.setToolTip(
            f"Colours reach from {-scale:.6g} to {scale:.6g}, the largest magnitude in the layer."
        )

    def sizeHint(self) -> QSize:
        """Return room for three numbers."""
        return QSize(200, _BAR_HEIGHT + S.xs + self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        """Return room for three short numbers."""
        return QSize(140, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw strip and numbers."""
        palette, painter = current(), QPainter(self)
        strip = QRect(0, 0, self.width(), _BAR_HEIGHT)
        colours = diverging_map(palette)[:-1]
        row = QImage(colours.data, len(colours), 1, colours.nbytes, QImage.Format.Format_RGBA8888)
        painter.drawImage(strip, row)
        painter.setPen(QColor(palette.border))
        painter.drawRect(strip.adjusted(0, 0, -1, -1))
        painter.setPen(QColor(palette.text))
        below = self.rect().adjusted(0, _BAR_HEIGHT + S.xs, 0, 0)
        numbers = (
            (Qt.AlignmentFlag.AlignLeft, f"{-self._scale:.3g}" if self._scale else ""),
            (Qt.AlignmentFlag.AlignHCenter, "0"),
            (Qt.AlignmentFlag.AlignRight, f"{self._scale:.3g}" if self._scale else ""),
        )
        for side, text in numbers:
            painter.drawText(below, side | Qt.AlignmentFlag.AlignTop, text)

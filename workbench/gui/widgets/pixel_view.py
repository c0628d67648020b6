"""One small grey image, enlarged so that each of its pixels is seen.

Responsible for drawing it; knows nothing of what it shows.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from workbench.gui.theme.palette import current, hub


class PixelView(QWidget):
    """Shows an image without smoothing, in a thin frame.

    Parameters
    ----------
    side
        Pixels of the image along each side.
    scale
        Logical pixels of the screen to one of the image.
    """

    def __init__(self, side: int, scale: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixels = np.zeros((side, side), np.uint8)
        self.setFixedSize(side * scale + 2, side * scale + 2)
        hub().palette_changed.connect(self.update)

    @property
    def pixels(self) -> np.ndarray:
        """What is shown."""
        return self._pixels

    def show_pixels(self, pixels: np.ndarray) -> None:
        """Show an image: uint8 of shape (side, side)."""
        if not np.array_equal(pixels, self._pixels):
            self._pixels = np.ascontiguousarray(pixels)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the image and its frame."""
        painter = QPainter(self)
        height, width = self._pixels.shape
        image = QImage(self._pixels.data, width, height, width, QImage.Format.Format_Grayscale8)
        painter.drawImage(self.rect().adjusted(1, 1, -1, -1), image)
        painter.setPen(QPen(QColor(current().border), 1))
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

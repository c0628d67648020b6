"""A square sheet of light ink on dark, drawn in smooth strokes, with an undo of its own.

Responsible for the pixels and for taking back; knows neither mouse nor keyboard.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPen

#: Side of the sheet in pixels: fourteen to one of MNIST's.
SIDE = 28 * 14

#: How many steps can be taken back.
_STEPS = 100

#: Curves of a stroke after which what is drawn counts as finished, so that long strokes stay quick.
_CURVES = 64


class Sheet:
    """What has been drawn, and what had been before.

    A stroke is made of quadratic curves that join at the midpoints between its points.
    """

    def __init__(self) -> None:
        self._image = _blank()
        self._picture: np.ndarray | None = None
        self._before: list[tuple[QImage, np.ndarray | None]] = []
        self._ground: QImage | None = None
        self._path = QPainterPath()
        self._last = QPointF()
        self._pen = QPen()

    @property
    def image(self) -> QImage:
        """The pixels, grey, `SIDE` in square."""
        return self._image

    @property
    def picture(self) -> np.ndarray | None:
        """The picture that was put on the sheet and not changed since, in its own size."""
        return self._picture

    @property
    def drawing(self) -> bool:
        """Whether a stroke is under way."""
        return self._ground is not None

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._before)

    @property
    def is_blank(self) -> bool:
        """Whether there is no ink at all."""
        return not self._view().any()

    def to_array(self) -> np.ndarray:
        """Return a copy of the pixels: uint8 of shape (`SIDE`, `SIDE`), ink bright on 0."""
        return self._view().copy()

    def begin(self, place: QPointF, width: float) -> None:
        """Put the pen down; `width` is in pixels of the sheet."""
        self._remember()
        self._picture = None
        self._ground = self._image
        self._pen = QPen(
            Qt.GlobalColor.white,
            width,
            Qt.PenStyle.SolidLine,
            Qt.PenCapStyle.RoundCap,
            Qt.PenJoinStyle.RoundJoin,
        )
        self._path = QPainterPath(place)
        self._last = place
        self._render(self._ground)

    def extend(self, place: QPointF) -> None:
        """Lead the pen on."""
        if self._ground is None or place == self._last:
            return
        middle = (self._last + place) / 2
        self._path.quadTo(self._last, middle)
        self._last = place
        if self._path.elementCount() > 3 * _CURVES:
            self._ground = self._drawn(self._ground, self._path)
            self._path = QPainterPath(middle)
        self._render(self._ground)

    def end(self) -> None:
        """Lift the pen."""
        self._ground = None

    def clear(self) -> None:
        """Take all ink away; that can be undone."""
        if not self.is_blank:
            self._remember()
            self._image, self._picture = _blank(), None

    def put(self, picture: np.ndarray) -> None:
        """Fill the sheet with a picture, as large as it fits; that can be undone.

        Parameters
        ----------
        picture
            uint8 of shape (height, width), ink bright on 0.
        """
        self._remember()
        picture = np.ascontiguousarray(picture)
        height, width = picture.shape
        own = QImage(picture.data, width, height, width, QImage.Format.Format_Grayscale8)
        scale = SIDE / max(height, width)
        # Qt's painter skips pixels where it makes a picture much smaller; scaling does not.
        fitted = own.scaled(
            max(1, round(width * scale)),
            max(1, round(height * scale)),
            Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        self._image = _blank()
        painter = QPainter(self._image)
        painter.drawImage((SIDE - fitted.width()) // 2, (SIDE - fitted.height()) // 2, fitted)
        painter.end()
        self._picture = picture.copy()
        self._picture.setflags(write=False)

    def undo(self) -> None:
        """Take the last step back: a stroke, a picture or a clearing."""
        self.end()
        if self._before:
            self._image, self._picture = self._before.pop()

    def _remember(self) -> None:
        self.end()
        self._before.append((self._image, self._picture))
        del self._before[:-_STEPS]

    def _render(self, ground: QImage) -> None:
        path = QPainterPath(self._path)
        path.lineTo(self._last)
        self._image = self._drawn(ground, path)

    def _drawn(self, ground: QImage, path: QPainterPath) -> QImage:
        """Return the ground with a path on it, in one go: pieces would show at their seams."""
        image = QImage(ground)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self._pen)
        if path.length() > 0:
            painter.drawPath(path)
        else:
            painter.drawPoint(self._last)
        painter.end()
        return image

    def _view(self) -> np.ndarray:
        rows = np.frombuffer(self._image.constBits(), np.uint8)
        return rows.reshape(SIDE, self._image.bytesPerLine())[:, :SIDE]


def _blank() -> QImage:
    image = QImage(SIDE, SIDE, QImage.Format.Format_Grayscale8)
    image.fill(0)
    return image

"""A square sheet of light ink on dark, drawn in smooth strokes, with undo and redo of its own.

Responsible for the pixels and for taking back; knows neither mouse nor keyboard.
"""

from __future__ import annotations

import attrs
import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPen

#: Side of the sheet in pixels: fourteen to one of MNIST's.
SIDE = 28 * 14

#: How many steps can be taken back.
_STEPS = 100

#: Curves of a stroke after which what is drawn counts as finished, so that long strokes stay quick.
_CURVES = 64


@attrs.frozen(eq=False)
class _Step:
    """The sheet at one moment: its pixels, the picture they are of, and the class of that."""

    image: QImage
    picture: np.ndarray | None = None
    label: int | None = None


class Sheet:
    """What has been drawn, and what had been before.

    A stroke is made of quadratic curves that join at the midpoints between its points.
    """

    def __init__(self) -> None:
        self._now = _Step(_blank())
        self._before: list[_Step] = []
        self._after: list[_Step] = []
        self._ground: QImage | None = None
        self._path = QPainterPath()
        self._last = QPointF()
        self._pen = QPen()

    @property
    def image(self) -> QImage:
        """The pixels, grey, `SIDE` in square."""
        return self._now.image

    @property
    def picture(self) -> np.ndarray | None:
        """The picture that was put on the sheet and not changed since, in its own size."""
        return self._now.picture

    @property
    def label(self) -> int | None:
        """The true class of `picture`, where that is known."""
        return self._now.label

    @property
    def drawing(self) -> bool:
        """Whether a stroke is under way."""
        return self._ground is not None

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._before)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step that was taken back."""
        return bool(self._after)

    @property
    def is_blank(self) -> bool:
        """Whether there is no ink at all."""
        return not self._view().any()

    def to_array(self) -> np.ndarray:
        """Return a copy of the pixels: uint8 of shape (`SIDE`, `SIDE`), ink bright on 0."""
        return self._view().copy()

    def begin(self, place: QPointF, width: float, erase: bool = False) -> None:
        """Put the pen down, or the rubber; `width` is in pixels of the sheet."""
        self._change(_Step(self._now.image))
        self._ground = self._now.image
        self._pen = QPen(
            Qt.GlobalColor.black if erase else Qt.GlobalColor.white,
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
            self._change(_Step(_blank()))

    def put(self, picture: np.ndarray, label: int | None = None) -> None:
        """Fill the sheet with a picture, as large as it fits; that can be undone.

        Parameters
        ----------
        picture
            uint8 of shape (height, width), ink bright on 0.
        label
            The class that it is known to belong to.
        """
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
        image = _blank()
        painter = QPainter(image)
        painter.drawImage((SIDE - fitted.width()) // 2, (SIDE - fitted.height()) // 2, fitted)
        painter.end()
        picture = picture.copy()
        picture.setflags(write=False)
        self._change(_Step(image, picture, label))

    def undo(self) -> None:
        """Take the last step back: a stroke, a picture or a clearing."""
        self.end()
        if self._before:
            self._after.append(self._now)
            self._now = self._before.pop()

    def redo(self) -> None:
        """Do again what was taken back last."""
        self.end()
        if self._after:
            self._before.append(self._now)
            self._now = self._after.pop()

    def _change(self, step: _Step) -> None:
        self.end()
        self._before.append(self._now)
        del self._before[:-_STEPS]
        self._after.clear()
        self._now = step

    def _render(self, ground: QImage) -> None:
        path = QPainterPath(self._path)
        path.lineTo(self._last)
        self._now = _Step(self._drawn(ground, path))

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
        rows = np.frombuffer(self.image.constBits(), np.uint8)
        return rows.reshape(SIDE, self.image.bytesPerLine())[:, :SIDE]


def _blank() -> QImage:
    image = QImage(SIDE, SIDE, QImage.Format.Format_Grayscale8)
    image.fill(0)
    return image

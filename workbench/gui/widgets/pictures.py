"""Pictures from the clipboard and from dropped files, as ink.

Responsible for reading what Qt carries from other programs; knows no canvas.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QImage

from workbench.core.errors import DataError
from workbench.data.drawing import light_ink, read_grey, to_grey

#: Ends of the names of files that are taken for pictures.
_SUFFIXES = (".png", ".jpg", ".jpeg")

#: Longer sides of pasted pictures are scaled down to this many pixels.
_LONGEST = 1600


def holds_picture(mime: QMimeData) -> bool:
    """Return whether there is a picture, or a file that has a picture's name."""
    return mime.hasImage() or _file(mime) is not None


def read_picture(mime: QMimeData | None) -> np.ndarray:
    """Return the picture as ink: uint8 of shape (height, width), bright on 0.

    An empty clipboard may be no data at all: None.

    Raises
    ------
    DataError
        There is no picture, it cannot be read, or it is of one colour.
    """
    if mime is None or not holds_picture(mime):
        raise DataError("The clipboard holds no picture.", "Copy a picture first.")
    path = _file(mime)
    grey = read_grey(path) if path is not None else to_grey(_to_pillow(QImage(mime.imageData())))
    ink = light_ink(grey)
    if not ink.any():
        raise DataError("The picture is of one colour.", "Take one that shows a digit.")
    picture: np.ndarray = np.rint(255 * ink).astype(np.uint8)
    return picture


def _file(mime: QMimeData) -> Path | None:
    for url in mime.urls():
        path = Path(url.toLocalFile())
        if url.isLocalFile() and path.suffix.lower() in _SUFFIXES:
            return path
    return None


def _to_pillow(image: QImage) -> Image.Image:
    if image.isNull():
        raise DataError("The clipboard's picture cannot be read.", "Save it as PNG and drop that.")
    if max(image.width(), image.height()) > _LONGEST:
        image = image.scaled(
            _LONGEST,
            _LONGEST,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    size = (image.width(), image.height())
    return Image.frombytes("RGBA", size, bytes(image.constBits()))

"""Pictures from the clipboard and from dropped files, as ink.

Responsible for reading what Qt carries from other programs; knows no canvas.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QImage

from workbench.core.errors import DataError
from workbench.data.drawing import light_ink, read_grey, to_grey

#: Ends of the names of files that are taken for pictures. Of these PNG and JPEG can be read, and
#: the others are answered in words.
_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".heic", ".svg", ".tif", ".tiff", ".webp")

#: What other programs call the pictures that can be read.
_KINDS = ("image/png", "image/jpeg")

#: Longer sides of pictures are scaled down to this many pixels.
_LONGEST = 800


def holds_picture(mime: QMimeData) -> bool:
    """Return whether there is a picture, or a file that has a picture's name."""
    kinds = any(mime.hasFormat(kind) for kind in _KINDS)
    return kinds or mime.hasImage() or _file(mime) is not None


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
    ink = light_ink(_pasted(mime) if path is None else read_grey(path, _LONGEST))
    if not ink.any():
        raise DataError("The picture is of one colour.", "Take one that shows a digit.")
    picture: np.ndarray = np.rint(255 * ink).astype(np.uint8)
    return picture


def _file(mime: QMimeData) -> Path | None:
    for url in mime.urls():
        path = Path(url.toLocalFile())
        # No folder, whatever its name, and no pipe, which might never end.
        if url.isLocalFile() and path.suffix.lower() in _SUFFIXES and path.is_file():
            return path
    return None


def _pasted(mime: QMimeData) -> np.ndarray:
    for kind in _KINDS:  # as a file: its size is known before it is decoded
        if mime.hasFormat(kind):
            return read_grey(BytesIO(mime.data(kind).data()), _LONGEST)
    return to_grey(_to_pillow(QImage(mime.imageData())))


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

"""Drawn digits: from a picture of any size to the 28 x 28 bytes that MNIST's images are.

Responsible for reading picture files and for MNIST's way of inverting, scaling and centring; knows
no network and no window.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from workbench.core.errors import DataError

#: Side of the prepared image, and of the box that the ink is scaled to fit, in pixels.
#: Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
SIDE, BOX = 28, 20

#: Ink below this share of the darkest is paper: JPEG's ripples, the grain of a scan.
_FAINT = 0.1

#: Pixels that are decoded at most where a person waits for it: less than a second.
_QUICK = 16_000_000


def read_drawing(path: Path) -> np.ndarray:
    """Read a PNG or JPEG file of one drawn digit and prepare it as MNIST's images are.

    Parameters
    ----------
    path
        The picture; dark on light is inverted.

    Returns
    -------
    np.ndarray
        Bytes of shape (28, 28), ink bright on 0.

    Raises
    ------
    DataError
        The file is missing, is no picture, is unreasonably large, or shows nothing.
    """
    ink = light_ink(read_grey(path))
    if not ink.any():
        raise DataError(
            f"The picture {str(path)!r} is of one colour.", "Draw a digit that fills most of it."
        )
    return centred(ink)


def light_ink(grey: np.ndarray) -> np.ndarray:
    """Return how much ink lies on each pixel, whichever of ink and paper is the darker.

    Parameters
    ----------
    grey
        Brightness of shape (height, width), of any real dtype and range. The paper is what most of
        the border shows.

    Returns
    -------
    np.ndarray
        float64 from 0 (paper) to 1 (most ink); all 0 where `grey` is of one colour.
    """
    grey = grey.astype(np.float64)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper = float(np.median(border))
    darkest, lightest = float(grey.min()), float(grey.max())
    ink = grey - paper if lightest - paper >= paper - darkest else paper - grey
    most = float(ink.max())
    return np.clip(ink / most, 0.0, 1.0) if most > 0.0 else np.zeros_like(ink)


def centred(ink: np.ndarray) -> np.ndarray:
    """Scale ink into a box of 20 pixels and put its centre of mass at the centre of 28 x 28.

    Parameters
    ----------
    ink
        Shape (height, width), from 0 (paper) to 1 (most ink).

    Returns
    -------
    np.ndarray
        Bytes of shape (28, 28); all 0 where there is no ink.
    """
    image = np.zeros((SIDE, SIDE), np.uint8)
    drawn = ink > _FAINT * ink.max(initial=0.0)
    if not drawn.any():
        return image
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    boxed = _fit(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    top, left = (_offset(boxed.sum(axis=1 - axis)) for axis in (0, 1))
    image[top : top + boxed.shape[0], left : left + boxed.shape[1]] = np.rint(255 * boxed)
    return image


def _fit(ink: np.ndarray) -> np.ndarray:
    """Scale to 20 pixels along the longer side, keeping the proportions."""
    height, width = ink.shape
    scale = BOX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size == (width, height):
        return ink
    scaled = Image.fromarray(ink.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    return np.clip(np.asarray(scaled, dtype=np.float64), 0.0, 1.0)


def _offset(mass: np.ndarray) -> int:
    """Where a box with this profile starts, so that its centre of mass lies within half of 14."""
    centre = float(np.average(np.arange(len(mass)), weights=mass))
    return min(max(round(SIDE / 2 - centre), 0), SIDE - len(mass))


def read_grey(source: Path | BinaryIO, longest: int | None = None) -> np.ndarray:
    """Read the brightness of a PNG or JPEG file, of shape (height, width).

    Parameters
    ----------
    source
        The file, or its bytes.
    longest
        To this many pixels the longer side is scaled down, and what would take long is refused
        before it is decoded.

    Raises
    ------
    DataError
        The file is missing, is no picture, or is unreasonably large.
    """
    name = f"The picture {str(source)!r}" if isinstance(source, Path) else "The picture"
    try:
        with warnings.catch_warnings():
            # A small file may declare a picture that fills the memory.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source, formats=("PNG", "JPEG")) as picture:
                if longest is not None:
                    picture.draft(None, (longest // 2, longest // 2))  # JPEG can be read smaller
                    if picture.width * picture.height > _QUICK:
                        raise _too_large(name, _QUICK)
                upright = ImageOps.exif_transpose(picture)
                return to_grey(upright if longest is None else _scaled_down(upright, longest))
    except FileNotFoundError:
        raise DataError(f"There is no file {str(source)!r}.", "Check the name.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        assert Image.MAX_IMAGE_PIXELS is not None
        raise _too_large(name, Image.MAX_IMAGE_PIXELS) from None
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{name} cannot be read: {error}.", "Give a PNG or JPEG file.") from None


def _too_large(name: str, most: int) -> DataError:
    return DataError(f"{name} is larger than {most:,} pixels.", "Scale it down first.")


def _scaled_down(picture: Image.Image, longest: int) -> Image.Image:
    if picture.mode.startswith("I") or max(picture.size) <= longest:  # 16 bits are left as they are
        return picture
    if picture.mode not in ("L", "LA", "RGB", "RGBA"):
        picture = picture.convert("RGBA")
    picture.thumbnail((longest, longest))
    return picture


def to_grey(picture: Image.Image) -> np.ndarray:
    """Return the brightness of a picture, of shape (height, width)."""
    if picture.mode.startswith("I"):  # 16 bits a pixel
        return np.asarray(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        alpha = np.asarray(picture.getchannel("A"), dtype=np.float64)
        grey = np.asarray(picture.convert("L"), dtype=np.float64)
        # Ink on a transparent sheet: the sheet is light under dark ink, dark under light ink.
        sheet = 255.0 if np.average(grey, weights=alpha + 1e-9) < 128.0 else 0.0
        return (grey * alpha + sheet * (255.0 - alpha)) / 255.0
    return np.asarray(picture.convert("L"))

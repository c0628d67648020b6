"""Turns pen paths into pictures as MNIST's makers did: fitted to a box, then centred by mass.

Responsible for pixels; knows nothing of digits. Only operations that IEEE 754 rounds correctly
are used, so that every machine draws the same bytes.
"""

from __future__ import annotations

import numpy as np

#: Height and width of a picture, and of the box that its ink fills.
#: Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
SIZE = 28
BOX = 20

# A thinner pen would leave no pixel fully inked.
_LEAST_EDGE = np.float32(0.6)

_SHORTEST = np.float32(1e-6)


def draw(
    starts: np.ndarray, ends: np.ndarray, radii: np.ndarray, contrast: np.ndarray
) -> np.ndarray:
    """Return one picture for each row of straight pieces of ink.

    Parameters
    ----------
    starts, ends
        Where each piece begins and ends, x then y (downwards), in any unit.
    radii
        Half the width of each piece, in pixels of the picture.
    contrast
        How much of the way from paper to ink the edge goes in one pixel; 1 is an ideal pen.

    Returns
    -------
    Grey levels, 0 is paper and 255 ink.

    Shapes
    ------
    starts, ends : (n, pieces, 2)
    radii : (n, pieces)
    contrast : (n,)
    returns : (n, 28, 28) uint8
    """
    scale, shift = _fit(np.concatenate([starts, ends], axis=1), radii.max(axis=1))
    starts, ends = (
        (path * scale[:, None, None] + shift[:, None, :]).astype(np.float32)
        for path in (starts, ends)
    )
    nearest = _nearest(starts, ends, radii.astype(np.float32))
    edge = np.maximum((contrast * radii.mean(axis=1)).astype(np.float32), _LEAST_EDGE)
    ink = np.float32(0.5) + (1 - np.sqrt(nearest)) * edge[:, None, None]
    return _centre(np.rint(np.clip(ink, 0, 1) * 255).astype(np.uint8))


def _fit(points: np.ndarray, pen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the scale and shift that make each picture, pen included, fill the box."""
    low, high = points.min(axis=1), points.max(axis=1)
    scale = (BOX - 2 * pen) / np.maximum((high - low).max(axis=1), 1e-9)
    margin = (BOX - (high - low) * scale[:, None]) / 2 - pen[:, None]
    # The ink begins where a pixel does, as it did after MNIST's own scaling.
    return scale, np.floor(margin + 1e-9) + pen[:, None] - low * scale[:, None]


def _nearest(starts: np.ndarray, ends: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Return the squared distance of each pixel of the box to the nearest piece, in its radii."""
    middle, half = (starts + ends) / 2, (ends - starts) / 2
    length = np.sqrt(half[..., 0] * half[..., 0] + half[..., 1] * half[..., 1])
    along = half / np.maximum(length, _SHORTEST)[..., None]
    along[length < _SHORTEST] = (1, 0)  # a dot has no direction of its own
    pixel = np.arange(BOX, dtype=np.float32) + np.float32(0.5)
    dx = (pixel - middle[..., :1]) / radii[..., None]  # (n, pieces, 20)
    dy = (pixel - middle[..., 1:]) / radii[..., None]
    reach = (length / radii)[..., None, None]
    ax, ay = along[..., :1], along[..., 1:]
    dx_ax, dx_ay, dy_ax, dy_ay = dx * ax, dx * ay, dy * ax, dy * ay
    nearest = np.full((len(starts), BOX, BOX), np.inf, np.float32)
    beyond, aside = np.empty_like(nearest), np.empty_like(nearest)
    for k in range(starts.shape[1]):
        # How far beyond the piece's end, and how far to its side.
        np.add(dy_ay[:, k, :, None], dx_ax[:, k, None, :], out=beyond)
        np.abs(beyond, out=beyond)
        np.subtract(beyond, reach[:, k], out=beyond)
        np.maximum(beyond, 0, out=beyond)
        np.multiply(beyond, beyond, out=beyond)
        np.subtract(dy_ax[:, k, :, None], dx_ay[:, k, None, :], out=aside)
        np.multiply(aside, aside, out=aside)
        np.add(beyond, aside, out=beyond)
        np.minimum(nearest, beyond, out=nearest)
    return nearest


def _centre(ink: np.ndarray) -> np.ndarray:
    """Put each box where its centre of mass is nearest to the picture's middle, pixel 14, 14."""
    number, box = np.arange(len(ink)), np.arange(BOX)
    mass = np.maximum(ink.sum(axis=(1, 2), dtype=np.int64), 1)
    corners = []
    for other in (2, 1):
        moment = (ink.sum(axis=other, dtype=np.int64) * box).sum(axis=1)
        corner = np.rint(SIZE / 2 - moment / mass).astype(np.intp)
        corners.append(np.clip(corner, 0, SIZE - BOX)[:, None] + box)
    pictures = np.zeros((len(ink), SIZE, SIZE), np.uint8)
    rows, columns = corners
    pictures[number[:, None, None], rows[:, :, None], columns[:, None, :]] = ink
    return pictures

"""Turns pen paths into pictures as MNIST's makers did: fitted to a box, then centred by mass.

Responsible for pixels; knows nothing of digits. Only operations that IEEE 754 rounds correctly are used, so that
every machine draws the same bytes.
"""

from __future__ import annotations

import numpy as np

SIZE = 28
_BOX = 20
#: Height or width of the box, whichever is filled. Source: Y. LeCun et al., "The MNIST database".


def draw(
    starts: np.ndarray, ends: np.ndarray, radii: np.ndarray, contrast: np.ndarray
) -> np.ndarray:
    """Return one picture a row of straight pieces of ink.

    Parameters
    ----------
    starts, ends
        Where each piece begins and ends, x then y, in any unit.
    radii
        Half the width of each piece, in pixels.
    contrast
        How many grey levels the edge rises by in a pixel, 1 for an ideal pen.

    Shapes
    ------
    starts, ends : (n, pieces, 2)
    radii : (n, pieces)
    contrast : (n,)
    returns : (n, 28, 28) uint8
    """
    starts, ends = _fit(starts, ends, radii)
    ink = _ink(*(a.astype(np.float32) for a in (starts, ends, radii, contrast)))
    return _centre(ink)


def _fit(starts: np.ndarray, ends: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale each picture to fill the box, pen included, keeping its aspect."""
    both = np.concatenate([starts, ends], axis=1)
    low, high = both.min(axis=1), both.max(axis=1)
    pen = radii.max(axis=1)
    scale = (_BOX - 2 * pen) / np.maximum((high - low).max(axis=1), 1e-9)
    shift = pen[:, None] - low * scale[:, None]
    return tuple(a * scale[:, None, None] + shift[:, None, :] for a in (starts, ends))  # type: ignore[return-value]


def _ink(
    starts: np.ndarray, ends: np.ndarray, radii: np.ndarray, contrast: np.ndarray
) -> np.ndarray:
    """Return the grey levels of the box, (n, 20, 20) uint8, from the distance to the nearest piece."""
    middle, half = (starts + ends) / 2, (ends - starts) / 2
    length = np.sqrt(half[..., 0] ** 2 + half[..., 1] ** 2)
    along = half / np.maximum(length, np.float32(1e-6))[..., None]
    # In units of the piece's own radius, so that the nearest piece is that whose ink is strongest.
    pixel = np.arange(_BOX, dtype=np.float32) + np.float32(0.5)
    dx = (pixel - middle[..., :1]) / radii[..., None]
    dy = (pixel - middle[..., 1:]) / radii[..., None]
    reach = (length / radii)[..., None, None]
    ax, ay = along[..., :1], along[..., 1:]
    n = len(starts)
    nearest = np.full((n, _BOX, _BOX), np.inf, np.float32)
    lengthwise, crosswise = np.empty_like(nearest), np.empty_like(nearest)
    for k in range(starts.shape[1]):
        np.add((dy[:, k] * ay[:, k])[:, :, None], (dx[:, k] * ax[:, k])[:, None, :], out=lengthwise)
        np.subtract(
            (dy[:, k] * ax[:, k])[:, :, None], (dx[:, k] * ay[:, k])[:, None, :], out=crosswise
        )
        np.abs(lengthwise, out=lengthwise)
        np.subtract(lengthwise, reach[:, k], out=lengthwise)
        np.maximum(lengthwise, 0, out=lengthwise)
        np.multiply(lengthwise, lengthwise, out=lengthwise)
        np.multiply(crosswise, crosswise, out=crosswise)
        np.add(lengthwise, crosswise, out=lengthwise)
        np.minimum(nearest, lengthwise, out=nearest)
    edge = (contrast * radii.mean(axis=1))[:, None, None]
    level = np.float32(0.5) + (1 - np.sqrt(nearest)) * edge
    return np.rint(np.clip(level, 0, 1) * 255).astype(np.uint8)


def _centre(ink: np.ndarray) -> np.ndarray:
    """Place each box so that its centre of mass is at the centre of the picture, to the nearest pixel."""
    n = len(ink)
    mass = np.maximum(ink.sum(axis=(1, 2), dtype=np.int64), 1)
    corner = []
    for axis in (2, 1):
        moment = (ink.sum(axis=axis, dtype=np.int64) * np.arange(_BOX)).sum(axis=1)
        corner.append(np.clip(np.rint(SIZE / 2 - moment / mass), 0, SIZE - _BOX).astype(np.intp))
    box = np.arange(_BOX)
    pictures = np.zeros((n, SIZE, SIZE), np.uint8)
    rows, columns = corner[0][:, None] + box, corner[1][:, None] + box
    pictures[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]] = ink
    return pictures

"""Writes digits as many hands would: each shape slanted, bent, wobbled, stretched and inked at random.

Responsible for the variation; knows nothing of files. Every number follows from (seed, picture), by arithmetic
that is the same on every machine.
"""

from __future__ import annotations

import numpy as np

from workbench.data.dataset import Progress
from workbench.data.raster import SIZE, draw
from workbench.data.strokes import Shape, shapes

_PURPOSE = 0x4449_4749_5453_2121
_WORDS = 96  # random words a picture
_CHUNK = 128  # pictures at a time: their boxes fit a processor's cache

#: How far each digit leans to the right, as written by most people.
_LEAN = (0.20, 0.22, 0.12, 0.10, 0.10, 0.22, 0.10, 0.10, 0.18, 0.08)


def write(seed: int, n: int, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """Return `n` pictures of digits and what they show; the first ones are the same for every `n`.

    Shapes
    ------
    returns : (n, 28, 28) uint8, (n,) int32
    """
    known = shapes()
    words = _words(seed, n)
    labels = np.minimum((_uniform(words[:, 0]) * 10).astype(np.int32), 9)
    bounds = np.cumsum([shape.weight for shape in known])
    chosen = np.searchsorted(bounds, labels + _uniform(words[:, 1]), side="right")
    chosen = np.minimum(chosen, len(known) - 1)
    pictures = np.empty((n, SIZE, SIZE), np.uint8)
    done = 0
    for number, shape in enumerate(known):
        rows = np.flatnonzero(chosen == number)
        for k in range(0, len(rows), _CHUNK):
            some = rows[k : k + _CHUNK]
            pictures[some] = _hand(shape, words[some, 2:])
            done += len(some)
            progress("drawing digits", done, n)
    return pictures, np.array([s.digit for s in known], np.int32)[chosen]


def _words(seed: int, n: int) -> np.ndarray:
    philox = np.random.Philox(key=np.array([seed % 2**64, _PURPOSE], np.uint64))
    return philox.random_raw(n * _WORDS).reshape(n, _WORDS)


def _uniform(words: np.ndarray) -> np.ndarray:
    """Return numbers from 0 up to 1."""
    return (words >> np.uint64(11)) * 2.0**-53


def _normal(words: np.ndarray) -> np.ndarray:
    """Return numbers of mean 0 and deviation 1: the sum of a word's four quarters, at most 3.5 from 0."""
    quarters = sum((words >> np.uint64(16 * k)) & np.uint64(0xFFFF) for k in range(4))
    return (quarters - 131070.0) / 37837.2


def _hand(shape: Shape, words: np.ndarray) -> np.ndarray:
    n = len(words)
    z = _normal(words)
    u = _uniform(words)
    controls = len(shape.control)
    wobble = 0.03 + 0.07 * u[:, 0]
    jitter = z[:, 40 : 40 + 2 * controls].reshape(n, controls, 2)
    control = shape.control + wobble[:, None, None] * jitter
    points = sum(shape.weights[:, k, None] * control[:, shape.index[:, k]] for k in range(4))
    x, y = points[..., 0], points[..., 1]
    c = [z[:, k, None] for k in range(1, 12)]
    bent_x = (
        x
        + 0.08 * c[0] * y * y
        + 0.08 * c[1] * x * y
        + 0.06 * c[2] * x * x
        + 0.05 * c[3] * y * y * y
    )
    bent_y = (
        y
        + 0.08 * c[4] * x * x
        + 0.08 * c[5] * x * y
        + 0.06 * c[6] * y * y
        + 0.04 * c[3] * x * x * x
    )
    width = 0.72 + 0.14 * c[7]
    if shape.digit != 1:
        bent_x = bent_x * np.maximum(width, 0.35)
    else:
        bent_x = bent_x * 0.5
    lean = _LEAN[shape.digit] + 0.25 * c[8]
    tilt = 0.08 * c[9]
    out = np.stack([bent_x - lean * bent_y, bent_y + tilt * bent_x], axis=-1)
    pen = np.clip(1.35 + 0.38 * z[:, 12], 0.6, 2.6)
    t = np.linspace(-1, 1, len(shape.pieces))
    pressure = 1 + 0.12 * z[:, 13, None] * t + 0.12 * z[:, 14, None] * (t * t - 1 / 3)
    radii = pen[:, None] * np.clip(pressure, 0.5, 1.5)
    contrast = 0.7 + 0.5 * u[:, 15]
    return draw(out[:, shape.pieces], out[:, shape.pieces + 1], radii, contrast)

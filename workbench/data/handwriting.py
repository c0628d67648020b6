"""Writes digits as many hands would: each shape bent, slanted, stretched and inked at random.

Responsible for the variation; knows nothing of files. Every number follows from (seed, picture)
by arithmetic that is the same on every machine.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from workbench.data.dataset import Progress
from workbench.data.raster import SIZE, draw
from workbench.data.strokes import Shape, shapes

# Keeps these random numbers apart from those that others draw from the same seed.
_PURPOSE = 0x4449_4749_5453_2121

# Random words of a picture: two choose what is written, some its style, the rest its wobble.
_STYLE_AT, _WOBBLE_AT, _WORDS = 2, 22, 64

# Pictures drawn at a time: few enough for the processor's cache, and so many that threads seldom
# wait for each other's Python.
_CHUNK = 512

# How hands differ. Lengths are in halves of a digit's height, angles are slopes, and each number
# that is not a mean is a standard deviation.
_LEAN = (0.20, 0.22, 0.12, 0.10, 0.10, 0.22, 0.10, 0.10, 0.18, 0.08)  # mean for each digit
_LEAN_VARIES = 0.29
_TILT = 0.10
_WIDTH = (0.95, 0.62, 0.92, 0.90, 0.92, 0.92, 0.92, 0.92, 0.90, 0.90)  # mean, share of the shape's
_WIDTH_VARIES = (0.20, 0.14, 0.20, 0.16, 0.16, 0.17, 0.16, 0.14, 0.18, 0.15)
_NARROWEST = 0.3
_BEND_X = (0.16, 0.22, 0.15, 0.075)  # of y^2, xy, x^2, y^3
_BEND_Y = (0.12, 0.12, 0.15, 0.06)  # of x^2, xy, y^2, x^3
_STEADY, _SHAKY = 0.025, 0.065  # wobble of the steadiest and the shakiest hand
_LOOSE_TIPS = 2.0  # how much more the ends of a stroke wobble
_PEN, _PEN_VARIES = 1.27, 0.28  # radius in pixels
_THINNEST, _THICKEST = 0.6, 2.8
_BAR_PEN = 1.3  # ones are written small, so their pen is the thicker after scaling
_PRESSURE = 0.14  # how the radius varies along the path
_DULL, _CRISP = 0.7, 1.1  # contrast of the edge


def write(seed: int, n: int, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures of digits and what they show; the first ones are the same for every `n`.

    Parameters
    ----------
    seed
        Any integer.
    n
        How many.

    Shapes
    ------
    returns : (n, 28, 28) uint8, (n,) int32
    """
    known = shapes()
    words = _words(seed, n)
    # Each digit owns an equal share of the numbers from 0 to 10, and in it each shape its own.
    wanted = 10 * _uniform(words[:, 0])
    chosen = np.searchsorted(np.cumsum([shape.share for shape in known]), wanted, side="right")
    chosen = np.minimum(chosen, len(known) - 1)
    pictures = np.empty((n, SIZE, SIZE), np.uint8)
    chunks = []
    for number, shape in enumerate(known):
        rows = np.flatnonzero(chosen == number)
        chunks += [(shape, rows[k : k + _CHUNK]) for k in range(0, len(rows), _CHUNK)]
    done = 0
    # Most of it is arithmetic of NumPy's, meanwhile other threads may go on.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        drawn = pool.map(lambda chunk: _hand(chunk[0], words[chunk[1]]), chunks)
        for (_, some), found in zip(chunks, drawn, strict=True):
            pictures[some] = found
            done += len(some)
            progress("drawing digits", done, n)
    return pictures, np.array([shape.digit for shape in known], np.int32)[chosen]


def _words(seed: int, n: int) -> np.ndarray:
    philox = np.random.Philox(key=np.array([seed % 2**64, _PURPOSE], np.uint64))
    return philox.random_raw(n * _WORDS).reshape(n, _WORDS)


def _uniform(words: np.ndarray) -> np.ndarray:
    """Return numbers from 0 up to 1."""
    return np.asarray((words >> np.uint64(11)) * 2.0**-53)


def _normal(words: np.ndarray) -> np.ndarray:
    """Return numbers of mean 0 and deviation 1: sums of a word's four quarters, within 3.5."""
    quarters = [(words >> np.uint64(16 * k)) & np.uint64(0xFFFF) for k in range(4)]
    total = quarters[0] + quarters[1] + quarters[2] + quarters[3]
    return np.asarray((total - 131070.0) / 37837.2)


def _hand(shape: Shape, words: np.ndarray) -> np.ndarray:
    """Return the pictures of one shape by as many hands as there are rows of words."""
    style = words[:, _STYLE_AT:_WOBBLE_AT]
    z, u = _normal(style), _uniform(style)
    x, y = _path(shape, words, _STEADY + (_SHAKY - _STEADY) * u[:, 0])
    x, y = _bent(x, y, z[:, 1:8, None])
    width = _WIDTH[shape.digit] * (1 + _WIDTH_VARIES[shape.digit] * z[:, 8, None])
    x = x * np.maximum(width, _NARROWEST)
    lean = _LEAN[shape.digit] + _LEAN_VARIES * z[:, 9, None]
    x, y = x - lean * y, y + _TILT * z[:, 10, None] * x
    path = np.stack([x, y], axis=-1)
    pen = np.clip(_PEN + _PEN_VARIES * z[:, 11, None], _THINNEST, _THICKEST)
    along = np.linspace(-1, 1, len(shape.pieces))
    pressure = z[:, 12, None] * along + z[:, 13, None] * (along * along - 1 / 3)
    radii = pen * np.clip(1 + _PRESSURE * pressure, 0.5, 1.6)
    if shape.digit == 1:
        radii = _BAR_PEN * radii
    contrast = _DULL + (_CRISP - _DULL) * u[:, 14]
    return draw(path[:, shape.pieces], path[:, shape.pieces + 1], radii, contrast)


def _path(shape: Shape, words: np.ndarray, wobble: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of the outline's points, (n, points) each, with every control point moved."""
    controls = len(shape.control)
    moves = _normal(words[:, _WOBBLE_AT : _WOBBLE_AT + 2 * controls]).reshape(-1, controls, 2)
    looseness = np.ones(controls)
    looseness[shape.tips] = _LOOSE_TIPS
    control = shape.control + wobble[:, None, None] * looseness[:, None] * moves
    points = np.zeros((len(words), len(shape.index), 2))
    for k in range(4):
        points += shape.weights[:, k, None] * control[:, shape.index[:, k]]
    return points[..., 0], points[..., 1]


def _bent(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y bent as rubber would be; `z` is (n, 7, 1)."""
    xx, xy, yy = x * x, x * y, y * y
    a, b = _BEND_X, _BEND_Y
    bent_x = x + a[0] * z[:, 0] * yy + a[1] * z[:, 1] * xy + a[2] * z[:, 2] * xx
    bent_y = y + b[0] * z[:, 4] * xx + b[1] * z[:, 5] * xy + b[2] * z[:, 6] * yy
    return bent_x + a[3] * z[:, 3] * yy * y, bent_y + b[3] * z[:, 3] * xx * x

"""The shapes of handwritten digits, as the pen draws them.

Responsible for the curves and how they are written down; knows nothing of a hand's variation or of pixels.

A shape is one text: points ``x,y`` (0 to 100, y downwards) that a smooth curve passes through. ``*`` marks a
corner, ``/`` lifts the pen.
"""

from __future__ import annotations

import attrs
import numpy as np

#: For each digit its shapes and how common each is.
SHAPES: dict[int, dict[str, float]] = {
    0: {
        "58,1 25,10 7,50 25,90 50,100 76,90 93,50 78,12 48,0": 4,
        "68,6 40,2 14,28 8,65 30,97 62,96 90,65 90,25 64,2 44,8": 3,
        "35,5 12,30 8,68 32,98 68,94 92,60 86,20 60,0 30,10 24,24": 2,
        "78,14 50,0 18,20 8,62 32,98 70,92 92,52 84,16 62,6 52,14": 2,
    },
    1: {
        "50,0 50,50 50,100": 10,
        "48,0 53,50 48,100": 2,
        "52,0 47,50 52,100": 2,
        "32,18 52,0* 52,50 52,100": 1,
        "25,22 52,0* 52,50 52,98* / 22,100 52,99 82,99": 0.7,
    },
    2: {
        "10,24 30,3 62,3 76,26 58,58 12,98* 50,95 96,94": 4,
        "8,20 38,0 76,12 74,42 40,78 10,96 6,80 28,72 60,88 96,94": 4,
        "14,16 46,2 74,16 70,46 38,82 14,90 20,76 46,84 94,98": 2,
        "8,10 40,5 80,4* 50,48 8,96* 50,95 96,92": 1.5,
        "10,22 40,0 74,16 62,54 12,96* 34,86 62,96 96,88": 1.5,
    },
    3: {
        "12,14 45,0 78,16 66,40 36,48* 74,56 86,80 52,100 10,90": 5,
        "14,8 50,1 78,18 60,42 40,46 70,54 84,78 50,99 8,92": 3,
        "12,6 45,4 82,4* 62,24 42,42* 76,52 86,78 52,100 10,92": 1.5,
        "10,18 40,0 74,12 66,38 40,48 34,42 44,44 80,58 82,86 46,100 8,88": 1.5,
    },
    4: {
        "22,4 14,30 10,56* 45,57 88,50 / 74,4 70,50 66,100": 4,
        "16,4 8,40 22,56 55,52 78,42 / 84,2 76,50 66,100": 3,
        "62,2 36,30 8,62* 50,63 94,60 / 66,2 66,50 66,100": 2,
        "26,2 10,50* 50,50 70,44* 80,4* 72,50 64,100": 1.5,
        "20,4 16,46* 60,46 80,42 / 76,2 76,50 76,100": 1.5,
    },
    5: {
        "32,4 26,26 20,44* 52,38 82,58 74,88 40,100 8,88 / 32,5 60,5 94,2": 4,
        "92,2 60,4 32,6* 26,28 20,46* 54,40 82,60 70,90 38,100 6,88": 4,
        "84,4 48,4 28,22 40,44 68,58 72,80 46,98 8,90": 2,
        "92,0 64,6 42,8* 28,40* 52,42 68,62 52,90 4,98": 2,
    },
    6: {
        "62,0 32,26 12,60 22,92 52,100 80,84 74,62 46,58 18,78": 4,
        "46,0 24,35 12,72 32,98 64,94 76,72 54,58 26,70 14,84": 3,
        "76,2 38,18 14,52 16,86 46,100 78,86 76,62 48,54 22,68 16,80": 3,
        "30,0 18,40 14,80 36,98 70,92 76,68 48,58 20,72": 2,
    },
    7: {
        "8,8 50,8 90,4* 62,50 44,100": 5,
        "8,24 12,8* 50,8 88,4* 64,46 48,100": 2,
        "6,18 26,4 58,10 86,4* 60,52 40,100": 2.5,
        "10,10 50,9 88,5* 64,46 46,100 / 30,52 54,50 80,46": 1.5,
        "12,12 44,2 78,10 80,40 64,70 56,100": 2,
    },
    8: {
        "80,14 48,0 20,18 42,42 74,64 74,90 44,100 18,88 28,62 62,38 82,12": 4,
        "76,18 52,0 24,14 32,38 64,58 78,82 50,100 20,86 30,60 66,38 74,12 50,2": 3,
        "50,48 24,32 24,10 50,0 76,10 76,32 50,48 20,66 20,90 50,100 80,90 80,66 50,48": 3,
        "84,4 56,2 28,16 36,40 62,60 66,88 38,100 18,84 34,58 66,36 88,8": 2,
    },
    9: {
        "80,16 52,0 18,14 16,40 48,48 76,24 82,8* 80,50 72,100": 4,
        "76,14 46,0 16,20 22,46 56,44 78,14* 74,50 62,100": 3,
        "82,22 60,0 24,8 14,34 38,50 70,36 82,16 82,52 68,86 40,100 14,92": 2.5,
        "70,6 36,4 16,28 36,46 70,30 78,8* 62,54 44,100": 2,
        "78,6 40,4 20,26 36,42 66,36 78,10* 78,50 78,100": 1.5,
    },
}

_PIECES = 3  # straight pieces between two neighbouring points


@attrs.frozen(eq=False)
class Shape:
    """One shape, ready to be drawn: a point of its outline is a weighted sum of four control points.

    Parameters
    ----------
    digit, weight
        What it shows and how common it is.
    control
        Its control points, from -1 to 1.
    index, weights
        For each outline point, four control points and their weights.
    pieces
        Where the straight pieces of the outline begin; each ends at the next outline point.

    Shapes
    ------
    control : (controls, 2)
    index, weights : (points, 4)
    pieces : (pieces,)
    """

    digit: int
    weight: float
    control: np.ndarray
    index: np.ndarray
    weights: np.ndarray
    pieces: np.ndarray


def shapes() -> list[Shape]:
    """Return every shape, each digit's weights adding up to 1."""
    return [
        _shape(digit, text, weight / sum(known.values()))
        for digit, known in SHAPES.items()
        for text, weight in known.items()
    ]


def _shape(digit: int, text: str, weight: float) -> Shape:
    control: list[tuple[float, float]] = []
    index: list[list[int]] = []
    weights: list[list[float]] = []
    pieces: list[int] = []
    for stroke in text.split("/"):
        run: list[int] = []
        for word in stroke.split():
            x, y = word.removesuffix("*").split(",")
            control.append((float(x) / 50 - 1, float(y) / 50 - 1))
            run.append(len(control) - 1)
            if word.endswith("*"):
                _smooth(run, index, weights, pieces)
                run = run[-1:]
        _smooth(run, index, weights, pieces)
    return Shape(
        digit, weight, np.array(control), np.array(index), np.array(weights), np.array(pieces)
    )


def _smooth(
    run: list[int], index: list[list[int]], weights: list[list[float]], pieces: list[int]
) -> None:
    """Add the Catmull-Rom spline through the control points of `run`; its ends are straight."""
    if len(run) < 2:
        return
    for k in range(len(run) - 1):
        around = [run[max(k - 1, 0)], run[k], run[k + 1], run[min(k + 2, len(run) - 1)]]
        last = k == len(run) - 2
        for step in range(_PIECES + last):
            t = step / _PIECES
            if step < _PIECES:
                pieces.append(len(index))
            index.append(around)
            weights.append(
                [
                    (-t + 2 * t**2 - t**3) / 2,
                    (2 - 5 * t**2 + 3 * t**3) / 2,
                    (t + 4 * t**2 - 3 * t**3) / 2,
                    (-(t**2) + t**3) / 2,
                ]
            )

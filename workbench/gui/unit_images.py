"""The weights of a layer as one image for each of its units.

Responsible for which weight stands where in which image; draws nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from workbench.engine.graph.types import Shape

#: Rows of weights that are no image are broken into one at most this many times wider than high.
_WIDEST = 4


def main_parameter(shapes: Mapping[str, Shape]) -> str | None:
    """Return the name of the parameter whose last axis counts units: the first with two axes.

    Where none has two, it is the first of all; None where there is none.
    """
    several = [name for name, shape in shapes.items() if len(shape) >= 2]
    return next(iter([*several, *shapes]), None)


def unit_images(values: np.ndarray, in_shape: Shape) -> np.ndarray:
    """Return the incoming weights of each unit as an image, NaN where it has none.

    Parameters
    ----------
    values
        The parameter; its last axis counts units where it has more than one.
    in_shape
        Shape of what the layer takes. If that is an image, so are the weights.

    Shapes
    ------
    values : (incoming, units), (..., units) or (units,)
    returned : (units, height, width)
    """
    units = values.shape[-1] if values.ndim >= 2 else values.size
    rows = values.reshape(-1, units).T
    height, width = _image_shape(rows.shape[1], in_shape)
    missing = height * width - rows.shape[1]
    if missing:
        rows = np.pad(rows, ((0, 0), (0, missing)), constant_values=np.nan)
    return rows.reshape(units, height, width)


def _image_shape(incoming: int, in_shape: Shape) -> tuple[int, int]:
    """Return height and width: the input's own, else what is nearest to a square."""
    if len(in_shape) >= 2 and math.prod(in_shape) == incoming:
        # Several channels stand one below the other.
        return incoming // in_shape[-1], in_shape[-1]
    side = max(1, math.isqrt(incoming))
    for height in range(side, 0, -1):
        width = incoming // height
        if height * width == incoming and width <= _WIDEST * height:
            return height, width
    return side, math.ceil(incoming / side)

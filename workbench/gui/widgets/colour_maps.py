"""Colours for numbers on both sides of zero.

Responsible for the diverging map and for the scale that a set of numbers shares; draws nothing.
"""

from __future__ import annotations

import functools

import numpy as np

from workbench.gui.theme.palette import Palette

#: Entry of the map for zero, its last entry for a finite number, and the one for no number.
_ZERO, _LAST, _NOTHING = 127, 254, 255

# Oklab: equal steps look equal, so that the lightness alone tells the size of a number.
# Source: B. Ottosson, "A perceptual color space for image processing", 2020.
_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def shared_scale(values: np.ndarray) -> float:
    """Return the largest finite magnitude of `values`, 0 where there is none."""
    magnitudes = np.abs(values[np.isfinite(values)])
    return float(magnitudes.max(initial=0.0))


def to_rgba(values: np.ndarray, scale: float, palette: Palette) -> np.ndarray:
    """Return the colours of numbers from `-scale` to `scale`; what lies beyond is cut.

    Parameters
    ----------
    values
        Any numbers; NaN becomes transparent.
    scale
        The magnitude that gets the full colour; where it is 0, all numbers look like zero.

    Shapes
    ------
    values : any
    returned : (*values.shape, 4), uint8
    """
    entries = values * (_ZERO / scale) if scale > _ZERO / np.finfo(np.float32).max else 0 * values
    np.rint(entries, out=entries)
    entries += _ZERO
    np.clip(entries, 0, _LAST, out=entries)
    entries[np.isnan(entries)] = _NOTHING
    # A colour is taken as one number of four bytes.
    colours = diverging_map(palette).view(np.uint32).ravel()
    return colours[entries.astype(np.uint8)][..., None].view(np.uint8)


@functools.lru_cache(maxsize=4)
def diverging_map(palette: Palette) -> np.ndarray:
    """Return the map: 127 colours below zero, zero, 127 above, and one for no number at all.

    Straight lines in Oklab from the palette's `negative` to its `zero` and on to its `positive`,
    after K. Moreland, "Diverging color maps for scientific visualization", 2009. Blue and red of
    unlike lightness than zero are told apart from it and from each other by people with any colour
    vision (C. Brewer, ColorBrewer, scheme RdBu).

    Shapes
    ------
    returned : (256, 4), uint8, read-only
    """
    ends = [_oklab(colour) for colour in (palette.negative, palette.zero, palette.positive)]
    part = np.linspace(0, 1, _ZERO + 1)[:, None]
    below = ends[0] + part * (ends[1] - ends[0])
    above = ends[1] + part * (ends[2] - ends[1])
    table = np.zeros((256, 4), np.uint8)
    table[:_NOTHING, :3] = _rgb(np.concatenate([below, above[1:]]))
    table[:_NOTHING, 3] = 255
    table.setflags(write=False)
    return table


def _oklab(colour: str) -> np.ndarray:
    encoded = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    lab: np.ndarray = _LMS_TO_LAB @ np.cbrt(_RGB_TO_LMS @ linear)
    return lab


def _rgb(lab: np.ndarray) -> np.ndarray:
    lms = (lab @ np.linalg.inv(_LMS_TO_LAB).T) ** 3
    linear = np.clip(lms @ np.linalg.inv(_RGB_TO_LMS).T, 0, 1)
    encoded = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(linear, 1 / 2.4) - 0.055
    )
    rounded: np.ndarray = np.rint(255 * encoded).astype(np.uint8)
    return rounded

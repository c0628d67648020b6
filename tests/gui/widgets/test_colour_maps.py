"""The diverging colours are symmetric about zero and grow away from it, in both themes."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.gui.theme.palette import DARK, LIGHT, Palette
from workbench.gui.widgets.colour_maps import diverging_map, shared_scale, to_rgba


@pytest.fixture(params=[LIGHT, DARK], ids=["light", "dark"])
def palette(request: pytest.FixtureRequest) -> Palette:
    return request.param


def luminance(rgba: np.ndarray) -> np.ndarray:
    """Return the relative luminance of colours (WCAG 2.2)."""
    encoded = rgba[..., :3] / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def hexadecimal(rgba: np.ndarray) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgba[:3])


def test_ends_and_zero_are_the_palettes(palette: Palette) -> None:
    colours = to_rgba(np.array([-2.0, 0.0, 2.0]), 2.0, palette)
    assert [hexadecimal(c) for c in colours] == [palette.negative, palette.zero, palette.positive]
    assert (colours[:, 3] == 255).all()


def test_lightness_moves_one_way_from_zero(palette: Palette) -> None:
    away = -1 if luminance(diverging_map(palette)[127]) > 0.5 else 1
    for half in (diverging_map(palette)[127::-1], diverging_map(palette)[127:255]):
        steps = np.diff(luminance(half)[::4])
        assert (away * steps > 0).all()


def test_equal_magnitudes_are_equally_far_from_zero(palette: Palette) -> None:
    values = np.linspace(0, 3, 50)
    above, below = to_rgba(values, 3, palette), to_rgba(-values, 3, palette)
    table = [tuple(c) for c in diverging_map(palette)[:255]]
    places = [[table.index(tuple(c)) - 127 for c in side] for side in (above, below)]
    assert np.abs(np.add(*places)).max() <= 1  # neighbours may share a colour
    assert (np.diff(places[0]) > 0).all()


def test_it_is_told_apart_without_colour_vision(palette: Palette) -> None:
    # Source of the matrix: Machado, Oliveira, Fernandes, 2009, deuteranomaly of severity 1.
    deutan = np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    )
    linear = (to_rgba(np.array([-1.0, 0.0, 1.0]), 1, palette)[:, :3] / 255) ** 2.2
    seen = np.clip(linear @ deutan.T, 0, 1) ** (1 / 2.2)
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert np.linalg.norm(seen[one] - seen[other]) > 0.35


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_odd_numbers_have_colours_too(palette: Palette, dtype: type[np.floating]) -> None:
    values = np.array([[np.nan, np.inf], [-np.inf, 1e-38]], dtype)
    colours = to_rgba(values, 1.0, palette)
    assert colours[0, 0, 3] == 0
    assert hexadecimal(colours[0, 1]) == palette.positive
    assert hexadecimal(colours[1, 0]) == palette.negative
    assert hexadecimal(colours[1, 1]) == palette.zero
    assert hexadecimal(to_rgba(np.zeros(1, dtype), 0.0, palette)[0]) == palette.zero


def test_the_scale_is_the_largest_finite_magnitude() -> None:
    assert shared_scale(np.array([0.5, -3.0, np.nan, np.inf])) == 3.0
    assert shared_scale(np.array([np.nan])) == 0.0

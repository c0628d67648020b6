"""Both themes can be read: every colour of words and curves stands out from what lies behind it."""

from __future__ import annotations

import itertools

import attrs
import pytest

from workbench.gui.theme.palette import DARK, LIGHT, Palette

GROUNDS = ("window", "surface", "raised")
#: What is no ink, or stands on something else.
OTHERS = {*GROUNDS, "border", "accent_text", "faint", "zero", "is_dark"}
INKS = sorted({field.name for field in attrs.fields(Palette)} - OTHERS)


def contrast(one: str, other: str) -> float:
    """Return the ratio of two colours' luminances. Source: WCAG 2.2, definition of contrast."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return sum(w * x for w, x in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_contrast_is_known_for_black_and_grey() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), list(itertools.product(INKS, GROUNDS)))
def test_what_is_read_stands_out(palette: Palette, ink: str, ground: str) -> None:
    assert contrast(getattr(palette, ink), getattr(palette, ground)) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_words_on_what_is_chosen_and_what_cannot_be_used_stand_out(palette: Palette) -> None:
    assert contrast(palette.accent_text, palette.accent) >= 4.5
    for ground in ("window", "surface"):
        assert contrast(palette.faint, getattr(palette, ground)) >= 3

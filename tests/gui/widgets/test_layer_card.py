"""Numbers of parameters are short on a card."""

from __future__ import annotations

import pytest

from workbench.gui.widgets.layer_card import short_count


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1.0k"),
        (2_570, "2.6k"),
        (9_949, "9.9k"),
        (9_950, "10k"),
        (200_960, "201k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (1_234_567, "1.2M"),
        (2**28, "268M"),
        (2_000_000_000, "2.0G"),
    ],
)
def test_counts_are_short(count: int, text: str) -> None:
    assert short_count(count) == text

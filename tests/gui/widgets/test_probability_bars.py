"""The bars say what they show, in pixels and in words."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from workbench.gui.theme.palette import current, hub
from workbench.gui.widgets.probability_bars import ProbabilityBars, in_percent


@pytest.fixture
def bars(qtbot: QtBot) -> ProbabilityBars:
    bars = ProbabilityBars()
    qtbot.addWidget(bars)
    bars.resize(300, bars.sizeHint().height())
    bars.show()
    return bars


def lengths(bars: ProbabilityBars, colour: str, classes: int = 10) -> list[int]:
    """Return how many pixels of a colour stand in the middle of each row."""
    shot = bars.grab().toImage()
    wanted = QColor(colour)
    height = shot.height() / classes
    return [
        sum(shot.pixelColor(x, int((row + 0.5) * height)) == wanted for x in range(shot.width()))
        for row in range(classes)
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_winner_is_accented_and_lengths_are_in_proportion(
    bars: ProbabilityBars, theme: str
) -> None:
    hub().choose(theme)  # type: ignore[arg-type]
    probabilities = np.zeros(10)
    probabilities[[3, 7]] = 0.25, 0.75
    bars.show_probabilities(probabilities)
    accented = lengths(bars, current().accent)
    assert np.flatnonzero(accented).tolist() == [7]
    other = lengths(bars, current().muted)[3]
    assert other == pytest.approx(accented[7] / 3, abs=6)


def test_the_description_names_class_and_percentage(bars: ProbabilityBars) -> None:
    assert bars.accessibleDescription() == "No reading yet"
    probabilities = np.full(10, 0.02 / 9)
    probabilities[7] = 0.98
    bars.show_probabilities(probabilities)
    assert bars.accessibleDescription() == "7: 98 %"
    bars.show_nothing()
    assert bars.accessibleDescription() == "No reading yet"
    assert bars.winner is None


def test_of_many_classes_the_likeliest_are_shown(bars: ProbabilityBars) -> None:
    probabilities = np.zeros(26)
    probabilities[[4, 25]] = 0.4, 0.6
    bars.show_probabilities(probabilities)
    assert bars.winner == 25
    assert sum(n > 0 for n in lengths(bars, current().accent)) == 1


def test_few_classes_and_outputs_that_are_no_probabilities(bars: ProbabilityBars) -> None:
    bars.show_probabilities(np.array([-3.0, 12.0]))
    bars.resize(300, bars.sizeHint().height())
    assert bars.winner == 1
    drawn = lengths(bars, current().accent, classes=2)
    assert drawn[0] == 0
    assert drawn[1] > 0


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, "100 %"), (0.9999, "> 99 %"), (0.98, "98 %"), (0.001, "< 1 %"), (0.0, "0 %")],
)
def test_percentages_in_words(share: float, words: str) -> None:
    assert in_percent(share) == words


@pytest.mark.parametrize(
    ("outputs", "texts"),
    [
        ([1.0, 0.0], ["100.0 %", "0.0 %"]),
        ([0.99999, 0.00001], ["99.9 %", "0.0 %"]),
        ([0.7146, 0.2854], ["71.5 %", "28.5 %"]),
        ([-3.0, 12.0], ["−3.00", "12.00"]),
    ],
)
def test_figures_beside_the_bars(
    bars: ProbabilityBars, outputs: list[float], texts: list[str]
) -> None:
    assert bars.figure_text(0) == ""
    bars.show_probabilities(np.array(outputs))
    assert [bars.figure_text(name) for name in (0, 1)] == texts

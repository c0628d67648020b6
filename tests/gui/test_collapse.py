"""A rate that is absurd is told from one that is merely high, and from noise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from workbench.gui.collapse import Collapse
from workbench.training.history import History, Iterations

GUESSING = math.log(10)


def add(history: History, scores: Sequence[float] | np.ndarray, rate: float = 0.1) -> None:
    scores = np.asarray(scores, float)
    made = Iterations(scores, np.zeros(len(scores)), np.full(len(scores), rate))
    history.add_points(len(history.points()["step"]), 1, 0.1, made)


def watch(scores: Sequence[float] | np.ndarray, rate: float = 0.1) -> float | None:
    history = History()
    add(history, scores, rate)
    return Collapse(history, 10).rate()


def spread(count: int, mean: float, seed: int = 3) -> np.ndarray:
    """Return log-likelihoods as single images have them: few are very low."""
    return -np.random.default_rng(seed).exponential(-mean, count)


def test_a_run_that_fell_and_stays_there_is_told_of_with_its_rate() -> None:
    scores = np.concatenate([[-GUESSING], spread(200, -80_000)])
    assert watch(scores, 1e4) == 1e4
    assert watch(np.concatenate([[-GUESSING], spread(200, -20)]), 5) == 5


def test_units_that_died_in_the_fall_are_told_of_though_the_run_guesses_again() -> None:
    died = [-2.5, *[-1e20] * 12, *[-GUESSING] * 5000]
    assert watch(died, 2) == 2


def test_an_end_that_is_no_number_but_finite_is_told_of() -> None:
    with np.errstate(all="raise"):
        assert watch([-1.7e308] * 100) == 0.1


@pytest.mark.parametrize(
    "scores",
    [
        pytest.param([], id="nothing yet"),
        pytest.param([-1e300] * 19, id="too few"),
        pytest.param([-GUESSING] * 10_000, id="guessing"),
        pytest.param([-2.35] * 100_000, id="a little worse than guessing"),
        pytest.param([-2.5, -16, -40, -9, *np.geomspace(-8, -0.3, 200)], id="a fall at first"),
        pytest.param(np.concatenate([spread(60, -4.0), spread(3000, -0.5)]), id="batches of one"),
        pytest.param(np.tile([-0.4] * 30 + [-60.0] * 5, 100), id="falls that are made good"),
        pytest.param(-np.geomspace(2.3, 0.01, 5000), id="learning"),
    ],
)
def test_what_recovers_or_is_noise_is_not_told_of(scores: np.ndarray) -> None:
    assert watch(scores) is None


def test_the_rate_is_the_one_of_the_fall_and_forgotten_once_something_is_learnt() -> None:
    history = History()
    collapse = Collapse(history, 10)
    add(history, [-GUESSING] * 30)
    assert collapse.rate() is None
    for _ in range(50):  # as it comes, a few iterations at a time
        add(history, [-1000.0] * 7, 100.0)
        collapse.rate()
    add(history, [-1000.0] * 50, 0.01)
    assert collapse.rate() == Collapse(history, 10).rate() == 100
    add(history, [-1.0] * 40, 0.01)
    assert collapse.rate() is Collapse(history, 10).rate() is None

"""What a network said of images is kept and put into words, odd outputs included."""

from __future__ import annotations

import numpy as np

from workbench.gui.readings import Readings

LABELS = np.array([2, 0, 1], np.int32)


def test_nothing_is_known_at_first() -> None:
    readings = Readings(LABELS)
    assert not readings.is_known(np.arange(3))
    assert not readings.is_known(np.arange(0))
    assert not readings.mistakes().any()
    assert readings.caption(0) == "2"
    assert readings.describe(0) == "Image 1: true class 2"


def test_the_likeliest_classes_are_told_in_order() -> None:
    readings = Readings(LABELS)
    readings.take(np.array([0, 2]), np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]]))
    assert readings.is_known(np.array([0, 2]))
    assert not readings.is_known(np.array([0, 1]))
    assert readings.mistakes().tolist() == [False, False, True]
    assert readings.caption(2) == "1 → 0"
    assert readings.describe(2) == "Image 3: true class 1, assigned 0 (50 %), 1 (30 %), 2 (20 %)"


def test_two_classes_and_outputs_that_are_no_probabilities() -> None:
    readings = Readings(LABELS)
    readings.take(np.array([1]), np.array([[-3.0, 12.0]]))
    assert readings.describe(1) == "Image 2: true class 0, assigned 1 (12.00), 0 (−3.00)"


def test_outputs_of_a_network_that_diverged_are_told_as_they_are() -> None:
    readings = Readings(LABELS)
    readings.take(np.array([1]), np.full((1, 2), np.nan))
    assert readings.describe(1) == "Image 2: true class 0, assigned 0 (nan), 1 (nan)"

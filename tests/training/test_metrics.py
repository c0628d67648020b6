"""Precision, recall and F1 against their definitions, counted row by row."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.training.metrics import confusion_matrix, f1, precision, recall


def test_rows_are_true_classes() -> None:
    labels, predictions = np.array([0, 0, 1, 2], np.int32), np.array([0, 2, 1, 2])
    expected = [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
    np.testing.assert_array_equal(confusion_matrix(labels, predictions, 3), expected)


@pytest.mark.parametrize("seed", range(3))
def test_against_counting(seed: int) -> None:
    generator = np.random.default_rng(seed)
    # Class 4 never occurs and class 5 is never predicted.
    labels = generator.choice([0, 1, 2, 3, 5], 200).astype(np.int32)
    predictions = generator.integers(0, 5, 200)
    confusion = confusion_matrix(labels, predictions, 6)
    for c in range(6):
        both = int(np.sum((labels == c) & (predictions == c)))
        taken, there = int(np.sum(predictions == c)), int(np.sum(labels == c))
        p, r = both / taken if taken else 0.0, both / there if there else 0.0
        assert precision(confusion)[c] == p
        assert recall(confusion)[c] == r
        assert f1(confusion)[c] == pytest.approx(2 * p * r / (p + r) if p + r else 0.0, rel=1e-15)


def test_no_rows_give_zeros() -> None:
    confusion = confusion_matrix(np.zeros(0, np.int32), np.zeros(0, np.int64), 3)
    for figure in (precision, recall, f1):
        np.testing.assert_array_equal(figure(confusion), [0.0, 0.0, 0.0])

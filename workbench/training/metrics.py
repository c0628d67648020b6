"""Figures of a classification that follow from counts: precision, recall, F1.

Responsible for arithmetic on NumPy arrays; knows neither network nor device.
"""

from __future__ import annotations

import numpy as np


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """Return how often each class was taken for each.

    Returns
    -------
    int64 array of shape (classes, classes); the row is the true class, the column the predicted one
    """
    pairs = labels.astype(np.int64) * classes + predictions
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def precision(confusion: np.ndarray) -> np.ndarray:
    """Return by class how many of those taken for it are of it; 0 where none was taken for it."""
    return _ratio(np.diag(confusion), confusion.sum(axis=0))


def recall(confusion: np.ndarray) -> np.ndarray:
    """Return by class how many of it were recognised; 0 where there is none of it."""
    return _ratio(np.diag(confusion), confusion.sum(axis=1))


def f1(confusion: np.ndarray) -> np.ndarray:
    """Return by class the harmonic mean of precision and recall; 0 where both are 0."""
    return _ratio(2 * np.diag(confusion), confusion.sum(axis=0) + confusion.sum(axis=1))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    ratio = np.zeros(len(part))
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio

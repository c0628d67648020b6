"""What a network has said of the images of a split, as far as it was asked.

Responsible for classes, mistakes and their words; knows no widget and asks nothing.
"""

from __future__ import annotations

import numpy as np

from workbench.gui.widgets.probability_bars import in_words

#: How many of the likeliest classes are kept of each image.
_RANKS = 3

_UNKNOWN = -1


class Readings:
    """The likeliest classes of each image.

    Parameters
    ----------
    labels
        True classes, whole numbers of shape (n,).
    """

    def __init__(self, labels: np.ndarray) -> None:
        self.labels = labels
        self._classes = np.full((len(labels), _RANKS), _UNKNOWN, np.int32)  # the likeliest first
        self._figures = np.zeros((len(labels), _RANKS))

    def take(self, rows: np.ndarray, outputs: np.ndarray) -> None:
        """Note what the network gives each class of some images.

        Shapes
        ------
        rows : (k,)
        outputs : (k, classes)
        """
        ranked = np.argsort(-outputs, axis=1, kind="stable")[:, :_RANKS]
        ranked[:, 0] = outputs.argmax(axis=1)  # the same, but for figures that are none
        kept = ranked.shape[1]
        self._classes[rows, :kept] = ranked
        self._figures[rows, :kept] = np.take_along_axis(outputs, ranked, axis=1)

    def is_known(self, rows: np.ndarray) -> bool:
        """Return whether the network was asked about all of these images, and there are any."""
        return len(rows) > 0 and bool((self._classes[rows, 0] != _UNKNOWN).all())

    def mistakes(self) -> np.ndarray:
        """Return of which images the class is known and not the true one: bool of shape (n,)."""
        assigned = self._classes[:, 0]
        found: np.ndarray = (assigned != self.labels) & (assigned != _UNKNOWN)
        return found

    def caption(self, row: int) -> str:
        """Return true and assigned class of an image in a few characters."""
        assigned = self._classes[row, 0]
        return f"{self.labels[row]}" + (f" → {assigned}" if assigned != _UNKNOWN else "")

    def describe(self, row: int) -> str:
        """Return what an image is and what it was taken for, with probabilities."""
        said = f"Image {row + 1:,}: true class {self.labels[row]}"
        kept = self._classes[row] != _UNKNOWN
        figures = self._figures[row, kept]
        names = [
            f"{name} ({in_words(figures, rank)})"
            for rank, name in enumerate(self._classes[row, kept])
        ]
        return said + (f", assigned {', '.join(names)}" if names else "")

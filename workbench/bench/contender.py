"""What every contender offers: pieces of work, prepared, that can be done again and again.

Responsible for the protocol; knows no contender.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from workbench.bench.work import Multiplication, Prediction, Training
from workbench.data.dataset import Split


class Task(Protocol):
    """A piece of work, with its data where the contender computes."""

    def run(self, units: int) -> None:
        """Do so many units of it, one after the other, and wait until they are done."""

    def result(self) -> dict[str, np.ndarray]:
        """Return what it came to: parameters by name, or what was computed last."""


class Contender(Protocol):
    """A library that can do the work."""

    #: Its name and version, or its device, for whoever reads the figures.
    about: str

    def train(self, work: Training, split: Split) -> Task:
        """Prepare training on all rows of `split`."""

    def predict(self, work: Prediction, split: Split) -> Task:
        """Prepare the prediction of single images of `split`, one after the other."""

    def multiply(self, work: Multiplication, a: np.ndarray, b: np.ndarray) -> Task:
        """Prepare the product of `a` (transposed, where the work says so) and `b`."""

"""Where shared variables keep their numbers.

Responsible for the duty that every place has, and for host memory; knows no device.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from workbench.engine.graph.types import Shape


class Storage(Protocol):
    """Where a shared variable's numbers are: in host memory or on a device."""

    def read(self) -> np.ndarray:
        """Return a copy of the numbers in host memory."""

    def write(self, value: np.ndarray) -> None:
        """Replace the numbers; the dtype is the same, the shape may differ."""

    @property
    def shape(self) -> Shape:
        """The present shape."""


class HostStorage:
    """Numbers in host memory; what every shared variable starts with."""

    def __init__(self, value: np.ndarray) -> None:
        self.value = value

    def read(self) -> np.ndarray:
        """Return a copy of the numbers."""
        return self.value.copy()

    def write(self, value: np.ndarray) -> None:
        """Replace the numbers."""
        self.value = value

    @property
    def shape(self) -> Shape:
        """The present shape."""
        return self.value.shape

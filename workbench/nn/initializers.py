"""Initialisers: the first numbers of a parameter.

Responsible for their formulas; knows neither the layer that the parameter belongs to nor the seed.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import attrs
import numpy as np

from workbench.core.errors import SpecError
from workbench.engine.graph.types import Shape
from workbench.spec.fields import number, numbers
from workbench.spec.registries import INITIALIZERS


class Initializer(ABC):
    """Fills a parameter before training.

    A subclass is an `attrs.frozen` class whose fields are made by `workbench.spec.fields`; it is
    registered with ``@INITIALIZERS.add("name")``.
    """

    def check(self, shape: Shape) -> None:
        """Raise SpecError where a parameter of this shape cannot be filled; most can."""
        return

    @abstractmethod
    def draw(self, generator: np.random.Generator, shape: Shape) -> np.ndarray:
        """Return float64 numbers of that shape, random ones drawn from `generator`."""


@INITIALIZERS.add("constant")
@attrs.frozen
class Constant(Initializer):
    """One value everywhere, or a list with a value for each element, row by row."""

    value: float | tuple[float, ...] = numbers(
        default=0.0, label="Value", help="One number for all elements, or one for each."
    )

    def check(self, shape: Shape) -> None:
        """Refuse a list of another length."""
        if isinstance(self.value, tuple) and len(self.value) != math.prod(shape):
            raise SpecError(
                f"init: {len(self.value)} values cannot fill {math.prod(shape)} weights.",
                "Give one value for all, or one for each.",
            )

    def draw(self, generator: np.random.Generator, shape: Shape) -> np.ndarray:
        """Return the values."""
        value = np.asarray(self.value, dtype=np.float64)
        return np.broadcast_to(value, shape) if value.ndim == 0 else value.reshape(shape)


@INITIALIZERS.add("zeros")
@attrs.frozen
class Zeros(Initializer):
    """Zero everywhere: right for biases and for a single layer; hidden units would stay alike."""

    def draw(self, generator: np.random.Generator, shape: Shape) -> np.ndarray:
        """Return zeros."""
        return np.zeros(shape)


@INITIALIZERS.add("normal")
@attrs.frozen
class Normal(Initializer):
    """Normal with mean 0: ``scale * N(0, 1)``."""

    scale: float = number(
        default=0.01, minimum=0, label="Scale", help="Standard deviation of the numbers."
    )

    def draw(self, generator: np.random.Generator, shape: Shape) -> np.ndarray:
        """Return normal numbers of standard deviation `scale`."""
        return self.scale * generator.standard_normal(shape)


@INITIALIZERS.add("glorot")
@attrs.frozen
class Glorot(Initializer):
    """Uniform in ``+-sqrt(6 / (in + out))``: keeps the spread of signals through tanh and sigmoid.

    Source: X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, equation 16.
    """

    def draw(self, generator: np.random.Generator, shape: Shape) -> np.ndarray:
        """Return uniform numbers."""
        limit = math.sqrt(6.0 / sum(_fans(shape)))
        return generator.uniform(-limit, limit, shape)


@INITIALIZERS.add("he")
@attrs.frozen
class He(Initializer):
    """Normal with standard deviation ``sqrt(2 / in)``: keeps the spread of signals through relu.

    Source: K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers: surpassing human-level
    performance on ImageNet classification", ICCV 2015, equation 10.
    """

    def draw(self, generator: np.random.Generator, shape: Shape) -> np.ndarray:
        """Return normal numbers."""
        return math.sqrt(2.0 / _fans(shape)[0]) * generator.standard_normal(shape)


def _fans(shape: Shape) -> tuple[int, int]:
    """Return how many inputs make one output, and how many outputs one input helps to make.

    The last axis counts outputs, the one before it inputs; those before are a receptive field.
    """
    field = math.prod(shape[:-2])
    inputs = shape[-2] if len(shape) > 1 else 1
    return field * inputs, field * shape[-1]

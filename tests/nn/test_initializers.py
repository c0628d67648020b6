"""Initialisers: shape, spread and the streams that they draw from."""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
import pytest

from workbench.core.errors import SpecError
from workbench.nn.initializers import Constant, Glorot, He, Initializer, Normal, Zeros
from workbench.spec.registries import INITIALIZERS


def _draw(init: Initializer, shape: tuple[int, ...], key: int = 0) -> np.ndarray:
    return init.draw(np.random.Generator(np.random.Philox(key=key)), shape)


@pytest.mark.parametrize("name", INITIALIZERS)
@pytest.mark.parametrize("shape", [(7,), (5, 3), (2, 3, 4, 5)])
def test_every_initialiser_fills_any_shape(name: str, shape: tuple[int, ...]) -> None:
    """In double precision, finite, and the same from the same stream."""
    init = INITIALIZERS[name]()
    init.check(shape)
    drawn = _draw(init, shape)
    assert drawn.shape == shape
    assert drawn.dtype == np.float64
    assert np.isfinite(drawn).all()
    assert np.array_equal(drawn, _draw(init, shape))


@pytest.mark.parametrize(
    ("init", "spread"),
    [
        (Normal(0.01), 0.01),
        (Normal(3.0), 3.0),
        (Glorot(), math.sqrt(6 / (300 + 500)) / math.sqrt(3)),
        (He(), math.sqrt(2 / 300)),
    ],
)
def test_the_spread_is_the_formulas(init: Initializer, spread: float) -> None:
    """Mean 0 and the standard deviation of the paper, within four standard errors."""
    drawn = _draw(init, (300, 500))
    error = 4 / math.sqrt(drawn.size)
    assert abs(drawn.mean()) < error * spread
    assert abs(drawn.std() / spread - 1) < error
    assert abs(drawn).max() > 1.5 * spread


def test_a_receptive_field_counts_as_inputs() -> None:
    """The last axis counts outputs, the one before it inputs, those before a field."""
    assert _draw(He(), (5, 5, 8, 500)).std() == pytest.approx(math.sqrt(2 / 200), rel=0.02)
    limit = math.sqrt(6 / (200 + 12_500))
    assert abs(_draw(Glorot(), (5, 5, 8, 500))).max() == pytest.approx(limit, rel=0.001)


def test_glorot_is_uniform() -> None:
    """Half of the numbers lie within half of the limit, and none beyond it."""
    drawn = _draw(Glorot(), (300, 500))
    limit = math.sqrt(6 / 800)
    assert abs(drawn).max() <= limit
    assert (abs(drawn) < limit / 2).mean() == pytest.approx(0.5, abs=0.006)


def test_constant_values_keep_every_bit_and_their_order() -> None:
    """A list is laid out row by row; one value goes everywhere."""
    values = (0.1, 0.25, 0.15, 0.3)
    assert _draw(Constant(values), (4, 1)).tolist() == [[v] for v in values]
    assert _draw(Constant(values), (2, 2)).tolist() == [[0.1, 0.25], [0.15, 0.3]]
    assert (_draw(Constant(2.5), (3, 2)) == 2.5).all()
    assert not _draw(Zeros(), (3, 2)).any()


def test_a_list_of_another_length_is_refused() -> None:
    """The message counts both."""
    with pytest.raises(SpecError, match="3 values cannot fill 4 weights"):
        Constant((1.0, 2.0, 3.0)).check((4, 1))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_initialiser_is_a_spec(name: str) -> None:
    """Frozen, hashable, equal to its like."""
    cls: Any = INITIALIZERS[name]
    assert issubclass(cls, Initializer)
    assert cls() == cls()
    assert hash(cls()) == hash(cls())
    assert attrs.has(cls)

"""The functions of kernels/activations.cl: accurate to the last digits, right at every edge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.function import function
from workbench.engine.graph.variable import shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

EXACT: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exp": np.exp,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(0, x),
}


def computed(device: OpenCLDevice, name: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a function's values on the device, and the same in more digits than they have."""
    found = function([], getattr(T, name)(shared(x)), device=device)()
    with np.errstate(all="ignore"):
        return found, EXACT[name](x.astype(np.longdouble))


@pytest.mark.parametrize("name", EXACT)
def test_errors_are_below_three_units_in_the_last_place(
    device: OpenCLDevice, precision: str, name: str, rng: np.random.Generator
) -> None:
    magnitudes = 10.0 ** rng.uniform(-30, 0, 4000)
    for drawn in (rng.uniform(-1, 1, 4000), rng.uniform(-80, 80, 4000), magnitudes, -magnitudes):
        x = drawn.astype(precision)
        found, exact = computed(device, name, x)
        unit = np.spacing(np.abs(exact).astype(precision))
        assert np.max(np.abs(found - exact) / unit) < 3


EDGES: dict[str, list[Any]] = {
    "float32": [88.7, 88.8, 89.0, -87.0, -95.0, -103.9, -104.0, -200.0, 3e38, -3e38, 1e-40],
    "float64": [709.7, 709.9, 710.0, -708.0, -740.0, -745.0, -746.0, -1e4, 1e300, -1e300, 1e-310],
}


@pytest.mark.parametrize("name", EXACT)
def test_edges(device: OpenCLDevice, precision: str, name: str) -> None:
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, *EDGES[precision]], precision)
    found, exact = computed(device, name, x)
    with np.errstate(over="ignore"):
        expected = exact.astype(precision)
    least = np.nextafter(np.zeros((), precision), np.ones((), precision))
    np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(precision).eps, atol=least)

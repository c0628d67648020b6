"""Products of images leave out what is 0, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.function import function
from workbench.engine.graph.variable import shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

TOLERANCE = {"float32": 1e-5, "float64": 1e-14}


def images(rows: int, columns: int) -> np.ndarray:
    """Return bytes with empty columns, empty rows, and scattered numbers."""
    rng = np.random.default_rng(rows * columns)
    made = rng.integers(0, 256, (rows, columns), dtype=np.uint8)
    made[rng.random((rows, columns)) < 0.7] = 0
    made[:, rng.random(columns) < 0.3] = 0
    made[rng.random(rows) < 0.2] = 0
    return made


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("m", "k", "n"),
    # Rows of 128 numbers are whole panels, and read where they are.
    [(1, 7, 5), (6, 40, 16), (47, 33, 17), (64, 1100, 20), (129, 784, 65), (71, 613, 128)],
)
@pytest.mark.parametrize("turned", [False, True])
def test_products_of_mostly_empty_images(
    device: OpenCLDevice, m: int, k: int, n: int, turned: bool, dtype: str
) -> None:
    bytes_ = images(k, m) if turned else images(m, k)
    data, right = shared(bytes_), np.random.default_rng(1).standard_normal((k, n)).astype(dtype)
    left = T.cast(data, dtype) * np.asarray(1 / 256, dtype)
    out = T.dot(left.T if turned else left, shared(right))
    found = function([], out, device=device)()
    exact = bytes_.astype("float64") / 256
    expected = (exact.T if turned else exact) @ right.astype("float64")
    scale = np.abs(exact).sum() / max(m, 1) + 1
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[dtype] * scale)


@pytest.mark.parametrize("wild", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("n", [19, 128])
def test_nothing_times_infinity_is_not_left_out(
    device: OpenCLDevice, wild: float, turned: bool, n: int
) -> None:
    bytes_ = images(50, 40)
    bytes_[:, 11] = 0
    bytes_[11, :] = 0
    k = 50 if turned else 40
    right = np.ones((k, n), np.float32)
    right[11, 3] = wild
    left = T.cast(shared(bytes_), "float32")
    out = T.dot(left.T if turned else left, shared(right))
    found = function([], out, device=device)()
    expected = (bytes_.T if turned else bytes_).astype(np.float32)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(found, expected @ right)


def test_no_image_at_all_gives_nothing(device: OpenCLDevice) -> None:
    data = shared(np.zeros((30, 20), np.uint8))
    weight = shared(np.ones((20, 18), np.float32))
    found = function([], T.dot(T.cast(data, "float32"), weight), device=device)()
    np.testing.assert_array_equal(found, np.zeros((30, 18)))

"""The order of an epoch follows from seed and epoch alone."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.data.order import permutation


@pytest.mark.parametrize("n", [0, 1, 2, 37, 1000])
def test_every_row_comes_once(n: int) -> None:
    order = permutation(3, 5, n)
    assert order.dtype == np.int32
    assert sorted(order.tolist()) == list(range(n))


def test_the_same_seed_and_epoch_give_the_same_order() -> None:
    assert np.array_equal(permutation(7, 2, 500), permutation(7, 2, 500))


@pytest.mark.parametrize(("seed", "epoch"), [(7, 3), (8, 2), (-7, 2), (7 + 2**32, 2)])
def test_another_seed_or_epoch_gives_another_order(seed: int, epoch: int) -> None:
    assert not np.array_equal(permutation(seed, epoch, 500), permutation(7, 2, 500))


def test_the_order_is_the_same_in_every_version() -> None:
    assert permutation(0, 0, 10).tolist() == [9, 2, 6, 1, 0, 4, 8, 3, 5, 7]
    assert permutation(0, 1, 10).tolist() == [9, 2, 4, 3, 5, 6, 8, 0, 1, 7]


def test_no_place_is_favoured() -> None:
    mean = np.mean([permutation(1, epoch, 20) for epoch in range(2000)], axis=0)
    # The mean of 2000 draws from 0..19 has a standard deviation of 0.13.
    assert np.abs(mean - 9.5).max() < 0.65

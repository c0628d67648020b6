"""Random streams: known answers of the generator, moments, independence and reproducibility."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from workbench.core.errors import GraphError, NotSupported
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import function
from workbench.engine.graph.grad import grad
from workbench.engine.graph.ops.draws import philox
from workbench.engine.graph.random import RandomStreams
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

device = ReferenceDevice()


def drawn(variable: Variable, times: int = 1) -> np.ndarray:
    f = function([], variable, device=device)
    return np.stack([f() for _ in range(times)])


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0] * 4, 0, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, 2**64 - 1, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            0x299F31D0A4093822,
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_the_generator_gives_the_published_answers(
    counter: list[int], key: int, words: list[int]
) -> None:
    """Source: kat_vectors of Random123, the authors' own implementation."""
    a, b, c, d = (np.array([word], "uint64") for word in counter)
    found = philox((a, b, c, d), np.array([key], "uint64"))
    assert [int(word[0]) for word in found] == words


def kurtosis(x: np.ndarray) -> float:
    return float(np.mean((x - x.mean()) ** 4) / x.var() ** 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_moments(dtype: str) -> None:
    """Within five standard errors of what the distributions have."""
    n = 200_000
    streams = RandomStreams(7)
    u = drawn(streams.uniform((n,), dtype=dtype))[0].astype("float64")
    assert 0 <= u.min() < 1e-4
    assert 1 - 1e-4 < u.max() < 1
    assert abs(u.mean() - 0.5) < 5 * math.sqrt(1 / 12 / n)
    counts = np.histogram(u, 64, (0, 1))[0]
    assert np.sum((counts - n / 64) ** 2 / (n / 64)) < 63 + 5 * math.sqrt(2 * 63)
    z = drawn(streams.normal((n,), 3, 2, dtype=dtype))[0].astype("float64")
    assert abs(z.mean() - 3) < 5 * 2 / math.sqrt(n)
    assert abs(z.var() - 4) < 5 * 4 * math.sqrt(2 / n)
    assert abs(kurtosis(z) - 3) < 5 * math.sqrt(24 / n)
    for trials, p in ((1, 0.3), (5, 0.8)):
        b = drawn(streams.binomial((n,), trials, p))[0]
        assert b.dtype == "int64"
        assert (b.min(), b.max()) == (0, trials)
        assert abs(b.mean() - trials * p) < 5 * math.sqrt(trials * p * (1 - p) / n)
        spread = trials * p * (1 - p)
        assert abs(b.var() - spread) < 0.05 * spread


def test_neighbours_calls_streams_and_seeds_do_not_depend_on_each_other() -> None:
    n = 20_000
    streams = RandomStreams(1)
    one, two = (drawn(streams.uniform((n,)), 2) for _ in range(2))
    other = drawn(RandomStreams(2).uniform((n,)))[0]
    rows = [one[0], one[1], two[0], two[1], other, np.roll(one[0], 1), np.roll(one[0], 4)]
    correlations = np.corrcoef(rows) - np.eye(len(rows))
    assert np.abs(correlations).max() < 5 / math.sqrt(n)


def test_a_seed_gives_the_same_numbers_again() -> None:
    def numbers(streams: RandomStreams) -> np.ndarray:
        u, z = streams.uniform((5,)), streams.normal((5,), dtype="float32")
        return drawn(T.stack([u, z]), 3)

    np.testing.assert_array_equal(numbers(RandomStreams(11)), numbers(RandomStreams(11)))
    assert not np.array_equal(numbers(RandomStreams(11)), numbers(RandomStreams(12)))
    assert not np.array_equal(numbers(RandomStreams()), numbers(RandomStreams()))
    np.testing.assert_array_equal(numbers(RandomStreams([1, 2])), numbers(RandomStreams([1, 2])))


def test_seeding_again_starts_everything_afresh() -> None:
    streams = RandomStreams(4)
    u = streams.uniform((3,))
    f = function([], u, device=device)
    first = [f(), f()]
    streams.seed(4)
    np.testing.assert_array_equal(first, [f(), f()])
    streams.seed(5)
    assert not np.array_equal(first[0], f())


def test_what_is_drawn_elsewhere_makes_no_difference() -> None:
    streams = RandomStreams(4)
    u, v = streams.uniform((3,)), streams.uniform((3,))
    both = function([], [u, v], device=device)
    alone = RandomStreams(4)
    alone.uniform((2, 2))
    np.testing.assert_array_equal(both()[1], drawn(alone.uniform((3,)))[0])


def test_one_draw_is_one_number_within_a_call_and_another_in_the_next() -> None:
    u = RandomStreams(4).uniform((3,))
    f = function([], [u, u + u], device=device)
    a, b = f(), f()
    np.testing.assert_array_equal(a[1], 2 * a[0])
    assert not np.array_equal(a[0], b[0])
    still = function([], u, no_default_updates=True, device=device)
    np.testing.assert_array_equal(still(), still())


def test_updates_can_be_given_by_hand() -> None:
    streams = RandomStreams(4)
    u = streams.uniform((3,))
    by_hand = function([], u, updates=streams.state_updates, no_default_updates=True, device=device)
    expected = drawn(RandomStreams(4).uniform((3,)), 2)
    np.testing.assert_array_equal([by_hand(), by_hand()], expected)


def test_a_dtype_left_open_is_the_default() -> None:
    streams = RandomStreams(0)
    for draw in (streams.uniform, streams.normal):
        assert draw((2,)).dtype == draw((2,), dtype="floatX").dtype == "float64"
    assert streams.binomial((2,), dtype="floatX").dtype == "float64"
    assert streams.binomial((2,)).dtype == "int64"


def test_shapes() -> None:
    streams = RandomStreams(0)
    x = Variable(TensorType("float64", (False, False)), name="x")
    values = np.ones((3, 5))

    def shape_of(variable: Variable) -> tuple[int, ...]:
        result: np.ndarray = function([x], variable, device=device, on_unused_input="ignore")(
            values
        )
        return result.shape

    assert shape_of(streams.uniform()) == ()
    assert shape_of(streams.uniform(4, ndim=1)) == (4,)
    assert shape_of(streams.normal(x.shape)) == (3, 5)
    assert shape_of(streams.normal((x.shape[0], 2))) == (3, 2)
    assert shape_of(streams.normal((0, 2))) == (0, 2)
    assert shape_of(streams.normal(None, x, 1)) == (3, 5)
    assert shape_of(streams.uniform(None, 0, [1.0, 2.0])) == (2,)
    assert shape_of(streams.binomial((2,), 3, [0.5, 0.1])) == (2,)
    assert shape_of(streams.binomial(None, 1, x * 0.5)) == (3, 5)
    assert shape_of(streams.permutation(n=6)) == (6,)
    assert shape_of(streams.permutation((2, 3), x.shape[1])) == (2, 3, 5)


def test_parameters_shift_and_scale() -> None:
    first = RandomStreams(3)
    u = drawn(first.uniform((100,), -2, [3.0] * 100))[0]
    np.testing.assert_allclose(u, 5 * drawn(RandomStreams(3).uniform((100,)))[0] - 2)
    assert drawn(RandomStreams(3).binomial((50,), p=[0.0, 1.0] * 25))[0].tolist() == [0, 1] * 25


def test_derivatives_go_through_parameters_alone() -> None:
    x = Variable(TensorType("float64"), name="x")
    z = RandomStreams(3).normal((1000,), 0, x)
    (slope, value) = function([x], [grad(T.sum(z), x), T.sum(z)], device=device)(2.0)
    np.testing.assert_allclose(slope, value / 2)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 100, 1025])
def test_a_permutation_names_every_number_once(n: int) -> None:
    rows = drawn(RandomStreams(5).permutation((3,), n))[0]
    np.testing.assert_array_equal(np.sort(rows, axis=1), np.tile(np.arange(n), (3, 1)))
    assert n < 7 or not np.array_equal(rows[0], rows[1])


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_all_permutations_are_equally_likely(n: int) -> None:
    many = 24_000
    rows = drawn(RandomStreams(6).permutation((many,), n))[0]
    orders = list(itertools.permutations(range(n)))
    codes, counts = np.unique(rows @ n ** np.arange(n), return_counts=True)
    assert len(codes) == len(orders)
    expected = many / len(orders)
    freedom = len(orders) - 1
    assert np.sum((counts - expected) ** 2) / expected < freedom + 5 * math.sqrt(2 * freedom) + 5


@pytest.mark.parametrize("n", [16, 64])
def test_permutations_are_odd_as_often_as_even(n: int) -> None:
    rows = drawn(RandomStreams(8).permutation((2000,), n))[0]
    later, earlier = np.triu_indices(n, 1)
    odd = np.sum(rows[:, later] > rows[:, earlier], axis=1) % 2
    assert abs(odd.mean() - 0.5) < 5 * 0.5 / math.sqrt(2000)
    # Every number comes to every place about equally often.
    places = rows.mean(axis=0)
    assert np.abs(places - (n - 1) / 2).max() < 5 * n / math.sqrt(12 * 2000)


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda s: s.uniform((2,), dtype="int64"), GraphError, "Draw floats"),
        (lambda s: s.uniform((2,), ndim=2), GraphError, "2 axes"),
        (lambda s: s.binomial((2,), n=[1, 2]), NotSupported, "one number for all"),
        (lambda s: s.multinomial((2,)), NotSupported, "cumsum"),
        (lambda s: s.seed(-1), GraphError, "the seed -1"),
        (lambda s: s.seed([1, 2.5]), GraphError, "whole numbers"),
        (lambda s: s.no_such_thing, NotSupported, "no_such_thing.*uniform, normal"),
    ],
)
def test_what_is_refused(draw: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        draw(RandomStreams(1))

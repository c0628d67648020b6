"""Random numbers as elementwise functions of an index, a key and a step.

Responsible for the generator, Philox-4x32-10, and its NumPy reference; knows nothing of streams.

Equal arguments give equal numbers on every device, uniform ones to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.graph.ops.elementwise import ScalarOp, apply, elementwise
from workbench.engine.graph.ops.registry import Case, Sample, declare, language
from workbench.engine.graph.types import Shape
from workbench.engine.graph.variable import Variable

#: What every product of a word fits into.
_Words = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
_WORD = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def philox(counter: _Words, key: np.ndarray) -> _Words:
    """Return four words of 32 bits enciphered under a key of 64 bits; all are uint64 arrays.

    Source: Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (2011).
    """
    a, b, c, d = counter
    k0, k1 = key & _WORD, key >> _HALF
    for _ in range(10):
        first, second = np.uint64(0xD2511F53) * a, np.uint64(0xCD9E8D57) * c
        a, b = (second >> _HALF) ^ b ^ k0, second & _WORD
        c, d = (first >> _HALF) ^ d ^ k1, first & _WORD
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & _WORD, (k1 + np.uint64(0xBB67AE85)) & _WORD
    return a, b, c, d


def _words(index: np.ndarray, key: np.ndarray, step: np.ndarray) -> _Words:
    index, key, step = np.broadcast_arrays(*(np.asarray(x, "uint64") for x in (index, key, step)))
    return philox((index & _WORD, index >> _HALF, step & _WORD, step >> _HALF), key)


def _bits(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Return 53 bits of two words as a whole number."""
    return (high >> np.uint64(5)).astype("float64") * 2.0**26 + (low >> np.uint64(6))


def _uniform32(index: np.ndarray, key: np.ndarray, step: np.ndarray) -> np.ndarray:
    a, *_ = _words(index, key, step)
    return np.asarray((a >> np.uint64(8)).astype("float32") * np.float32(2.0**-24))


def _uniform64(index: np.ndarray, key: np.ndarray, step: np.ndarray) -> np.ndarray:
    a, b, *_ = _words(index, key, step)
    return np.asarray(_bits(a, b) * 2.0**-53)


def _normal32(index: np.ndarray, key: np.ndarray, step: np.ndarray) -> np.ndarray:
    a, b, *_ = _words(index, key, step)
    first = a.astype("float32") * np.float32(2.0**-32) + np.float32(2.0**-33)
    turn = (b >> np.uint64(8)).astype("float64") * 2.0**-24
    radius = np.sqrt(-2 * np.log(first.astype("float64")))
    return np.asarray(radius * np.cos(2 * np.pi * turn))


def _normal64(index: np.ndarray, key: np.ndarray, step: np.ndarray) -> np.ndarray:
    a, b, c, d = _words(index, key, step)
    turn = _bits(c, d) * 2.0**-53
    radius = np.sqrt(-2 * np.log((_bits(a, b) + 1) * 2.0**-53))
    return np.asarray(radius * np.cos(2 * np.pi * turn))


#: Index, key and step; the greatest numbers among them.
_SPECIAL = ((0, -1, 2**40 + 3, 2**53), (0, -1, -(2**53), 7), (0, -1, 2**33, 2**53))

uniform32 = elementwise(
    "uniform32",
    arity=3,
    dtypes=("int64",),
    result="float32",
    numpy=_uniform32,
    cl="wb_uniform_float({0}, {1}, {2})",
    cost=60,
    special=_SPECIAL,
)
uniform64 = elementwise(
    "uniform64",
    arity=3,
    dtypes=("int64",),
    result="float64",
    numpy=_uniform64,
    cl="wb_uniform_double({0}, {1}, {2})",
    cost=60,
    special=_SPECIAL,
)
normal32 = elementwise(
    "normal32",
    arity=3,
    dtypes=("int64",),
    result="float32",
    numpy=_normal32,
    cl="wb_normal_float({0}, {1}, {2})",
    cost=100,
    special=_SPECIAL,
)
normal64 = elementwise(
    "normal64",
    arity=3,
    dtypes=("int64",),
    result="float64",
    numpy=_normal64,
    cl="wb_normal_double({0}, {1}, {2})",
    cost=100,
    special=_SPECIAL,
)


def _shuffled(
    position: np.ndarray, row: np.ndarray, n: np.ndarray, key: np.ndarray, step: np.ndarray
) -> np.ndarray:
    arrays = np.broadcast_arrays(position, row, n, key, step)
    shape = arrays[0].shape
    x, row, n, key, step = (a.astype("uint64").ravel() for a in arrays)
    # The exponent of a float is the number of bits of the whole number that it is.
    bits = np.maximum(np.frexp((n - np.uint64(1)).astype("float64"))[1], 2).astype("uint64")
    out = np.arange(x.size)
    while out.size:
        x[out] = _enciphered(x[out], bits[out], row[out] & _WORD, key[out], step[out])
        out = out[x[out] >= n[out]]
    return x.astype("int64").reshape(shape)


def _enciphered(
    x: np.ndarray, bits: np.ndarray, row: np.ndarray, key: np.ndarray, step: np.ndarray
) -> np.ndarray:
    """Return where numbers of so many bits go; `kernels/random.cl` says how."""
    one = np.uint64(1)
    low_bits = bits // np.uint64(2)
    low_mask, high_mask = (one << low_bits) - one, (one << (bits - low_bits)) - one

    def word(of: np.ndarray, turn: int) -> np.ndarray:
        last = (step >> _HALF) ^ np.uint64(turn << 24)
        return philox((of, row, step & _WORD, last), key)[0]

    high, low = x >> low_bits, x & low_mask
    for turn in range(12):
        if turn % 2:
            low = low ^ (word(high, turn) & low_mask)
        else:
            high = high ^ (word(low, turn) & high_mask)
    x = high << low_bits | low
    return np.where(x < 2, x ^ (word(np.zeros_like(x), 12) & one), x)


_SHUFFLED = ScalarOp(
    "shuffled",
    arity=5,
    numpy=_shuffled,
    template="wb_shuffled({0}, {1}, {2}, {3}, {4})",
    rule=None,
    dtypes=("int64",),
    result=None,
    cost=2000,
)


@language
def shuffled(position: Any, row: Any, n: Any, key: Any, step: Any) -> Variable:
    """Return what stands at `position` when the numbers below `n` are shuffled.

    Another `row` is another shuffle. A position that is not below `n` has no meaning.
    """
    return apply(_SHUFFLED, (position, row, n, key, step))


def _numbers(*shapes: Shape) -> tuple[Sample, ...]:
    ranges = ((0, 4), (0, 3), (5, 9), (-9, 9), (0, 9))
    return tuple(
        Sample(shape, None, low, high) for shape, (low, high) in zip(shapes, ranges, strict=True)
    )


declare(
    "shuffled",
    _SHUFFLED,
    ("int64",),
    Case(shuffled, _numbers(*[(3, 5)] * 5), differentiable=False),
    Case(shuffled, _numbers((3, 5), (), (), (), ()), differentiable=False),
    Case(shuffled, _numbers((0, 5), (5,), (), (), (5,)), differentiable=False),
    Case(
        shuffled,
        tuple(
            Sample((5,), values=values)
            for values in (
                (0, 1, 2, 99, 17),
                (0, 5, 0, 1, 2**40),
                (1, 2, 3, 100, 2**33),
                (1, 2**53, 3, 4, -5),
                (0, 1, 2**40, 3, -4),
            )
        ),
        differentiable=False,
    ),
)

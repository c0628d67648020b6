"""What a device is asked when it is checked: every family of kernels, at odd sizes.

Responsible for the expressions, and for how far rounding may take each from the truth; knows
nothing of devices or of what follows from an answer.

No length is a multiple of a vector, a tile or a work-group. What is summed is positive, so that an
error relative to a sum is one relative to all that went into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs
import numpy as np

import workbench.engine.graph.ops  # noqa: F401 - importing it fills the registry
from workbench.engine.graph.examples import draw
from workbench.engine.graph.grad import grad
from workbench.engine.graph.op import Elementwise
from workbench.engine.graph.ops.registry import OPS, Entry, Sample
from workbench.engine.graph.random import RandomStreams
from workbench.engine.graph.scan import scan
from workbench.engine.graph.variable import SharedVariable, Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it
from workbench.training.trust_network import gradients, regression

#: Elements of elementwise operations: a prime, so that every division of them leaves a rest.
LENGTH = 1031
#: Elementwise operations in a kernel.
_TOGETHER = 18
#: Longer sums are made of sums of at most so many terms.
_BLOCK = 256
#: m, n, k of products: around the edges of tiles. Other sizes are the same kernels.
_SHAPES = ((67, 83, 47), (7, 5, 3), (49, 65, 33), (129, 10, 101), (13, 161, 20))
#: Deeper than what is summed up at a time, and so deep that it is cut into parts.
_DEEP, _CUT = (37, 35, 1100), (13, 11, 2203)


@attrs.frozen(eq=False)
class Case:
    """One question and how exact the answer has to be.

    Parameters
    ----------
    op
        What it is called.
    value
        The expression; the new value, where something is updated.
    terms
        The longest chain of additions or multiplications behind an element.
    whole
        Whether errors are relative to the array's largest element, where single ones cancel out.
    updated
        The shared variable that takes the value; None for an output.
    part
        Cases of one part are one function. Parts that are alike but for their sizes have the same
        kernels, which are built once.
    """

    op: str
    value: Variable
    terms: int = 0
    whole: bool = False
    updated: SharedVariable | None = None
    part: int = 0


class Numbers:
    """Draws arrays: the same numbers in every precision, all of which float32 holds.

    Parameters
    ----------
    dtype
        The precision.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self._random = np.random.default_rng(7)
        self._samples: dict[tuple[object, ...], SharedVariable] = {}

    def near_one(self, *shape: int, width: float = 0.5) -> SharedVariable:
        """Return positive numbers."""
        values = self._random.uniform(1 - width, 1 + width, shape)
        return shared(values.astype(np.float32).astype(self.dtype))

    def signed(self, *shape: int) -> SharedVariable:
        """Return numbers from -1 to 1."""
        values = self._random.uniform(-1, 1, shape)
        return shared(values.astype(np.float32).astype(self.dtype))

    def integers(self, below: int, *shape: int, dtype: str = "int64") -> SharedVariable:
        """Return integers from 0."""
        return shared(self._random.integers(0, below, shape).astype(dtype))

    def sample(self, sample: Sample, place: int, dtype: str) -> SharedVariable:
        """Return what an operation's example asks for, at `LENGTH`; equal ones are one array."""
        kind = sample.dtype or dtype
        key = (place, kind, sample.low, sample.high, sample.ties, sample.values)
        if key not in self._samples:
            random = np.random.default_rng([place, len(self._samples)])
            long = attrs.evolve(sample, shape=(LENGTH,), stretch=())
            drawn = draw(long, "float32" if dtype == "float64" else dtype, random)
            self._samples[key] = shared(drawn.astype(kind))
        return self._samples[key]


def elementwise(numbers: Numbers) -> Iterator[Case]:
    """Ask for every elementwise operation of the registry."""
    return _elementwise(numbers, numbers.dtype)


def integers(numbers: Numbers) -> Iterator[Case]:
    """Ask for the elementwise operations that floats do not have."""
    for case in _elementwise(numbers, "int64"):
        if numbers.dtype not in OPS[case.op].dtypes and not case.value.type.is_float:
            yield case


def _elementwise(numbers: Numbers, dtype: str) -> Iterator[Case]:
    names = [name for name, entry in OPS.items() if _is_elementwise(entry, dtype)]
    for start in range(0, len(names), _TOGETHER):
        # Never so, but no compiler knows. What operations share puts them into one kernel, and
        # a kernel takes a compiler longer than an operation.
        never = T.gt(T.tanh(numbers.near_one(LENGTH)), 2)
        for name in names[start : start + _TOGETHER]:
            example = next(case for case in OPS[name].cases if dtype in case.dtypes)
            drawn = [numbers.sample(s, i, dtype) for i, s in enumerate(example.samples)]
            first = T.switch(never, T.zeros_like(drawn[0]), drawn[0])
            yield Case(name, example.build(first, *drawn[1:]))


def _is_elementwise(entry: Entry, dtype: str) -> bool:
    kind = entry.op if isinstance(entry.op, type) else type(entry.op)
    return dtype in entry.dtypes and issubclass(kind, Elementwise)


def reductions(numbers: Numbers) -> Iterator[Case]:
    """Ask for every fold of rows, of columns, and of so many numbers that it is split."""
    x, long = numbers.near_one(29, 301), numbers.near_one(5003)
    tight, tight_long = (numbers.near_one(*s, width=0.02) for s in ((29, 301), (5003,)))
    for name in ("sum", "prod", "max", "min"):
        fold = getattr(T, name)
        rows, all_ = (tight, tight_long) if name == "prod" else (x, long)
        terms = (301, 29, _BLOCK + 5003 // _BLOCK) if name in ("sum", "prod") else (0, 0, 0)
        yield Case(f"{name} of rows", fold(rows, axis=1), terms[0])
        yield Case(f"{name} of columns", fold(rows, axis=0), terms[1])
        yield Case(f"{name} of all", fold(all_), terms[2])
    for name in ("argmax", "argmin"):
        yield Case(f"{name} of rows", getattr(T, name)(x, axis=1))
        yield Case(f"{name} of columns", getattr(T, name)(x, axis=0))
    for name, limit in (("any", 1.495), ("all", 0.505)):
        yield Case(f"{name} of rows", getattr(T, name)(T.gt(x, limit), axis=1))
    narrow = numbers.near_one(4999, 3)
    yield Case("sum of long columns", T.sum(narrow, axis=0), _BLOCK + 4999 // _BLOCK)
    yield Case("mean", T.mean(x[:, :33], axis=1), 33)
    yield Case("variance", T.var(x, axis=1), 602)
    yield Case("softmax", T.softmax(x), 301)
    yield Case("log_softmax", T.log_softmax(x), 301)
    yield Case("running sum of rows", T.cumsum(x, axis=1), 301)
    yield Case("running sum of columns", T.cumsum(x, axis=0), 29)


def moves(numbers: Numbers) -> Iterator[Case]:
    """Ask for what only moves elements, and for sums at places that integers name."""
    x, y = numbers.near_one(67, 45), numbers.near_one(31, 45)
    rows, columns = numbers.integers(67, 31), numbers.integers(45, 31)
    yield Case("gather rows", x[rows])
    yield Case("gather elements", x[rows, columns])
    yield Case("slice", x[3:60:2, ::-1])
    yield Case("transpose and reshape", T.reshape(x.T, (15, 201)))
    yield Case("join", T.concatenate([x, y], axis=0))
    yield Case("repeat", T.repeat(x, 3, axis=1))
    yield Case("replace a slice", T.set_subtensor(x[5:9], y[:4]))
    yield Case("replace rows", T.set_subtensor(x[numbers.integers(1, 1) + 66], y[:1]))
    yield Case("add to a slice", T.inc_subtensor(x[3:34, ::4], y[:, :12]), 2)
    yield Case("add to rows", T.inc_subtensor(x[rows], y), 32)
    yield Case("scatter", grad(T.sum(x[rows] * y), x), 31)
    yield Case("unit matrix", T.eye(13, 17, 2, dtype=numbers.dtype))


def random(numbers: Numbers) -> Iterator[Case]:
    """Ask for random numbers, which are to have the reference's bits."""
    streams = RandomStreams(9)
    yield Case("uniform", streams.uniform((LENGTH,), dtype=numbers.dtype))
    yield Case("binomial", streams.binomial((7, 33), p=0.3, dtype=numbers.dtype))
    yield Case("permutation", streams.permutation(n=1000))
    yield Case("normal", streams.normal((33, 31), dtype=numbers.dtype), 32)


def products(numbers: Numbers) -> Iterator[Case]:
    """Ask for matrix products in every layout, with what rides in their epilogues."""
    for part, (m, n, k) in enumerate(_SHAPES):
        size = f"{m} x {n} x {k}"
        a, b, c = numbers.near_one(m, k), numbers.near_one(k, n), numbers.near_one(m, n)
        a_t, b_t = numbers.near_one(k, m), numbers.near_one(n, k)
        mask = T.gt(numbers.near_one(m, n), 0.9)
        yield Case(f"NN {size}", T.dot(a, b), k, part=part)
        yield Case(f"TN {size}", c + T.dot(a_t.T, b) * 0.5, k, updated=c, part=part)
        yield Case(f"NT {size}", T.dot(a, b_t.T) * mask, k, part=part)


def images(numbers: Numbers) -> Iterator[Case]:
    """Ask for products of rows of bytes, as a first layer multiplies them."""
    for part, (m, n, k) in enumerate((*_SHAPES, _DEEP, _CUT)):
        bytes_ = numbers.integers(256, 2 * m, k, dtype="uint8")
        rows, b = numbers.integers(2 * m, m, dtype="int32"), numbers.near_one(k, n)
        image = T.cast(bytes_[rows], numbers.dtype) * np.asarray(1 / 256, numbers.dtype)
        value = T.sqrt(T.dot(image, b) + numbers.near_one(n))
        yield Case(f"NN {m} x {n} x {k}", value, k, part=part)


def updates(numbers: Numbers) -> Iterator[Case]:
    """Ask for updates in place, of parameters of odd sizes."""
    for part, shape in enumerate(((LENGTH,), (33,), (3,), (31, 7))):
        size = " x ".join(map(str, shape))
        weight, speed, slope = (numbers.near_one(*shape) for _ in range(3))
        faster = 0.5 * speed + slope
        yield Case(f"speed of {size}", faster, 2, updated=speed, part=part)
        yield Case(f"weight of {size}", weight + 0.1 * faster, 4, updated=weight, part=part)


def loops(numbers: Numbers) -> Iterator[Case]:
    """Ask for a loop, and for its derivative, which walks back."""
    x, w = numbers.signed(13, 7), numbers.near_one(7)
    states, _ = scan(lambda row, h: T.tanh(h * w * 0.5 + row), x, T.zeros_like(x[0]))
    slopes = grad(T.sum(states), [x, w])
    for name, value in zip(("states", "by sequence", "by weight"), (states, *slopes), strict=True):
        yield Case(name, value, 8 * 13, whole=True)


def convolution(numbers: Numbers) -> Iterator[Case]:
    """Ask for convolution and its derivatives."""
    x, w = numbers.near_one(3, 2, 11, 9), numbers.near_one(5, 2, 3, 2)
    out = T.conv2d(x, w)
    # (3 images, 9 x 8 places) behind a filter's derivative, (2, 3 x 2) behind a convolution.
    terms = 12 + 3 * 9 * 8
    slopes = grad(T.sum(T.sqr(out)), [x, w])
    for name, value in zip(("forwards", "by image", "by filter"), (out, *slopes), strict=True):
        yield Case(name, value, terms)


def pooling(numbers: Numbers) -> Iterator[Case]:
    """Ask for pooling and its derivative."""
    x = numbers.near_one(3, 2, 11, 9)
    largest = T.pool_2d(x, (2, 2), ignore_border=False)
    yield Case("largest", largest)
    yield Case("largest, derivative", grad(T.sum(T.sqr(largest)), x), 2)
    yield Case("mean", T.pool_2d(x, (3, 2), ignore_border=True, mode="average_exc_pad"), 6)


def network(numbers: Numbers) -> Iterator[Case]:
    """Ask for the log-likelihood of a small network of every layer, and for its derivatives."""
    for name, value in gradients(numbers.dtype).items():
        yield Case(name, value, 500, whole=True)


def regressions(numbers: Numbers) -> Iterator[Case]:
    """Ask for a softmax regression on a full batch of bytes, and for its derivatives."""
    for name, value in regression(numbers.dtype).items():
        yield Case(name, value, 500, whole=True)


@attrs.frozen
class Family:
    """Kernels that are generated in the same way.

    Parameters
    ----------
    cases
        Makes the questions.
    essential
        Whether there is no training without it.
    precisions
        In which it is asked for.
    exact
        Whether the truth is what NumPy gives in the same precision; else it is computed in float64.
    """

    cases: Callable[[Numbers], Iterator[Case]]
    essential: bool = False
    precisions: tuple[str, ...] = ("float32", "float64")
    exact: bool = False


FAMILIES = {
    "products": Family(products, essential=True),
    "products of bytes": Family(images, essential=True, precisions=("float32",)),
    "reductions": Family(reductions, essential=True),
    "updates": Family(updates, essential=True),
    "network": Family(network, essential=True, precisions=("float32",)),
    "regression": Family(regressions, essential=True, precisions=("float32",)),
    "elementwise": Family(elementwise),
    "integers": Family(integers, precisions=("float32",), exact=True),
    "moves": Family(moves, precisions=("float32",), exact=True),
    "random": Family(random, exact=True),
    "loops": Family(loops, precisions=("float32",)),
    "convolution": Family(convolution, precisions=("float32",)),
    "pooling": Family(pooling, precisions=("float32",)),
}

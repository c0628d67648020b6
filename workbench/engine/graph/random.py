"""Streams of random numbers: seeded, without hidden state, the same on every device.

Responsible for keys, steps and distributions; the generator itself is `ops.draws`, and how a step
advances is the function's business (`SharedVariable.default_update`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError, NotSupported
from workbench.engine.graph.ops import draws, reductions
from workbench.engine.graph.ops.arithmetic import cast
from workbench.engine.graph.ops.comparison import lt
from workbench.engine.graph.ops.dimshuffle import dimshuffle
from workbench.engine.graph.ops.elementwise import pad_left
from workbench.engine.graph.ops.generated import arange
from workbench.engine.graph.ops.lengths import product, sizes_of
from workbench.engine.graph.ops.lengths import size as size_of
from workbench.engine.graph.ops.shape import reshape
from workbench.engine.graph.promotion import DEFAULTS, as_variable, common_dtype, is_weak
from workbench.engine.graph.variable import Constant, SharedVariable, Variable, shared

#: A shape: numbers, 0-d integer variables or a mix; a single one for one axis.
Size = Any
Seed = int | Sequence[int] | None

_ELSEWHERE = {
    "choice": "Index with integers made of uniform(): cast(floor(u * n), 'int64').",
    "multinomial": "Compare uniform() with cumsum(pvals).",
    "poisson": "Draw with NumPy and pass the numbers in.",
    "random_integers": "Use cast(floor(uniform(size, low, high + 1)), 'int64').",
    "shuffle_row_elements": "Index with permutation().",
    "truncated_normal": "Use clip(normal(...), -2, 2), or draw with NumPy.",
}


@attrs.frozen(eq=False)
class DrawState:
    """What one random variable is drawn from.

    Parameters
    ----------
    number
        Its place among the draws of its stream.
    key
        What numbers are enciphered under; follows from the stream's seed and the place.
    step
        How often it has been drawn; every function that depends on it advances it at each call.
    """

    number: int
    key: SharedVariable
    step: SharedVariable


class RandomStreams:
    """Random variables that are drawn anew at every call of the functions that depend on them.

    Each is a stream of its own: which others are drawn makes no difference to it. Equal seeds give
    equal numbers, on every device.

    Parameters
    ----------
    seed
        A whole number that is not negative, or several; None takes one from the system.
    """

    def __init__(self, seed: Seed = None) -> None:
        self.states: list[DrawState] = []
        self._seed = _checked(seed)

    def seed(self, seed: Seed = None) -> None:
        """Start all random variables made so far, and those to come, afresh from another seed."""
        self._seed = _checked(seed)
        for state in self.states:
            state.key.set_value(_key(self._seed, state.number))
            state.step.set_value(0)

    @property
    def state_updates(self) -> list[tuple[SharedVariable, Variable]]:
        """The update of each random variable's step, for functions that leave out default ones."""
        pairs = ((state.step, state.step.default_update) for state in self.states)
        return [(step, new) for step, new in pairs if new is not None]

    def uniform(
        self,
        size: Size = (),
        low: Any = 0.0,
        high: Any = 1.0,
        ndim: int | None = None,
        dtype: str | None = None,
    ) -> Variable:
        """Return numbers spread evenly from `low` to below `high` (but for rounding).

        Parameters
        ----------
        size
            The shape; None for that of `low` and `high` together.
        ndim
            Number of axes, where that is to be checked.
        """
        dtype = _named(dtype)
        low, high = cast(low, dtype), cast(high, dtype)
        lengths = _lengths(size, ndim, low, high)
        u = self._draw(lengths, dtype, draws.uniform32, draws.uniform64)
        if _is(low, 0) and _is(high, 1):
            return u
        spread: Variable = low + u * (high - low)
        return spread

    def normal(
        self,
        size: Size = (),
        avg: Any = 0.0,
        std: Any = 1.0,
        ndim: int | None = None,
        dtype: str | None = None,
    ) -> Variable:
        """Return normally distributed numbers of mean `avg` and standard deviation `std`."""
        dtype = _named(dtype)
        avg, std = cast(avg, dtype), cast(std, dtype)
        lengths = _lengths(size, ndim, avg, std)
        z = self._draw(lengths, dtype, draws.normal32, draws.normal64)
        scaled = z if _is(std, 1) else z * std
        return scaled if _is(avg, 0) else scaled + avg

    def binomial(
        self,
        size: Size = (),
        n: Any = 1,
        p: Any = 0.5,
        ndim: int | None = None,
        dtype: str = "int64",
    ) -> Variable:
        """Return how many of `n` trials succeed, each with probability `p`.

        The cost grows with `n`, which is one number for all elements.
        """
        p, n, dtype = as_variable(p), as_variable(n), _named(dtype)
        if n.ndim:
            raise NotSupported(
                f"binomial got {n.describe()} for n.", "Give one number for all elements."
            )
        lengths = _lengths(size, ndim, p)
        wide = dtype == "float64" or (common_dtype([p]) == "float64" and not is_weak(p))
        p = cast(p, "float64" if wide else "float32")
        once = _is(n, 1)
        trials = lengths if once else [*lengths, size_of(n)]
        u = self._draw(trials, p.dtype, draws.uniform32, draws.uniform64)
        if once:
            return cast(lt(u, p), dtype)
        if p.ndim:
            p = dimshuffle(p, *range(p.ndim), "x")
        return cast(reductions.sum(lt(u, p), axis=-1), dtype)

    def permutation(
        self, size: Size = (), n: Any = 1, ndim: int | None = None, dtype: str = "int64"
    ) -> Variable:
        """Return the numbers from 0 to below `n` in random order, along a last axis.

        Parameters
        ----------
        size
            How many permutations.
        """
        lengths, n = _lengths(size, ndim), size_of(n)
        state = self._state()
        position = arange(n)
        row = dimshuffle(_positions(lengths), *range(len(lengths)), "x")
        return cast(
            draws.shuffled(pad_left(position, 1 + len(lengths)), row, n, state.key, state.step),
            dtype,
        )

    def __getattr__(self, name: str) -> Any:
        """Say what is not offered, and the way round."""
        if name.startswith("_"):
            raise AttributeError(f"random streams have no {name!r}")
        others = "There are uniform, normal, binomial and permutation."
        raise NotSupported(f"Random streams have no {name}.", _ELSEWHERE.get(name, others))

    def _state(self) -> DrawState:
        number = len(self.states)
        key = shared(_key(self._seed, number), f"key of draw {number}")
        step = shared(np.int64(0), f"step of draw {number}")
        step.default_update = step + 1
        self.states.append(DrawState(number, key, step))
        return self.states[-1]

    def _draw(self, lengths: Sequence[Variable], dtype: str, narrow: Any, wide: Any) -> Variable:
        if dtype not in ("float32", "float64"):
            raise GraphError(
                f"Random numbers were asked for in {dtype!r}.", "Draw floats, then cast them."
            )
        state = self._state()
        draw = narrow if dtype == "float32" else wide
        drawn: Variable = draw(_positions(lengths), state.key, state.step)
        return drawn


def _checked(seed: Seed) -> Seed:
    if seed is None:
        return np.random.SeedSequence().entropy
    numbers: list[Any] = list(seed) if isinstance(seed, Sequence) else [seed]
    if not all(isinstance(n, (int, np.integer)) and n >= 0 for n in numbers):
        raise GraphError(f"A random stream got the seed {seed!r}.", "Give whole numbers from 0.")
    return numbers


def _key(seed: Seed, number: int) -> np.int64:
    """Return the key of a stream's draw; NumPy keeps its numbers the same in all versions."""
    sequence = np.random.SeedSequence(seed, spawn_key=(number,))
    return np.int64(sequence.generate_state(1, np.uint64).view(np.int64)[0])


def _positions(lengths: Sequence[Variable]) -> Variable:
    """Return the number of each element of a shape, in C order."""
    return reshape(arange(product(lengths)), list(lengths)) if lengths else as_variable(np.int64(0))


def _lengths(size: Size, ndim: int | None, *parameters: Variable) -> list[Variable]:
    """Return the shape of a draw; without a size, that of its parameters."""
    if size is None:
        together = parameters[0] if parameters else as_variable(0)
        for parameter in parameters[1:]:
            together = together + parameter
        lengths = list(together.shape)
    else:
        lengths = sizes_of(size)
    if ndim is not None and ndim != len(lengths):
        raise GraphError(
            f"A draw of shape {size!r} was said to have {ndim} axes.", "Leave out ndim."
        )
    return lengths


def _named(dtype: str | None) -> str:
    """Return a dtype's name, that of the default for floats where it is left open."""
    return DEFAULTS.float_dtype if dtype in (None, "floatX") else np.dtype(dtype).name


def _is(value: Variable, number: float) -> bool:
    return isinstance(value, Constant) and value.ndim == 0 and bool(value.value == number)

"""Loops of many forms, each with the same in plain Python and NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from workbench.engine.graph.scan import scan
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it


@attrs.frozen(eq=False)
class LoopCase:
    """An expression with loops: how it is built, its inputs' shapes, and what it must give."""

    name: str
    build: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    numpy: Callable[..., Any]

    def arrays(self, dtype: str) -> list[np.ndarray]:
        rng = np.random.default_rng(len(self.name))
        return [rng.uniform(-1, 1, shape).astype(dtype) for shape in self.shapes]

    def inputs(self, dtype: str) -> list[Variable]:
        return [
            Variable(TensorType(dtype, (False,) * len(s)), name=f"x{i}")
            for i, s in enumerate(self.shapes)
        ]

    def outputs(self, inputs: Sequence[Variable]) -> list[Variable]:
        built = self.build(*inputs)
        return list(built) if isinstance(built, (list, tuple)) else [built]

    def expected(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        found = self.numpy(*arrays)
        return [np.asarray(a) for a in (found if isinstance(found, (list, tuple)) else [found])]


def _elman(x: Variable, h0: Variable, w: Variable, u: Variable) -> Any:
    return scan(lambda x_t, h: T.tanh(T.dot(x_t, w) + T.dot(h, u)), x, h0)[0]


def _elman_numpy(x: Any, h0: Any, w: Any, u: Any) -> Any:
    states, h = [], h0
    for x_t in x:
        h = np.tanh(x_t @ w + h @ u)
        states.append(h)
    return np.stack(states)


def _two_outputs(x: Variable, y: Variable, a0: Variable) -> Any:
    def step(x_t: Variable, y_t: Variable, a: Variable) -> list[Variable]:
        new = a * 0.5 + x_t * y_t
        return [new, T.exp(new).sum(), x_t - a]

    return scan(step, [x, y], [a0, None, None], go_backwards=True)[0]


def _two_outputs_numpy(x: Any, y: Any, a: Any) -> Any:
    found = []
    for x_t, y_t in zip(x[::-1], y[::-1], strict=False):
        new = a * 0.5 + x_t * y_t
        found.append((new, np.exp(new).sum(), x_t - a))
        a = new
    return [np.stack(column) for column in zip(*found, strict=True)]


def _taps(x: Variable, start: Variable, w: Variable) -> Any:
    return scan(
        lambda before, now, two, one, k: T.sin(before * two) + now * one * k,
        {"input": x, "taps": [-2, 1]},
        {"initial": start, "taps": [-2, -1]},
        w,
    )[0]


def _taps_numpy(x: Any, start: Any, w: Any) -> Any:
    h = list(start)
    for t in range(2, len(x) - 1):
        h.append(np.sin(x[t - 2] * h[-2]) + x[t + 1] * h[-1] * w)
    return np.stack(h[2:])


def _third_tap(start: Variable) -> Any:
    info = {"initial": start, "taps": [-3]}
    return scan(lambda h: h * 2 + 1, outputs_info=[info], n_steps=5)[0]


def _third_tap_numpy(start: Any) -> Any:
    h = list(start)
    for _ in range(5):
        h.append(h[-3] * 2 + 1)
    return np.stack(h[len(start) :])


def _rows(x: Variable, w: Variable) -> Any:
    # The index is a sequence of its own, and w is cut within the loop.
    def step(i: Variable, total: Variable, rows: Variable) -> Variable:
        return total + rows[i] * w[: rows.shape[1]]

    start = T.zeros_like(x[0])
    return scan(step, T.arange(x.shape[0]), start, x)[0][-1]


def _nested(x: Variable, h0: Variable) -> Any:
    def inner(v: Variable, s: Variable, h: Variable) -> Variable:
        return T.tanh(s + v * h.sum())

    def outer(row: Variable, h: Variable) -> Variable:
        # Its first state is what the step is given, its sequence a row of it.
        return scan(inner, row, T.sum(row * 0), h)[0] + h

    return scan(outer, x, h0)[0]


def _nested_numpy(x: Any, h: Any) -> Any:
    found = []
    for row in x:
        s, inside = 0.0, []
        for v in row:
            s = np.tanh(s + v * h.sum())
            inside.append(s)
        h = np.stack(inside) + h
        found.append(h)
    return np.stack(found)


def _swapped(a: Variable, b: Variable) -> Any:
    # A state that is another's old value, an output that is a state, one that is the same always.
    return scan(lambda p, q: [q, p + q * 0.5, p, a * b], None, [a, b, None, None], n_steps=4)[0]


def _swapped_numpy(a: Any, b: Any) -> Any:
    p, q, found = a, b, []
    for _ in range(4):
        found.append((q, p + q * 0.5, p, a * b))
        p, q = q, p + q * 0.5
    return [np.stack(column) for column in zip(*found, strict=True)]


def _recent(x: Variable, h0: Variable) -> Any:
    # As many steps as a shape says, on the ends of two sequences.
    return scan(
        lambda p, q, h: T.maximum(h * 0.9, p) - q,
        [x, x[2:]],
        h0,
        n_steps=h0.shape[0],
        go_backwards=True,
    )[0]


def _recent_numpy(x: Any, h: Any) -> Any:
    found = []
    for t in range(len(h)):
        h = np.maximum(h * 0.9, x[::-1][t]) - x[2:][::-1][t]
        found.append(h)
    return np.stack(found)


def _folded(x: Variable) -> Any:
    products = scan(lambda v, p: p * v, x, T.ones_like(x[0]))[0]
    return [products[-1], scan(lambda v: T.sqr(v).sum(), x)[0]]


CASES = [
    LoopCase("elman", _elman, ((5, 3), (4,), (3, 4), (4, 4)), _elman_numpy),
    LoopCase("elman batch", _elman, ((3, 2, 3), (2, 4), (3, 4), (4, 4)), _elman_numpy),
    LoopCase("two outputs", _two_outputs, ((4, 3), (6, 3), (3,)), _two_outputs_numpy),
    LoopCase("taps", _taps, ((7, 2), (2, 2), ()), _taps_numpy),
    LoopCase("third tap", _third_tap, ((3, 2),), _third_tap_numpy),
    LoopCase("rows", _rows, ((4, 3), (5,)), lambda x, w: (x * w[:3]).sum(0)),
    LoopCase("nested", _nested, ((3, 4), (4,)), _nested_numpy),
    LoopCase("swapped", _swapped, ((3,), (3,)), _swapped_numpy),
    LoopCase("recent", _recent, ((6, 4), (4,)), _recent_numpy),
    LoopCase("folded", _folded, ((5, 3),), lambda x: [np.prod(x, axis=0), np.sum(x**2, axis=1)]),
]

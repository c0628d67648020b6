"""Random expressions: whatever is fused, the results are those of the expression as written."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import attrs
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import CompileOptions, function
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.grad import grad
from workbench.engine.graph.op import (
    Cumulative,
    Elementwise,
    MatMul,
    Movement,
    Piecewise,
    Reduction,
)
from workbench.engine.graph.scan import scan
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import SharedVariable, Variable, shared
from workbench.engine.lower.memory import reads_of, writes_of
from workbench.engine.lower.node import Literal, Load, Node, walk
from workbench.engine.lower.plan import Copy, Cumulate, Loops, Plan, Product, Repeat
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

#: An index: an array of numbers for each axis.
Places = tuple[np.ndarray, ...]

# --- what must hold of any plan --------------------------------------------------------------


def check_plan(plan: Plan) -> None:
    """Assert what a device relies on when it runs the steps one after the other."""
    written: set[int] = set()
    for step in plan.steps:
        for buffer in reads_of(step):
            assert plan.buffers[buffer].role not in ("temp", "output") or buffer in written
        for buffer in writes_of(step):
            assert plan.buffers[buffer].role in ("temp", "output", "shared")
            assert buffer not in written, "written twice"
        written |= writes_of(step)
        if isinstance(step, Copy):
            source, target = plan.buffers[step.source], plan.buffers[step.target]
            assert (source.dtype, source.size_bytes) == (target.dtype, target.size_bytes)
        elif isinstance(step, Repeat):
            _check_turns(plan, step)
        elif isinstance(step, Cumulate):
            _check_values(plan, step)
            assert len({id(store.value) for store in step.stores}) == 1
            assert not writes_of(step) & reads_of(step)
        else:
            _check_values(plan, step)
            _check_in_place(step)
    assert written >= set(plan.outputs)
    _check_storage(plan)


def _check_turns(plan: Plan, step: Repeat) -> None:
    """Assert that a turn's plan is one, and that the buffers around it fit its own."""
    check_plan(step.plan)
    assert not writes_of(step) & reads_of(step)
    inside = {
        (buffer.role, buffer.number): (buffer.shape, buffer.dtype) for buffer in step.plan.buffers
    }
    outside = [(buffer.shape, buffer.dtype) for buffer in plan.buffers]
    for number, buffer in enumerate(step.inputs):
        shape, dtype = outside[buffer]
        assert inside.get(("input", number), (shape, dtype)) == (shape, dtype)
        assert inside.get(("element", number), (shape[1:], dtype)) == (shape[1:], dtype)
    for number, buffer in [*enumerate(step.initial), *step.final]:
        assert inside["shared", number] == outside[buffer]
    for number, buffer in enumerate(step.outputs):
        shape, dtype = inside["output", number]
        assert ((step.count, *shape), dtype) == outside[buffer]


def _roots(step: Loops | Product | Cumulate) -> list[Node]:
    values = [store.value for store in step.stores]
    return [step.product, *values] if isinstance(step, Product) else values


def _check_values(plan: Plan, step: Loops | Product | Cumulate) -> None:
    for store in step.stores:
        buffer = plan.buffers[store.buffer]
        assert (store.value.shape, store.value.dtype) == (buffer.shape, buffer.dtype)
    for node in walk(_roots(step)):
        if isinstance(node.op, Load):
            buffer = plan.buffers[node.op.buffer]
            assert (node.size, node.dtype) == (math.prod(buffer.shape), buffer.dtype)
    if isinstance(step, Cumulate):
        value = step.stores[0].value
        assert isinstance(value.op, Cumulative)
        assert not any(n.inputs for n in value.inputs)
        return
    assert not any(isinstance(n.op, Cumulative) for n in walk(_roots(step)))
    if isinstance(step, Loops):
        assert all(s.value.shape[: len(step.rows)] == step.rows for s in step.stores)
        assert not any(isinstance(n.op, MatMul) for n in walk(_roots(step)))
        return
    serial = (Reduction, Piecewise, MatMul)
    assert not any(isinstance(n.op, serial) for n in walk(step.product.inputs))
    over_product = {id(step.product)}
    for node in walk(_roots(step), stop=over_product):
        assert node is step.product or not isinstance(node.op, serial)
        if any(id(n) in over_product for n in node.inputs):
            over_product.add(id(node))
            assert isinstance(node.op, Elementwise)
            assert node.shape == step.product.shape


def _check_storage(plan: Plan) -> None:
    lives: dict[int, list[tuple[int, int]]] = {}
    for buffer in plan.buffers:
        if buffer.role == "temp":
            touched = [
                number
                for number, step in enumerate(plan.steps)
                if buffer.id in reads_of(step) | writes_of(step)
            ]
            lives.setdefault(buffer.storage, []).append((touched[0], touched[-1]))
    for of_one in lives.values():
        ordered = sorted(of_one)
        assert all(end < start for (_, end), (start, _) in itertools.pairwise(ordered))


#: A component of an index of which nothing is known.
_UNKNOWN = -(10**9)


def _check_in_place(step: Loops | Product) -> None:
    """Assert that what a step overwrites is read only at the element that is being written."""
    targets = writes_of(step) & reads_of(step)
    if not targets:
        return
    # With stores of several shapes, one is written before another is computed.
    assert len({store.value.shape for store in step.stores}) == 1
    for root in _roots(step):
        own = np.arange(root.size).reshape(root.shape)
        for load, index in _reads(root):
            if isinstance(load.op, Load) and load.op.buffer in targets:
                flat = np.zeros((), np.int64)
                for component, length in zip(index, load.shape, strict=True):
                    flat = flat * length + component
                folded = max(flat.ndim - root.ndim, 0)
                assert np.all(flat == own.reshape(own.shape + (1,) * folded))


def _reads(root: Node) -> Iterator[tuple[Node, Places]]:
    """Yield every leaf below `root` with the index at which it is read, as arrays of numbers.

    The arrays' first axes are those of `root`, further ones those of folds.
    """
    seen: set[tuple[int, tuple[tuple[Any, bytes], ...]]] = set()
    stack: list[tuple[Node, Places]] = [(root, tuple(np.indices(root.shape, sparse=True)))]
    while stack:
        node, index = stack.pop()
        key = (id(node), tuple((i.shape, i.tobytes()) for i in index))
        if key in seen:
            continue
        seen.add(key)
        if not node.inputs:
            yield node, index
        for child, at in _inputs(node, index):
            # An axis of length 1 has but one place.
            pairs = zip(at, child.shape, strict=True)
            stack.append((child, tuple(np.asarray(0 if n == 1 else i) for i, n in pairs)))


def _inputs(node: Node, index: Places) -> list[tuple[Node, Sequence[Any]]]:
    found: list[tuple[Node, Sequence[Any]]] = []
    shapes = [n.shape for n in node.inputs]

    def read(position: int, at: tuple[Any, ...]) -> int:
        child = node.inputs[position]
        found.append((child, at))
        return int(child.op.value) if isinstance(child.op, Literal) else _UNKNOWN

    op = node.op
    if isinstance(op, Movement):
        found.append((node.inputs[0], op.source_index(index, shapes, node.shape, read)))
    elif isinstance(op, Piecewise):
        pieces = op.pieces(index, shapes, node.shape, read)
        found += [(node.inputs[position], at) for _, position, at in pieces]
    elif isinstance(op, Reduction):
        found.append((node.inputs[0], _folded(op, index, shapes[0])))
    elif isinstance(op, MatMul):
        (row, column), inner = _longer(index, 1), np.arange(shapes[0][1])
        found += [(node.inputs[0], (row, inner)), (node.inputs[1], (inner, column))]
    else:
        found += [(child, index if child.ndim else ()) for child in node.inputs]
    return found


def _longer(index: Places, axes: int) -> list[np.ndarray]:
    return [i.reshape(i.shape + (1,) * axes) for i in index]


def _folded(op: Reduction, index: Places, shape: tuple[int, ...]) -> Sequence[np.ndarray]:
    outer = iter(_longer(index, len(op.axes)))
    at = []
    for axis, length in enumerate(shape):
        if axis not in op.axes:
            at.append(next(outer))
            continue
        if op.keepdims:
            next(outer)
        behind = len(op.axes) - 1 - op.axes.index(axis)
        at.append(np.arange(length).reshape((length,) + (1,) * behind))
    return at


# --- random graphs ---------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Case:
    """A function to be, with two sets of arguments and what its shared variables start with."""

    inputs: Sequence[Variable]
    calls: Sequence[Sequence[np.ndarray]]
    shared: Sequence[SharedVariable]
    outputs: Sequence[Variable]
    updates: Sequence[tuple[SharedVariable, Variable]]


class Pool:
    """Variables to build on, each with an array of its shape: its value at the first call."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.known: dict[Variable, np.ndarray] = {}
        #: What is drawn from: floats that stay of the order of 1.
        self.floats: list[Variable] = []

    def add(self, variable: Variable, value: np.ndarray | None = None) -> Variable:
        """Take in a variable; it is computed unless its value is given."""
        if value is None:
            (value,) = evaluate([variable], self.known)
        self.known[variable] = value
        if variable.dtype == "float64":
            self.floats.append(variable)
        return variable

    def shape(self, variable: Variable) -> tuple[int, ...]:
        """Return the shape of a variable of the pool."""
        return self.known[variable].shape

    def number(self, high: int) -> int:
        """Draw an integer from 0 to `high`."""
        return int(self.draw(st.integers(0, high)))

    def choose(self, choices: Sequence[Any]) -> Any:
        """Draw one of `choices`."""
        return choices[self.number(len(choices) - 1)]

    def pick(self, fits: Callable[[tuple[int, ...]], bool] = lambda _: True) -> Variable:
        """Draw a float variable whose shape fits, a lately made one rather; raise Unfit if none."""
        found = [v for v in reversed(self.floats) if fits(self.shape(v))]
        if not found:
            raise Unfit
        return found[self.number(len(found) - 1)]

    def axes(self, ndim: int) -> tuple[int, ...]:
        """Draw some of `ndim` axes."""
        chosen = self.number(2**ndim - 1)
        return tuple(axis for axis in range(ndim) if not chosen >> axis & 1)


class Unfit(Exception):
    """Nothing in the pool has the shape that an operation needs."""


def _one(pool: Pool) -> Variable:
    functions = [T.tanh, T.neg, T.sigmoid, T.abs, T.softplus, lambda x: T.exp(T.tanh(x))]
    return pool.choose([*functions, lambda x: T.maximum(x, 0) * 0.5])(pool.pick())


def _two(pool: Pool) -> Variable:
    x = pool.pick()
    shape = pool.shape(x)
    y = pool.pick(lambda s: s in (shape, shape[1:], shape[2:], ()))
    combine = [T.add, T.sub, T.mul, T.maximum, lambda a, b: a / (1 + T.sqr(b))]
    first, second = pool.choose([(x, y), (y, x)])
    return pool.choose(combine)(first, second)


def _reduced(pool: Pool) -> Variable:
    x = pool.pick()
    axes = pool.axes(x.ndim)
    folds = [T.sum, T.mean, lambda v, **k: T.prod(T.tanh(v), **k)]
    if all(pool.shape(x)[a] for a in axes):
        folds += [T.max, T.min]
    elif 0 in pool.shape(x):
        folds.remove(T.mean)
    return pool.choose(folds)(x, axis=axes, keepdims=bool(pool.number(1)))


def _centred(pool: Pool) -> Variable:
    x = pool.pick(lambda s: 0 not in s)
    fold = pool.choose([T.sum, T.mean, T.max])(x, axis=pool.axes(x.ndim), keepdims=True)
    return pool.choose([T.sub, T.mul])(x, fold)


def _softmax(pool: Pool) -> Variable:
    x = pool.pick(lambda s: bool(s) and s[-1] > 0)
    return pool.choose([T.softmax, lambda v: T.log_softmax(v) * 0.5])(x)


def _product(pool: Pool) -> Variable:
    x = pool.pick(lambda s: len(s) in (1, 2))
    y = pool.pick(lambda s: len(s) in (1, 2) and s[0] == pool.shape(x)[-1])
    return pool.choose([T.tanh, lambda v: v])(T.dot(x, y))


def _layer(pool: Pool) -> Variable:
    """A product whose epilogue reads other values of its shape, perhaps products."""
    x = pool.pick(lambda s: len(s) == 2)
    w = pool.pick(lambda s: len(s) == 2 and s[0] == pool.shape(x)[1])
    z = pool.add(T.dot(x, w))
    shape = pool.shape(z)
    y = pool.pick(lambda s: s in (shape, shape[::-1], shape[1:]))
    turned = pool.shape(y) != shape and y.ndim == 2
    if pool.shape(y) == shape[::-1]:
        turned = turned or bool(pool.number(1))
    return T.tanh(z + (y.T if turned else y))


def _gram(pool: Pool) -> Variable:
    x = pool.pick(lambda s: len(s) == 2)
    return T.tanh(pool.choose([lambda v: T.dot(v, v.T), lambda v: T.dot(v.T, v)])(x))


def _shuffled(pool: Pool) -> Variable:
    x = pool.pick(lambda s: len(s) < 4)
    order: list[Any] = list(pool.draw(st.permutations(range(x.ndim))))
    if pool.number(1):
        order.insert(pool.number(len(order)), "x")
    return T.dimshuffle(x, order)


def _reshaped(pool: Pool) -> Variable:
    x = pool.pick()
    shape = pool.shape(x)
    shapes = [(math.prod(shape),), shape[::-1], (1, *shape)[:4] if len(shape) < 4 else shape]
    if shape:
        shapes += [(shape[0], math.prod(shape[1:])), (math.prod(shape[:-1]), shape[-1])]
    return T.reshape(x, pool.choose(shapes))


def _sliced(pool: Pool, symbolic: Variable) -> Variable:
    x = pool.pick(lambda s: bool(s))
    keys: list[Any] = []
    for length in pool.shape(x):
        choices: list[Any] = [slice(None), slice(1, None), slice(None, None, -1), slice(0, 5, 2)]
        keys.append(pool.choose([*choices, symbolic, -1] if length > 1 else choices))
    return x[tuple(keys)]


def _gathered(pool: Pool, rows: Variable, leaf: Variable) -> Variable:
    """Take rows; `rows` counts from -2 to 1."""
    x = pool.pick(lambda s: bool(s) and s[0] > 1)
    if x.ndim == 1 or pool.shape(x)[1] < 2:
        return x[rows]
    found = T.argmax(leaf, axis=1) % 2
    keys = [rows, found, (slice(None), rows), (rows, rows), (rows, slice(None, None, -1))]
    return x[pool.choose([*keys, (T.arange(x.shape[0]), T.arange(x.shape[0]) % 2)])]


def _joined(pool: Pool) -> Variable:
    x = pool.pick(lambda s: bool(s))
    shape = pool.shape(x)
    axis = pool.number(x.ndim - 1)
    rest = (*shape[:axis], *shape[axis + 1 :])
    y = pool.pick(lambda s: len(s) == len(shape) and (*s[:axis], *s[axis + 1 :]) == rest)
    return T.concatenate([x, y], axis)


def _replaced(pool: Pool) -> Variable:
    x = pool.pick(lambda s: bool(s))
    view = x[pool.choose([slice(1, None), slice(None, 1), slice(None, None, 2), slice(None)])]
    return pool.choose([T.set_subtensor, T.inc_subtensor])(view, pool.pick(lambda s: s == ()))


def _stretched(pool: Pool) -> Variable:
    x = pool.pick(lambda s: len(s) < 3 and math.prod(s) < 40)
    if x.ndim and pool.number(1):
        return T.repeat(x, 2, pool.number(x.ndim - 1))
    return T.broadcast_to(x, (2, *pool.shape(x)))


def _placed(pool: Pool) -> Variable:
    x = pool.pick(lambda s: bool(s))
    return x + T.arange(x.shape[-1]) / (x.shape[0] + 1)


def _summed_up(pool: Pool) -> Variable:
    x = pool.pick(lambda s: bool(s))
    return T.tanh(T.cumsum(x, pool.choose([None, *range(x.ndim)])))


def _repeated(pool: Pool, parameter: Variable) -> Variable:
    """A loop over the rows of a value, which also reads what is the same in all turns."""
    x = pool.pick(lambda s: len(s) in (1, 2) and 0 not in s)

    def turn(row: Variable, state: Variable) -> Variable:
        return T.tanh(row - state + parameter)

    states, _ = scan(turn, x, T.tanh(T.mean(x, axis=0)), go_backwards=bool(pool.number(1)))
    return states if pool.number(1) else states[-1]


def _slope(pool: Pool, parameters: Sequence[Variable]) -> Variable:
    x = pool.pick()
    below = [p for p in parameters if p in topological([x])]
    if not below:
        raise Unfit
    return T.tanh(grad(T.sum(T.sqr(T.tanh(x))), pool.choose(below)))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a function: a few operations on inputs and shared variables, outputs and updates."""
    pool = Pool(draw)
    rng = np.random.default_rng(pool.number(2**16))
    # Equal lengths let most operations fit.
    small = [(3, 3, 3), (3, 2, 3), (2, 3, 2), (4, 3, 3), (1, 3, 1), (0, 2, 3)]
    # Wider than the vectors that processors compute with.
    n, k, m = pool.choose([*small, (17, 17, 17), (3, 18, 18), (19, 33, 17)])
    shapes = [(k, m), (k, k), (k,), (), (k, m), (n, k)]
    parameters = [shared(rng.normal(size=s), f"p{i}") for i, s in enumerate(shapes)]
    counter = shared(np.int64(3), "counter")
    types = [("float64", 2), ("uint8", 2), ("int64", 1), ("float64", 0), ("int64", 0)]
    x, image, rows, rate, number = inputs = [
        Variable(TensorType(dtype, (False,) * ndim), name=f"x{i}")
        for i, (dtype, ndim) in enumerate(types)
    ]
    calls = [
        [
            rng.normal(size=(n, k)),
            rng.integers(0, 256, (n, k), dtype=np.uint8),
            rng.integers(-2, 2, pool.choose([3, 2, 1, 0]) if i == 0 else 0),
            np.float64(rng.normal()),
            np.int64(rng.integers(0, 2)),
        ]
        for i in range(2)
    ]
    calls[1][2] = rng.integers(-2, 2, calls[0][2].shape)
    for variable, value in zip(inputs, calls[0], strict=True):
        pool.add(variable, value)
    for variable in parameters:
        pool.add(variable, variable.get_value())
    pool.add(counter, counter.get_value())
    pool.add(T.cast(image, "float64") / 256)
    pool.add(rate * 2 + 1 / (number + 2))
    operations: list[Callable[[Pool], Variable]] = [
        _product, _layer, _layer, _gram, _one, _two, _two, _reduced, _centred, _softmax, _shuffled,
        _reshaped, _joined, _replaced, _stretched, _placed, _summed_up,
        lambda p: _repeated(p, parameters[3]),
        lambda p: _sliced(p, number),
        lambda p: _gathered(p, rows, x),
        lambda p: _slope(p, parameters),
    ]  # fmt: skip
    for _ in range(4 + pool.number(10)):
        with suppress(Unfit):
            pool.add(pool.choose(operations)(pool))
    whole = [rows, counter, number, T.argmax(image + 0 * rows.sum(), axis=1)]
    outputs = [
        pool.choose(whole) if pool.number(5) == 5 else pool.pick() for _ in range(pool.number(3))
    ]
    updates = [(p, _new_value(pool, p, parameters)) for p in parameters if pool.number(2)]
    if pool.number(1):
        updates.append((counter, counter + pool.choose([1, number, rows.sum()])))
    return Case(inputs, calls, [*parameters, counter], outputs, updates)


def _new_value(pool: Pool, old: Variable, others: Sequence[Variable]) -> Variable:
    """Draw a value of the shape of `old`."""
    shape = pool.shape(old)
    kind = pool.number(3)
    if kind == 0:
        return pool.choose([v for v in others if pool.shape(v) == shape])
    new = pool.pick()
    if pool.shape(new) != shape:
        same_size = math.prod(pool.shape(new)) == math.prod(shape)
        new = T.reshape(new, shape) if same_size else old * T.sum(new)
    return new if kind < 3 else old - 0.1 * new


def check(case: Case) -> None:
    """Assert that both ways to lower give what the expression as written gives, call by call."""
    start = [v.get_value() for v in case.shared]
    roots = [*case.outputs, *(new for _, new in case.updates)]
    state = dict(zip(case.shared, start, strict=True))
    expected = []
    for call in case.calls:
        values = evaluate(roots, {**state, **dict(zip(case.inputs, call, strict=True))})
        state.update(zip((s for s, _ in case.updates), values[len(case.outputs) :], strict=True))
        expected.append(values[: len(case.outputs)])
    for fuse in (True, False):
        for variable, value in zip(case.shared, start, strict=True):
            variable.set_value(value)
        run = function(
            case.inputs,
            case.outputs,
            case.updates,
            device=ReferenceDevice(),
            slots=2,
            on_unused_input="ignore",
            options=CompileOptions(fuse=fuse),
        )
        for call in case.calls:
            run.enqueue(*call)
        for plan in run.plans:
            check_plan(plan)
        found = run.collect()
        for number, values in enumerate(expected):
            for output, value in zip(found, values, strict=True):
                np.testing.assert_allclose(output[number], value, rtol=1e-9, atol=1e-9)
        for variable in case.shared:
            np.testing.assert_allclose(variable.get_value(), state[variable], rtol=1e-9, atol=1e-9)


@settings(
    max_examples=500,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(cases())
def test_random_graphs_give_what_they_say(case: Case) -> None:
    check(case)

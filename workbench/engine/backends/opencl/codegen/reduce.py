"""Reductions as serial loops.

Responsible for folding in a fixed order with little rounding; knows nothing of how reductions are
shared out among work-items.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import attrs

from workbench.engine.backends.opencl.codegen.ctypes import highest, lowest
from workbench.engine.backends.opencl.codegen.emitter import Emitter, IndexTuple, Value
from workbench.engine.backends.opencl.codegen.index import Index, flatten, named
from workbench.engine.graph.op import Reduction
from workbench.engine.graph.types import C_TYPES
from workbench.engine.lower.node import Node

#: Longer sums are made of sums of this many, so that rounding errors stay small.
BLOCK = 256
#: Loops of so few turns are unrolled: compilers make vectors of the loop around them then.
WINDOW = 5


@attrs.frozen
class Range:
    """What a folded axis runs over.

    Parameters
    ----------
    start, end
        C expressions; the latter is not reached.
    low, high
        Bounds of the counter, both inclusive.
    trips
        About how many elements there are.
    is_short
        Whether they are known to be at most `BLOCK`, whatever the batch.
    depth
        The loop level at which `start` and `end` are known.
    """

    start: str
    end: str
    low: int
    high: int
    trips: int
    is_short: bool = False
    depth: int = 0


#: How to combine an accumulator ``{0}`` with an element ``{1}``.
_STEPS = {
    "sum": "{0} += {1};",
    "prod": "{0} *= {1};",
    "max": "{0} = {1} > {0} || {1} != {1} ? {1} : {0};",
    "min": "{0} = {1} < {0} || {1} != {1} ? {1} : {0};",
    "any": "{0} |= {1} != 0;",
    "all": "{0} &= {1} != 0;",
}


def neutral(fold: str, dtype: str) -> str:
    """Return the C literal that a fold starts from."""
    if fold in ("max", "argmax"):
        return lowest(dtype)
    if fold in ("min", "argmin"):
        return highest(dtype)
    return "1" if fold in ("prod", "all") else "0"


def reduce(emitter: Emitter, node: Node, index: IndexTuple) -> Value:
    """Emit the whole fold at the loop level on which its place depends; return its value."""
    op = node.op
    assert isinstance(op, Reduction)
    (source,) = node.inputs
    ranges = [whole_axis(emitter, axis, source.shape[axis]) for axis in op.axes]
    return fold(emitter, node, index, ranges)


def fold(emitter: Emitter, node: Node, index: IndexTuple, ranges: Sequence[Range]) -> Value:
    """Emit a fold over given ranges of the folded axes."""
    depths = [*(i.depth for i in index), *(r.depth for r in ranges)]
    depth = max(depths, default=0)
    with emitter.at_depth(depth):
        op = node.op
        assert isinstance(op, Reduction)
        if op.fold in ("argmax", "argmin"):
            return _position(emitter, node, index, ranges)
        result = emitter.name()
        start = neutral(op.fold, node.dtype)
        emitter.line(f"{C_TYPES[node.dtype]} {result} = {start};")
        _levels(emitter, node, index, ranges, result)
        return Value(result, depth)


def combine(node: Node, target: str, part: str) -> str:
    """Return the statement that folds one more part into an accumulator."""
    op = node.op
    assert isinstance(op, Reduction)
    return _STEPS[op.fold].format(target, part)


def whole_axis(emitter: Emitter, axis: int, length: int) -> Range:
    """Return the range of all elements along an axis."""
    # The leading axis is mostly the batch: another length must not make another kernel.
    end = emitter.arguments.extent(length) if axis == 0 else str(length)
    return Range("0", end, 0, length - 1, length, is_short=axis > 0 and length <= BLOCK)


def _levels(
    emitter: Emitter, node: Node, index: IndexTuple, ranges: Sequence[Range], result: str
) -> None:
    """Emit one loop for each range, in blocks where it is long, around the folding statement."""
    op = node.op
    assert isinstance(op, Reduction)
    blocked = op.fold in ("sum", "prod")

    def level(counters: tuple[Index, ...], target: str) -> None:
        if len(counters) == len(ranges):
            element = emitter.value(node.inputs[0], _source_index(node, index, counters))
            emitter.work += emitter.path[-1].trips
            emitter.line(combine(node, target, in_type_of(node, element)))
            return
        over = ranges[len(counters)]
        if over.is_short or not blocked:
            if over.is_short and len(ranges) == 1:
                _keep_if_dear(emitter, node, index, over)
            with _loop(emitter, over) as counter:
                level((*counters, counter), target)
            return
        _in_blocks(emitter, node, over, target, lambda c, part: level((*counters, c), part))

    level((), result)


def _keep_if_dear(emitter: Emitter, node: Node, index: IndexTuple, over: Range) -> None:
    """Compute the elements of a short fold beforehand where they are dear.

    That loop can be made of vector instructions, which a sum in a fixed order cannot; and whatever
    needs the elements again finds them.
    """
    op, source = node.op, node.inputs[0]
    assert isinstance(op, Reduction)
    (axis,) = op.axes
    anywhere = _source_index(node, index, [named("", emitter.depth + 1, over.low, over.high)])
    if not (emitter.keep_rows and emitter.is_dear(source, anywhere)):
        return
    array = emitter.name()
    emitter.line(f"{C_TYPES[source.dtype]} {array}[{over.trips}];")
    with _loop(emitter, over) as counter:
        at = _source_index(node, index, [counter])
        emitter.line(f"{array}[{counter.text}] = {emitter.value(source, at).text};")
    emitter.keep_row(source, axis, anywhere, array)


def _loop(emitter: Emitter, over: Range) -> AbstractContextManager[Index]:
    trips = max(over.trips, 1)
    is_window = over.is_short and trips <= WINDOW
    return emitter.loop(over.start, over.end, over.low, over.high, trips=trips, unroll=is_window)


def _in_blocks(
    emitter: Emitter, node: Node, over: Range, target: str, inner: Callable[[Index, str], None]
) -> None:
    op = node.op
    assert isinstance(op, Reduction)
    blocks = max(1, -(-over.trips // BLOCK))
    step, integer = str(BLOCK), emitter.arguments.integer
    with emitter.loop(over.start, over.end, over.low, over.high, step, blocks) as first:
        part = emitter.name()
        emitter.line(f"{C_TYPES[node.dtype]} {part} = {neutral(op.fold, node.dtype)};")
        end = f"min({first.text} + {BLOCK}, ({integer}){over.end})"
        last = emitter.integer(end, over.low, over.high + 1)
        inside = emitter.loop(
            first.text, last.text, over.low, over.high, trips=max(1, over.trips // blocks)
        )
        with inside as counter:
            inner(counter, part)
        emitter.line(combine(node, target, part))


def in_type_of(node: Node, element: Value) -> str:
    """Return the element in the type in which `node` folds it."""
    if node.inputs[0].dtype == node.dtype or node.dtype == "bool":
        return element.text
    return f"({C_TYPES[node.dtype]}){element.text}"


def _position(emitter: Emitter, node: Node, index: IndexTuple, ranges: Sequence[Range]) -> Value:
    """Emit the search for the first extreme; a NaN is more extreme than any number."""
    op = node.op
    assert isinstance(op, Reduction)
    (source,) = node.inputs
    best, found = emitter.name(), emitter.name()
    emitter.line(f"{C_TYPES[source.dtype]} {best} = {neutral(op.fold, source.dtype)};")
    emitter.line(f"{C_TYPES[node.dtype]} {found} = 0;")
    sign = ">" if op.fold == "argmax" else "<"

    def level(counters: tuple[Index, ...]) -> None:
        if len(counters) < len(ranges):
            over = ranges[len(counters)]
            with _loop(emitter, over) as counter:
                level((*counters, counter))
            return
        x = emitter.value(source, _source_index(node, index, counters)).text
        emitter.work += emitter.path[-1].trips
        at = flatten(counters, [source.shape[axis] for axis in op.axes])
        # A work-item's own copy of the condition: both statements must see the same.
        emitter.line(f"const int better = {x} {sign} {best} || ({x} != {x} && {best} == {best});")
        emitter.line(f"{best} = better ? {x} : {best};")
        emitter.line(f"{found} = better ? {at.text} : {found};")

    level(())
    return Value(found, emitter.depth)


def _source_index(node: Node, index: IndexTuple, counters: Sequence[Index]) -> IndexTuple:
    op = node.op
    assert isinstance(op, Reduction)
    folded = dict(zip(op.axes, counters, strict=True))
    outer = iter(index)
    source: list[Index] = []
    for axis in range(node.inputs[0].ndim):
        if axis in folded and op.keepdims:
            next(outer)
        source.append(folded[axis] if axis in folded else next(outer))
    return tuple(source)

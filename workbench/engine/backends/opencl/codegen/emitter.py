"""Expressions as OpenCL C statements, each at the outermost loop level that it can stand at.

Responsible for evaluating nodes at symbolic indices: what does not depend on an inner loop is
computed outside of it, and each (node, index) once in a scope. Knows nothing of steps, of how their
loops are laid out or of devices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
import numpy as np

from workbench.engine.backends.opencl.codegen.arguments import Arguments
from workbench.engine.backends.opencl.codegen.ctypes import literal
from workbench.engine.backends.opencl.codegen.index import UNKNOWN, Index, as_index, flatten, named
from workbench.engine.backends.opencl.codegen.table import Table, Term
from workbench.engine.graph.op import Elementwise, Generated, Movement, Piecewise, Reduction
from workbench.engine.graph.types import C_TYPES
from workbench.engine.lower.node import HostScalar, Literal, Load, Node
from workbench.engine.lower.reach import counts

IndexTuple = tuple[Index, ...]
Key = tuple[int, IndexTuple]
#: Values of at least this cost are kept where they would be computed several times.
DEAR = 8
#: A node, one of its axes, and the index along the others.
RowKey = tuple[int, int, IndexTuple]


@attrs.frozen
class Value:
    """A C name or literal, and the innermost loop level on which it depends."""

    text: str
    depth: int


@attrs.define
class Scope:
    """The statements of one loop body in the making.

    Parameters
    ----------
    trips
        About how often the body runs within one work-item, outer loops included.
    lines
        The statements.
    values
        What has been computed, by node and index.
    rows
        Arrays that hold what has been computed all along an axis.
    """

    trips: int
    lines: list[str] = attrs.Factory(list)
    values: dict[Key, Value] = attrs.Factory(dict)
    rows: dict[RowKey, str] = attrs.Factory(dict)


class Emitter:
    """Writes the body of one kernel.

    Parameters
    ----------
    arguments
        The kernel's arguments, which grow with what is read.
    reduce
        Emits a reduction at an index; a family of its own.
    keep_rows
        Whether a work-item has memory of its own for a short row of values.
    """

    def __init__(
        self,
        arguments: Arguments,
        reduce: Callable[[Emitter, Node, IndexTuple], Value],
        *,
        keep_rows: bool = False,
    ) -> None:
        self.arguments = arguments
        self.path = [Scope(1)]
        #: About how many additions one work-item makes.
        self.work = 0
        #: Every buffer read, with the address, for those who choose the order of loops.
        self.addresses: list[Index] = []
        self.keep_rows = keep_rows
        self._table: Table | None = None
        self._reduce = reduce
        self._names = 0

    @property
    def depth(self) -> int:
        """The level of the present loop body."""
        return len(self.path) - 1

    @property
    def body(self) -> list[str]:
        """The statements of the outermost scope."""
        return self.path[0].lines

    def line(self, text: str) -> None:
        """Append a statement to the present loop body."""
        self.path[-1].lines.append(text)

    def name(self, letter: str = "v") -> str:
        """Return a name that is not taken yet."""
        self._names += 1
        return f"{letter}{self._names - 1}"

    def define(self, ctype: str, expression: str, depth: int, cost: int = 1) -> Value:
        """Give an expression a name at a loop level."""
        scope = self.path[depth]
        self.work += cost * scope.trips
        name = self.name()
        scope.lines.append(f"const {ctype} {name} = {expression};")
        return Value(name, depth)

    @contextmanager
    def block(self, head: str, trips: int = 1) -> Iterator[None]:
        """Open a loop (or any block) in the present body and close it at the end."""
        scope = Scope(self.path[-1].trips * max(trips, 1))
        outer = self.path[-1]
        self.path.append(scope)
        yield
        self.path.pop()
        inside = [f"  {line}" for line in scope.lines]
        outer.lines += [f"{head} {{", *inside, "}"] if inside else []

    @contextmanager
    def loop(
        self,
        start: str,
        end: str,
        low: int,
        high: int,
        step: str = "",
        trips: int = 0,
        *,
        unroll: bool = False,
    ) -> Iterator[Index]:
        """Open a counting loop; its counter runs from `low` to `high` (inclusive) at most."""
        name = self.name("i")
        advance = f"{name} += {step}" if step else f"++{name}"
        head = f"for ({self.arguments.integer} {name} = {start}; {name} < {end}; {advance})"
        with self.block(f'_Pragma("unroll") {head}' if unroll else head, trips or high - low + 1):
            yield named(name, self.depth, low, max(low, high))

    @contextmanager
    def at_depth(self, depth: int) -> Iterator[None]:
        """Write to an outer loop body for a while."""
        saved, self.path = self.path, self.path[: depth + 1]
        yield
        self.path = saved

    def integer(self, expression: str, low: int, high: int) -> Index:
        """Give an integer expression a name in the present body, and return it as an index."""
        value = self.define(self.arguments.integer, expression, self.depth)
        return named(value.text, value.depth, low, max(low, high))

    def bind(self, node: Node, index: IndexTuple, value: Value) -> None:
        """Let `value` be the node's value at `index` while the present body is open."""
        self.path[-1].values[id(node), index] = value

    def keep_row(self, node: Node, axis: int, index: IndexTuple, array: str) -> None:
        """Let `array` hold the node's values along `axis` while the present body is open."""
        self.path[-1].rows[_row_key(node, axis, index)] = array

    def _kept(self, node: Node, index: IndexTuple) -> str | None:
        """Return the element of an array that holds the node's value at `index`, if there is."""
        for scope in self.path:
            if scope.rows:
                for axis, component in enumerate(index):
                    array = scope.rows.get(_row_key(node, axis, index))
                    if array is not None:
                        return f"{array}[{_bare(component)}]"
        return None

    def is_dear(self, node: Node, index: IndexTuple) -> bool:
        """Whether computing the node's value at `index` takes more than a few additions."""
        computed = self._pending(node, index)
        return any(isinstance(n.op, Elementwise) and n.op.cost >= DEAR for n in computed)

    def store(self, buffer: int, index: IndexTuple, value: Value) -> None:
        """Write an element of a buffer at the end of the present body."""
        address = flatten(index, self.arguments.buffers[buffer].shape)
        self.arguments.buffer(buffer, write=True)
        self.line(f"{self.element(buffer, address)} = {value.text};")

    def element(self, buffer: int, address: Index) -> str:
        """Return the C name of a buffer's element.

        How far rows lie apart is passed as an argument, so that one kernel serves all widths.
        """
        pointer = self.arguments.buffer(buffer)
        return f"{pointer}[{self._sum(address, buffer)}]"

    def tabled(self, index: Index) -> str:
        """Return C text for `index`, parts of it from the present table."""
        return f"({self._sum(index)})"

    def _sum(self, index: Index, buffer: int | None = None) -> str:
        """Return the sum of an index's parts: an address in a buffer, or a plain number."""
        held = self._table.held(index.terms) if self._table is not None else []
        parts = [self._found(buffer, held)] if held else []
        parts += [self._part(buffer, term) for term in index.terms if term not in held]
        if index.const or not parts:
            parts.append(str(index.const))
        return " + ".join(parts)

    def _part(self, buffer: int | None, term: Term) -> str:
        atom, c = term
        if c == 1:
            return atom.text
        return f"{atom.text} * {c if buffer is None else self.arguments.stride(buffer, c)}"

    def _found(self, buffer: int | None, held: Sequence[Term]) -> str:
        """Return the table's element that holds these parts of an address."""
        table, integer = self._table, self.arguments.integer
        assert table is not None
        text = " + ".join(self._part(buffer, term) for term in held)
        i = table.counter
        if text not in table.names:
            name = table.names[text] = self.name("t")
            with self.at_depth(table.depth):
                self.line(f"{integer} {name}[{table.size}];")
                with self.block(f"for ({integer} {i} = {table.start}; {i} < {table.end}; ++{i})"):
                    self.line(f"{name}[{i} - {table.start}] = {text};")
        return f"{table.names[text]}[{i} - {table.start}]"

    @contextmanager
    def tabulated(
        self, counter: Index, start: str, end: str, size: int, outwards: int
    ) -> Iterator[None]:
        """Find elements along the present loop in a table made `outwards` loops further out.

        Parameters
        ----------
        counter, start, end
            The loop's counter, where it begins, and what it does not reach.
        size
            How often it runs at most.
        """
        self._table = Table(counter.text, start, end, size, self.depth - outwards)
        yield
        self._table = None

    def value(self, node: Node, index: IndexTuple) -> Value:
        """Return the node's value at `index`, computing it where it is not known yet."""
        for current in self._pending(node, index):
            at = index if current.ndim else ()
            if self._known(current, at) is None:
                value = self._compute(current, at)
                self.path[value.depth].values[id(current), at] = value
        found = self._known(node, index)
        assert found is not None
        return found

    def _known(self, node: Node, index: IndexTuple) -> Value | None:
        key = (id(node), index)
        return next((s.values[key] for s in self.path if key in s.values), None)

    def _pending(self, root: Node, index: IndexTuple) -> list[Node]:
        """Return the elementwise nodes below `root` and what they start from, inputs first.

        They are all evaluated at one index, so that long chains need no deep recursion.
        """
        order: list[Node] = []
        seen: set[int] = set()
        stack = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                order.append(node)
            elif id(node) not in seen and self._known(node, index if node.ndim else ()) is None:
                seen.add(id(node))
                stack.append((node, True))
                at = index if node.ndim else ()
                if isinstance(node.op, Elementwise) and self._kept(node, at) is None:
                    stack.extend((child, False) for child in reversed(node.inputs))
        return order

    def _compute(self, node: Node, index: IndexTuple) -> Value:
        op = node.op
        if isinstance(op, Literal):
            return Value(literal(op.value), 0)
        if isinstance(op, HostScalar):
            return Value(self.arguments.scalar(op.number, node.dtype), 0)
        if node.size == 0:
            # Only what was moved out of a loop that never runs can ask for it.
            return Value(literal(np.dtype(node.dtype).type(0)), 0)
        kept = self._kept(node, index)
        if kept is not None:
            return self.define(C_TYPES[node.dtype], kept, max(i.depth for i in index))
        if isinstance(op, Load):
            address = flatten(index, node.shape)
            self.addresses.append(address)
            text = self.element(op.buffer, address)
            return self.define(C_TYPES[node.dtype], text, address.depth)
        if isinstance(op, Elementwise):
            inputs = [self.value(n, index if n.ndim else ()) for n in node.inputs]
            return self._expression(node, op.cl(_dtypes(node), *_texts(inputs)), inputs, op.cost)
        if isinstance(op, Generated):
            inputs = [self.value(n, ()) for n in node.inputs]
            components = [i.text for i in index]
            text = op.cl_at(components, node.shape, _dtypes(node), _texts(inputs))
            return self._expression(node, text, [*inputs, *(Value("", i.depth) for i in index)])
        if isinstance(op, Movement):
            shapes = [n.shape for n in node.inputs]
            source = op.source_index(index, shapes, node.shape, self.reader(node))
            return self.value(node.inputs[0], self._inside(source, node.inputs[0]))
        if isinstance(op, Piecewise):
            return self._choose(node, op, index)
        assert isinstance(op, Reduction), f"{op.name} cannot stand inside a kernel"
        return self._reduce(self, node, index)

    def _expression(self, node: Node, text: str, inputs: Sequence[Value], cost: int = 1) -> Value:
        depth = max((v.depth for v in inputs), default=0)
        return self.define(C_TYPES[node.dtype], text, depth, cost)

    def reader(self, node: Node) -> Callable[[int, tuple[Any, ...]], Index]:
        """Return the function by which an operation on indices reads an integer input."""

        def read(position: int, index: tuple[Any, ...]) -> Index:
            source = node.inputs[position]
            if isinstance(source.op, Literal):
                return as_index(int(source.op.value))
            if counts(source):
                return as_index(index[0])
            value = self.value(source, tuple(as_index(i) for i in index))
            integer = self.arguments.integer
            cast = "" if C_TYPES[source.dtype] == integer else f"({integer})"
            limits = np.iinfo(source.dtype)
            low, high = max(limits.min, -UNKNOWN), min(limits.max, UNKNOWN)
            return named(f"{cast}{value.text}", value.depth, int(low), int(high))

        return read

    def _inside(self, index: Sequence[Any], source: Node) -> IndexTuple:
        """Return the index with every component that might lie outside of the source limited."""
        components = []
        for axis, (raw, length) in enumerate(zip(index, source.shape, strict=True)):
            component = as_index(raw)
            if not component.within(length):
                last = max(length - 1, 0)
                # The number of rows is no part of the text, so that more data need no new kernel.
                end = last if axis else self.arguments.extent(last)
                # Not clamp(), which stays a call on PoCL and keeps loops from becoming vectors.
                at = _bare(component)
                text = f"{at} < 0 ? 0 : {at} > {end} ? {end} : {at}"
                limited = self.define(self.arguments.integer, text, component.depth)
                component = named(limited.text, limited.depth, 0, last)
            components.append(component)
        return tuple(components)

    def _choose(self, node: Node, op: Piecewise, index: IndexTuple) -> Value:
        """Evaluate every candidate at an index limited to its input, then select."""
        shapes = [n.shape for n in node.inputs]
        pieces = op.pieces(index, shapes, node.shape, self.reader(node))
        # One without elements never applies, and one of the others always does.
        filled = [piece for piece in pieces if node.inputs[piece[1]].size]
        chosen: Value | None = None
        for bounds, position, source in reversed(filled):
            candidate = node.inputs[position]
            value = self.value(candidate, self._inside(source, candidate))
            if chosen is None:
                chosen = value
                continue
            limits = [tuple(map(as_index, bound)) for bound in bounds]
            text = " && ".join(
                f"{low.text} <= {i.text} && {i.text} < {high.text}" for low, i, high in limits
            )
            depends = [Value("", i.depth) for bound in limits for i in bound]
            text = f"({text}) ? {value.text} : {chosen.text}"
            chosen = self._expression(node, text, [value, chosen, *depends])
        assert chosen is not None
        return chosen


def _row_key(node: Node, axis: int, index: IndexTuple) -> RowKey:
    return id(node), axis, (*index[:axis], *index[axis + 1 :])


def _dtypes(node: Node) -> list[str]:
    return [*(n.dtype for n in node.inputs), node.dtype]


def _texts(values: Sequence[Value]) -> list[str]:
    return [v.text for v in values]


def _bare(index: Index) -> str:
    """Return an index's text without parentheses around the whole of it."""
    text = index.text
    return text[1:-1] if len(index.terms) + bool(index.const) > 1 else text

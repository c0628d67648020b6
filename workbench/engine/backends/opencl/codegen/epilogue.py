"""Epilogues of products that are evaluated a vector at a time.

Responsible for telling which of them can be, and for their text; knows nothing of how the sums come
about that they begin with.

An update, parameters plus a rate times the product, loads and stores a number for each that it
computes. Compilers make vectors of such loops, but take several turns through memory for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from workbench.engine.backends.opencl.codegen.emitter import Emitter
from workbench.engine.backends.opencl.codegen.index import Index, as_index, flatten, named
from workbench.engine.graph.op import Elementwise, Movement
from workbench.engine.graph.types import C_TYPES
from workbench.engine.lower.node import Load, Node, walk
from workbench.engine.lower.plan import Store

#: Operations that C writes alike for vectors, for numbers and for one of each.
_ALIKE = ("add", "sub", "mul", "relu", "relu_slope")
#: Movements that leave the columns of a row where they are.
_STILL = ("dimshuffle", "stretch")


@attrs.frozen
class VectorEpilogue:
    """What becomes of a product's elements, where whole vectors of them lie side by side in memory.

    Parameters
    ----------
    emitter
        Takes the statements.
    product
        The node of the product.
    stores
        What is stored of it.
    lanes
        How many numbers a vector has.
    """

    emitter: Emitter
    product: Node
    stores: Sequence[Store]
    lanes: int

    @property
    def is_possible(self) -> bool:
        """Whether there is nothing in it but arithmetic on the product and on what lies like it."""
        return (
            bool(self.stores)
            and self.product.shape[1] % self.lanes == 0
            and all(self._begins_well(store.buffer) for store in self.stores)
            and all(map(self._is_vector, self._matrices()))
        )

    def emit(self, row: Index, column: Index, sums: str) -> None:
        """Store a vector of each result.

        Parameters
        ----------
        row, column
            Where the vector's first element is in the product.
        sums
            The product there.
        """
        e = self.emitter
        names = {id(self.product): sums}
        for node in self._matrices():
            source = self._source(node, (row, column))
            if source is not None:
                names[id(node)] = self._named(self._place(*source))
            elif isinstance(node.op, Elementwise):
                inputs = [names[id(n)] if n.ndim else e.value(n, ()).text for n in node.inputs]
                dtypes = [*(n.dtype for n in node.inputs), node.dtype]
                names[id(node)] = self._named(node.op.cl(dtypes, *inputs))
        # Behind all loads, as one result may take the place of what another is made of.
        for store in self.stores:
            address = flatten((row, column), self.product.shape)
            place = self._place(store.buffer, address, write=True)
            e.line(f"{place} = {names[id(store.value)]};")

    def _matrices(self) -> list[Node]:
        """Return the product and all that is computed of it, with what else that is made of."""
        values = [store.value for store in self.stores]
        moved = {id(node) for node in walk(values) if isinstance(node.op, Movement)}
        return [node for node in walk(values, moved | {id(self.product)}) if node.ndim]

    def _is_vector(self, node: Node) -> bool:
        """Whether a vector of a matrix is an expression, or lies together in memory."""
        if node.shape != self.product.shape or node.dtype != self.product.dtype:
            return False
        if isinstance(node.op, Elementwise):
            return node.op.name in _ALIKE and all(n.dtype == node.dtype for n in node.inputs)
        return node is self.product or self._lies_in_vectors(node)

    def _lies_in_vectors(self, node: Node) -> bool:
        """Whether elements side by side in a row are so in memory, and begin where a vector may."""
        m, n = node.shape
        column = named("column", 0, 0, n - 1)
        found = self._source(node, (named("row", 0, 0, m - 1), column))
        if found is None or not self._begins_well(found[0]):
            return False
        rest = found[1] - column
        return not rest.const % self.lanes and not any(
            atom == column.terms[0][0] or c % self.lanes for atom, c in rest.terms
        )

    def _begins_well(self, buffer: int) -> bool:
        """Whether a buffer is memory of its own, which begins where a vector may."""
        return self.emitter.arguments.buffers[buffer].role in ("shared", "temp")

    def _source(self, node: Node, index: tuple[Index, ...]) -> tuple[int, Index] | None:
        """Return the buffer and the address of an element that is only moved, if it is."""
        while isinstance(node.op, Movement) and node.op.name in _STILL:
            shapes, read = [n.shape for n in node.inputs], self.emitter.reader(node)
            moved = node.op.source_index(index, shapes, node.shape, read)
            node, index = node.inputs[0], tuple(map(as_index, moved))
        return (node.op.buffer, flatten(index, node.shape)) if isinstance(node.op, Load) else None

    @property
    def _vector(self) -> str:
        return f"{C_TYPES[self.product.dtype]}{self.lanes}"

    def _named(self, text: str) -> str:
        """Give a vector a name."""
        return self.emitter.define(self._vector, text, self.emitter.depth).text

    def _place(self, buffer: int, address: Index, *, write: bool = False) -> str:
        """Return the C name of the vector at an address in a buffer."""
        self.emitter.arguments.buffer(buffer, write=write)
        const = "" if write else "const "
        return f"*(__global {const}{self._vector} *)&{self.emitter.element(buffer, address)}"

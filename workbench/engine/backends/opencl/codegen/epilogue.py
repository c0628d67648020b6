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
from workbench.engine.backends.opencl.codegen.index import Index
from workbench.engine.graph.op import Elementwise
from workbench.engine.graph.types import C_TYPES
from workbench.engine.lower.node import Load, Node, walk
from workbench.engine.lower.plan import Store

#: Operations that C writes alike for vectors, for numbers and for one of each.
_ALIKE = ("add", "sub", "mul")


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
        """Whether there is nothing in it but arithmetic on matrices like the product."""
        values = [store.value for store in self.stores]
        return (
            bool(self.stores)
            and self.product.shape[1] % self.lanes == 0
            and all(self._lies_in_vectors(store.buffer) for store in self.stores)
            and all(map(self._is_vector, self._matrices(values)))
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
        values = [store.value for store in self.stores]
        for node in self._matrices(values):
            if isinstance(node.op, Load):
                names[id(node)] = self._named(self._place(node.op.buffer, row, column))
            elif isinstance(node.op, Elementwise):
                inputs = [names[id(n)] if n.ndim else e.value(n, ()).text for n in node.inputs]
                dtypes = [*(n.dtype for n in node.inputs), node.dtype]
                names[id(node)] = self._named(node.op.cl(dtypes, *inputs))
        # Behind all loads, as one result may take the place of what another is made of.
        for store in self.stores:
            place = self._place(store.buffer, row, column, write=True)
            e.line(f"{place} = {names[id(store.value)]};")

    def _matrices(self, values: Sequence[Node]) -> list[Node]:
        """Return the product and all matrices between it and some values, inputs first."""
        return [node for node in walk(values, {id(self.product)}) if node.ndim]

    def _is_vector(self, node: Node) -> bool:
        if node.shape != self.product.shape or node.dtype != self.product.dtype:
            return False
        if isinstance(node.op, Load):
            return self._lies_in_vectors(node.op.buffer)
        is_alike = isinstance(node.op, Elementwise) and node.op.name in _ALIKE
        return node is self.product or (
            is_alike and all(n.dtype == node.dtype for n in node.inputs)
        )

    def _lies_in_vectors(self, buffer: int) -> bool:
        """Whether a buffer begins where a vector may; a slot of a ring begins anywhere."""
        return self.emitter.arguments.buffers[buffer].role in ("shared", "temp")

    @property
    def _vector(self) -> str:
        return f"{C_TYPES[self.product.dtype]}{self.lanes}"

    def _named(self, text: str) -> str:
        """Give a vector a name."""
        return self.emitter.define(self._vector, text, self.emitter.depth).text

    def _place(self, buffer: int, row: Index, column: Index, *, write: bool = False) -> str:
        """Return the C name of a vector in a buffer."""
        arguments = self.emitter.arguments
        pointer = arguments.buffer(buffer, write=write)
        stride = arguments.stride(buffer, self.product.shape[1])
        const = "" if write else "const "
        first = f"{pointer} + {row.text} * {stride} + {column.text}"
        return f"*(__global {const}{self._vector} *)({first})"

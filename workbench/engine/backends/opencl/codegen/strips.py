"""Strips: sums down the columns of matrices, several columns at a time.

Responsible for which sums those are and for the loops that make them; knows nothing of what is
computed from them. Column by column a sum waits for its last addition and jumps from row to row; a
strip of columns is a vector, and its rows lie in memory. The order of summation is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from workbench.engine.backends.opencl.codegen.arguments import Arguments
from workbench.engine.backends.opencl.codegen.emitter import Emitter
from workbench.engine.backends.opencl.codegen.reduce import (
    BLOCK,
    combine,
    in_type_of,
    neutral,
    reduce,
)
from workbench.engine.graph.op import Elementwise, Reduction
from workbench.engine.graph.ops.dimshuffle import Dimshuffle
from workbench.engine.graph.types import C_TYPES, Shape
from workbench.engine.lower.node import Leaf, Node, walk
from workbench.engine.lower.plan import Buffer, Store

#: Columns of a strip.
STRIP = 16


def column_sums(
    stores: Sequence[Store], rows: Shape, buffers: Sequence[Buffer], without: Collection[int]
) -> list[Node]:
    """Return the sums down columns that lie side by side, one for each row of what is stored.

    A row may need other columns' sums besides; these are not meant.

    Parameters
    ----------
    stores, rows
        What is stored, and the axes whose positions are computed one by one.
    without
        Sums that are made elsewhere, by id.
    """
    if len(rows) != 1 or rows[0] < STRIP or any(store.value.shape != rows for store in stores):
        return []
    sums = [n for n in _in_place([s.value for s in stores]) if n.shape == rows and _is_down(n)]
    plain = [n for n in sums if id(n) not in without and _is_plain(n.inputs[0])]
    return [n for n in plain if _lies_side_by_side(n, buffers)]


def emit_column_sums(emitter: Emitter, node: Node, start: str, end: str) -> str:
    """Emit the sums of columns `start` to `end`, at most `STRIP`; return the array of them."""
    e, (source,) = emitter, node.inputs
    rows, columns = source.shape
    ctype, zero = C_TYPES[node.dtype], neutral("sum", node.dtype)
    sums, part = e.name(), e.name()
    length, integer = e.arguments.extent(rows), e.arguments.integer
    empty = "{" + ", ".join([zero] * STRIP) + "}"
    e.line(f"{ctype} {sums}[{STRIP}] = {empty};")
    blocks = max(1, -(-rows // BLOCK))
    with e.loop("0", length, 0, rows - 1, str(BLOCK), blocks) as first:
        e.line(f"{ctype} {part}[{STRIP}] = {empty};")
        last = e.integer(f"min({first.text} + {BLOCK}, ({integer}){length})", 0, rows)
        with (
            e.loop(first.text, last.text, 0, rows - 1, trips=max(1, rows // blocks)) as row,
            e.loop(start, end, 0, columns - 1, trips=1) as column,
        ):
            text = in_type_of(node, e.value(source, (row, column)))
            e.work += e.path[-1].trips
            e.line(combine(node, f"{part}[{column.text} - {start}]", text))
        with e.loop(start, end, 0, columns - 1, trips=1) as column:
            place = f"[{column.text} - {start}]"
            e.line(combine(node, f"{sums}{place}", f"{part}{place}"))
    return sums


def _in_place(roots: Sequence[Node]) -> list[Node]:
    """Return what elementwise operations start from: of it each row needs its own place."""
    found: dict[int, Node] = {}
    stack = list(reversed(roots))
    while stack:
        node = stack.pop()
        if id(node) not in found:
            found[id(node)] = node
            stack += reversed(node.inputs) if isinstance(node.op, Elementwise) else []
    return list(found.values())


def _is_down(node: Node) -> bool:
    op = node.op
    return (
        isinstance(op, Reduction)
        and (op.fold, op.axes, op.keepdims) == ("sum", (0,), False)
        and node.inputs[0].ndim == 2
    )


def _is_plain(source: Node) -> bool:
    """Whether nothing that a column has of its own is computed, which each row would do again."""
    for node in walk([source]):
        if isinstance(node.op, Elementwise):
            if node.ndim and node.shape != source.shape:
                return False
        elif not isinstance(node.op, Leaf | Dimshuffle):
            return False
    return True


def _lies_side_by_side(node: Node, buffers: Sequence[Buffer]) -> bool:
    """Whether neighbouring elements of a row are neighbours in memory, wherever they come from."""
    (source,) = node.inputs
    trial, (rows, columns) = Emitter(Arguments(buffers), reduce), source.shape
    with trial.loop("0", "1", 0, rows - 1) as row, trial.loop("0", "1", 0, columns - 1) as column:
        trial.value(source, (row, column))
    strides = {address.stride(column.terms[0][0]) for address in trial.addresses}
    return 1 in strides and strides <= {0, 1}

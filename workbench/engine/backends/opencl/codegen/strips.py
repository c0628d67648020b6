"""Strips: sums down the columns of matrices, several columns at a time.

Responsible for which sums those are and for the loops that make them; knows nothing of what is
computed from them. Column by column a sum waits for its last addition and jumps from row to row; a
strip of columns is a vector, and its rows lie in memory. The order of summation is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from workbench.engine.backends.opencl.codegen.arguments import Arguments
from workbench.engine.backends.opencl.codegen.emitter import Emitter
from workbench.engine.backends.opencl.codegen.index import named
from workbench.engine.backends.opencl.codegen.reduce import (
    BLOCK,
    combine,
    in_type_of,
    neutral,
    reduce,
)
from workbench.engine.graph.op import Reduction
from workbench.engine.graph.types import C_TYPES, Shape
from workbench.engine.lower.node import Node, walk
from workbench.engine.lower.plan import Buffer, Store

#: Columns of a strip.
STRIP = 16


def column_sums(
    stores: Sequence[Store], rows: Shape, buffers: Sequence[Buffer], without: Collection[int]
) -> list[Node]:
    """Return the sums down columns that lie side by side, one for each row of what is stored.

    Parameters
    ----------
    stores, rows
        What is stored, and the axes whose positions are computed one by one.
    without
        Sums that are made elsewhere, by id.
    """
    if len(rows) != 1 or rows[0] < STRIP or any(store.value.shape != rows for store in stores):
        return []
    nodes = walk([store.value for store in stores])
    sums = [n for n in nodes if id(n) not in without and n.shape == rows and _is_down(n)]
    # One that is made of another would have to wait for it.
    inner = {id(n) for found in sums for n in walk(found.inputs)}
    return [n for n in sums if id(n) not in inner and _lies_side_by_side(n, buffers)]


def keep_column_sums(emitter: Emitter, node: Node, start: str, end: str) -> None:
    """Emit the sums of columns `start` to `end`, at most `STRIP`, and let the emitter know them."""
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
    anywhere = named("", e.depth + 1, 0, columns - 1)
    e.keep_row(node, 0, (anywhere,), sums, f" - {start}")


def _is_down(node: Node) -> bool:
    op = node.op
    return (
        isinstance(op, Reduction)
        and (op.fold, op.axes, op.keepdims) == ("sum", (0,), False)
        and node.inputs[0].ndim == 2
    )


def _lies_side_by_side(node: Node, buffers: Sequence[Buffer]) -> bool:
    """Whether neighbouring elements of a row are neighbours in memory, wherever they come from."""
    (source,) = node.inputs
    trial, (rows, columns) = Emitter(Arguments(buffers), reduce), source.shape
    with trial.loop("0", "1", 0, rows - 1) as row, trial.loop("0", "1", 0, columns - 1) as column:
        trial.value(source, (row, column))
    strides = {address.stride(column.terms[0][0]) for address in trial.addresses}
    return 1 in strides and strides <= {0, 1}

"""Runs: matrices whose rows are stretches of memory, one after the other, and zeros in between.

Responsible for packing panels of such a matrix, as the windows of a convolution are; knows nothing
of how panels are multiplied.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from workbench.engine.backends.opencl.codegen.arguments import Arguments
from workbench.engine.backends.opencl.codegen.emitter import Emitter, IndexTuple
from workbench.engine.backends.opencl.codegen.index import Index, as_index
from workbench.engine.backends.opencl.codegen.reduce import reduce
from workbench.engine.backends.opencl.tunables import PanelTile
from workbench.engine.graph.op import Piecewise
from workbench.engine.graph.ops.dimshuffle import Dimshuffle
from workbench.engine.graph.ops.shape import Reshape
from workbench.engine.graph.ops.slicing import Slice
from workbench.engine.graph.ops.windows import Windows
from workbench.engine.graph.types import C_TYPES
from workbench.engine.lower.node import Node
from workbench.engine.lower.padding import RUN, padded
from workbench.engine.lower.plan import Buffer

#: What has to hold for an element not to be a zero of a padding: ``low <= index < high`` for each.
Bounds = list[tuple[Index, Index, Index]]


@attrs.frozen
class Runs:
    """How a matrix is made of runs.

    Parameters
    ----------
    matrix
        The matrix.
    length
        Elements of a run.
    has_gaps
        Whether there are zeros instead of some runs. They are not packed: ``kept`` names the rows
        of each panel that are, ``counts`` how many they are.
    """

    matrix: Node
    length: int
    has_gaps: bool

    def pack(self, emitter: Emitter, tile: PanelTile) -> None:
        """Emit the loops that copy rows k0 to k1 of the group's panels into ``packed_b``."""
        e, depth, integer = emitter, emitter.depth, emitter.arguments.integer
        (k, n), each, width = self.matrix.shape, tile.columns // self.length, tile.columns
        with e.block(f"for ({integer} n0 = column0; n0 < column1; n0 += {width})", tile.panels):
            e.line(f"const {integer} p = (n0 - column0) / {width};")
            first, last = f"n0 / {self.length}", n // self.length - 1
            runs = [e.integer(f"{first} + {j}", 0, last) for j in range(each)]
            if self.has_gaps:
                e.line("int count = 0;")
            with (
                e.loop("k0", "k1", 0, k - 1, trips=tile.depth) as at_k,
                e.tabulated(at_k, "k0", "k1", tile.depth, outwards=e.depth - depth),
            ):
                ctype, place = C_TYPES[self.matrix.dtype], f"{at_k.text} - k0"
                place = "count" if self.has_gaps else place
                at = f"packed_b + (p * {tile.depth} + {place}) * {tile.vectors}"
                e.line(f"__local {ctype} *const to = (__local {ctype} *)({at});")
                if self.has_gaps:
                    e.line("int found = 0;")
                for number, run in enumerate(runs):
                    self._copy(e, at_k, run, number * self.length, n % tile.columns > 0)
                if self.has_gaps:
                    e.line(f"kept[p * {tile.depth} + count] = {at_k.text} - k0;")
                    e.line("count += found;")
            if self.has_gaps:
                e.line("counts[p] = count;")

    def _copy(self, e: Emitter, at_k: Index, run: Index, place: int, may_end: bool) -> None:
        """Emit the copy of one run; where there is none, zeros."""
        bounds, _, _ = _within(e, self.matrix, (at_k, run * self.length))
        tests = [
            f"{low.text} <= {i} && {i} < {high.text}"
            for low, at, high in bounds
            for i in [e.tabled(at)]
        ]
        if may_end:
            tests.append(f"{run.text} < {e.arguments.extent(self.matrix.shape[1] // self.length)}")
        with e.block(f"if ({' && '.join(tests)})" if tests else ""):
            with e.loop("0", str(self.length), 0, self.length - 1) as lane:
                _, node, index = _within(e, self.matrix, (at_k, run * self.length + lane))
                e.line(f"to[{place} + {lane.text}] = {e.value(node, index).text};")
            if self.has_gaps:
                e.line("found = 1;")
        if tests:
            lanes = f"for (int i = 0; i < {self.length}; ++i)"
            e.line(f"else {lanes} to[{place} + i] = 0;")


def find_runs(buffers: Sequence[Buffer], matrix: Node, width: int) -> Runs | None:
    """Return the longest runs of which panels of `width` columns are made.

    None where they would be too short, and for matrices whose rows are regular as a whole.
    """
    (rows, columns), plain = matrix.shape, Emitter(Arguments(buffers), reduce)
    if not matrix.size:
        return None
    with plain.loop("0", "1", 0, rows - 1) as row, plain.loop("0", "1", 0, columns - 1) as column:
        plain.value(matrix, (row, column))
    if all(address.stride(column.terms[0][0]) is not None for address in plain.addresses):
        return None
    length = width
    while length >= RUN:
        runs = _runs(buffers, matrix, length) if columns % length == 0 else None
        if runs is not None:
            return runs
        length //= 2
    return None


def has_runs_downwards(buffers: Sequence[Buffer], matrix: Node, length: int) -> bool:
    """Whether every column is made of runs of `length` elements."""
    rows, columns = matrix.shape
    if rows % length or not matrix.size:
        return False
    trial = Emitter(Arguments(buffers), reduce)
    with (
        trial.loop("0", "1", 0, columns - 1) as column,
        trial.loop("0", "1", 0, rows // length - 1) as run,
        trial.loop("0", "1", 0, length - 1) as lane,
    ):
        trial.value(matrix, (run * length + lane, column))
    (place, _), *_ = lane.terms
    return {address.stride(place) for address in trial.addresses} == {1}


def _runs(buffers: Sequence[Buffer], matrix: Node, length: int) -> Runs | None:
    trial, (rows, columns) = Emitter(Arguments(buffers), reduce), matrix.shape
    with (
        trial.loop("0", "1", 0, rows - 1) as row,
        trial.loop("0", "1", 0, columns // length - 1) as run,
        trial.loop("0", "1", 0, length - 1) as lane,
    ):
        bounds, node, index = _within(trial, matrix, (row, run * length + lane))
        trial.value(node, index)
    (place, _), *_ = lane.terms
    word = re.compile(rf"\b{place.text}\b")
    if any(word.search(part.text) for bound in bounds for part in bound):
        return None
    strides = {address.stride(place) for address in trial.addresses}
    return Runs(matrix, length, bool(bounds)) if strides == {1} else None


def _within(
    emitter: Emitter, matrix: Node, index: Sequence[Index]
) -> tuple[Bounds, Node, IndexTuple]:
    """Return what is inside of the paddings, where an element lies in it, and if it does at all."""
    bounds: Bounds = []
    node = matrix
    while True:
        op, shapes, read = node.op, [n.shape for n in node.inputs], emitter.reader(node)
        inner = padded(node)
        if isinstance(op, Reshape | Dimshuffle | Windows | Slice):
            index = op.source_index(tuple(index), shapes, node.shape, read)
            node = node.inputs[0]
        elif inner is not None:
            assert isinstance(op, Piecewise)
            (found, _, index), *_ = op.pieces(tuple(index), shapes, node.shape, read)
            bounds += [(as_index(a), as_index(b), as_index(c)) for a, b, c in found]
            node = inner
        else:
            return bounds, node, tuple(map(as_index, index))

"""How the operands of a product get into local memory, in the order in which they are used.

Responsible for the loops that copy blocks of A and of B; knows nothing of what is done with them.

Their statements use the C names of the loops around them: ``k0`` to ``k1`` of the depth, ``m0`` to
``m1`` of the rows, ``column0`` to ``column1`` of the columns, in panels that begin at ``n0``.

What is known to be whole is copied by loops of a known length, apart from what is left over:
compilers make vector instructions of those. They do not of calls to ``min`` or ``vload``, which
stay calls on PoCL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs

from workbench.engine.backends.opencl.codegen.emitter import Emitter
from workbench.engine.backends.opencl.codegen.index import Index, named
from workbench.engine.backends.opencl.codegen.layout import lies_by_column
from workbench.engine.backends.opencl.codegen.multiply import Columns
from workbench.engine.backends.opencl.codegen.runs import Runs, find_runs, has_runs_downwards
from workbench.engine.backends.opencl.codegen.zeros import (
    LiveBits,
    LiveColumns,
    any_wild,
    may_be_empty,
)
from workbench.engine.backends.opencl.tunables import PanelTile
from workbench.engine.graph.types import C_TYPES
from workbench.engine.lower.node import Load, Node

#: Rows and columns of a block that is turned in registers: a vector of AVX2.
_SIDE = {"float32": 8, "float64": 4}


def less(a: str, b: str) -> str:
    """Return the C expression of the lesser of two."""
    return f"{a} < {b} ? {a} : {b}"


@attrs.define
class Packing:
    """Emits the copies of one product's operands.

    Parameters
    ----------
    emitter
        Takes the statements.
    product
        The node of the product.
    tile
        How it is cut.
    """

    emitter: Emitter
    product: Node
    tile: PanelTile
    _a_by_column: bool = attrs.field(init=False)
    _b_by_column: bool = attrs.field(init=False)
    #: The stretches of memory that B's rows are made of, as a convolution's are.
    _runs: Runs | None = attrs.field(init=False)
    #: Whether the columns of B are not one but many stretches of memory, as those of windows are.
    _is_broken: bool = attrs.field(init=False)
    _panel_depth: int = 0
    live: LiveColumns = attrs.field(init=False, factory=LiveColumns)

    def __attrs_post_init__(self) -> None:
        """Find out how the operands lie in memory."""
        buffers = self.emitter.arguments.buffers
        self._a_by_column, self._b_by_column = (
            lies_by_column(buffers, operand) for operand in self.product.inputs
        )
        b = self.product.inputs[1]
        self._is_broken = not self._b_by_column and has_runs_downwards(buffers, b, _SIDE[b.dtype])
        self._runs = find_runs(buffers, self.product.inputs[1], self.tile.columns)

    @property
    def skips(self) -> bool:
        """Whether columns of A that are 0 in all of a few rows are left out."""
        return not self._has_gaps and may_be_empty(self.product.inputs[0])

    @property
    def in_place(self) -> bool:
        """Whether rows of B are read where they are.

        Of few rows of A most columns are empty, so most of what would be copied is never used.
        """
        b = self.product.inputs[1]
        whole = b.shape[1] % self.tile.columns == 0
        return self.skips and whole and isinstance(b.op, Load) and not self._b_by_column

    def memory(self) -> list[str]:
        """Return the declarations of the copies."""
        tile, bits = self.tile, self._bits
        found = [
            f"__local ushort {self.live.places}[{tile.depth * tile.packed_rows}];",
            f"int counts[{tile.packed_rows}];",
            bits.memory if self._a_by_column else f"uchar {self.live.flags}[{tile.depth}];",
        ]
        gaps = f"int kept[{tile.panels * tile.depth}], counts[{tile.panels}];"
        copy = f"__local {self._vector} packed_b[{tile.depth * tile.vectors * tile.panels}];"
        return [
            *([] if self.in_place else [copy]),
            # As vectors, so that it begins where they may.
            f"__local {self._vector} rows_of_a[{tile.depth * tile.packed_rows // tile.lanes}];",
            *([gaps] if self._has_gaps else found if self.skips else []),
            f"__local {self._ctype} *const packed_a = (__local {self._ctype} *)rows_of_a;",
        ]

    @property
    def _has_gaps(self) -> bool:
        return self._runs is not None and self._runs.has_gaps

    @property
    def _all_whole(self) -> bool:
        """Whether a panel's columns are whole runs."""
        return self._runs is not None and self.product.shape[1] % self.tile.columns == 0

    @property
    def steps(self) -> str:
        """How many rows of the panel at ``n0`` count."""
        if self.skips:
            return "counts[m2 - m0]"
        return f"counts[(n0 - column0) / {self.tile.columns}]" if self._has_gaps else "k1 - k0"

    @property
    def columns(self) -> Columns:
        """Which columns of packed A meet the rows of the panel at ``n0``."""
        return "live" if self.skips else "kept" if self._has_gaps else "all"

    @property
    def listed(self) -> str:
        """The address of the list of these columns; empty where they are all."""
        if self.skips:
            return f"{self.live.places} + (m2 - m0) * {self.tile.depth}"
        place = f"(n0 - column0) / {self.tile.columns} * {self.tile.depth}"
        return f"kept + {place}" if self._has_gaps else ""

    @property
    def _bits(self) -> LiveBits:
        """Which columns count, where the rows of A lie side by side."""
        tile = self.tile
        return LiveBits(self.product.dtype, tile.packed_rows, tile.depth, tile.lanes)

    def look_for_wild(self) -> None:
        """Let ``wild`` tell whether B holds an infinity or a NaN."""
        e, tile = self.emitter, self.tile
        integer = e.arguments.integer
        panels = f"for ({integer} n0 = column0; n0 < column1; n0 += {tile.columns})"
        rows = f"for ({integer} i = 0; i < (k1 - k0) * {tile.vectors}; ++i)"
        loops, vector = f"{panels} {rows}", f"({self.panel('n0')})[i]"
        if self.in_place:
            # Row by row, as they lie.
            vectors = f"for ({integer} i = 0; i < (column1 - column0) / {tile.lanes}; ++i)"
            loops = f"for ({integer} k = 0; k < k1 - k0; ++k) {vectors}"
            vector = f"({self.panel('column0')})[k * {self.apart} + i]"
        any_wild(e, self.live.wild, self._vector, tile.lanes, [(loops, vector)])

    def find_live(self, rows: int) -> None:
        """List the columns of packed rows from ``m2`` on that are not 0 throughout."""
        live = attrs.evolve(self.live, places=f"({self.listed})")
        if self._a_by_column:
            self._bits.fill(self.emitter, live, "m2 - m0", rows, "k1 - k0")
        else:
            numbers = [f"({self.a0})[k * {self.across} + {row * self.down}]" for row in range(rows)]
            live.fill(self.emitter, numbers, "k1 - k0")
        self.emitter.line(f"counts[m2 - m0] = {self.live.found};")

    def panel(self, start: str) -> str:
        """Return the address of the panel that begins at column `start`, or of its copy."""
        tile = self.tile
        if self.in_place:
            return (
                f"(__global const {self._vector} *)({self._b} + (size_t)k0 * {self._n} + {start})"
            )
        return f"packed_b + ({start} - column0) / {tile.columns} * {tile.depth * tile.vectors}"

    @property
    def apart(self) -> str:
        """How many vectors apart the rows of a panel are."""
        return f"({self._n} / {self.tile.lanes})" if self.in_place else str(self.tile.vectors)

    @property
    def space(self) -> str:
        """The address space of panels."""
        return "__global" if self.in_place else "__local"

    @property
    def a0(self) -> str:
        """The address of the copy of row ``m2``."""
        return f"packed_a + (m2 - m0) * {self.down}"

    @property
    def across(self) -> int:
        """How far apart the elements of a packed row of A are."""
        return self.tile.packed_rows if self._a_by_column else 1

    @property
    def down(self) -> int:
        """How far apart the elements of a packed column of A are."""
        return 1 if self._a_by_column else self.tile.depth

    @contextmanager
    def panels(self) -> Iterator[None]:
        """Open a loop over the group's panels."""
        e, tile = self.emitter, self.tile
        head = f"for ({e.arguments.integer} n0 = column0; n0 < column1; n0 += {tile.columns})"
        with e.block(head, tile.panels):
            self._panel_depth = e.depth
            yield

    def by_panel(self, emit: Callable[[bool], None]) -> None:
        """Emit twice: for a whole panel (`emit` is given True), and for what is left of one."""
        e, columns = self.emitter, self.tile.columns
        if self._all_whole:
            emit(True)
            return
        for symbol, whole in (("<=", True), (">", False)):
            with e.block(f"if (n0 + {columns} {symbol} column1)"):
                emit(whole)

    @contextmanager
    def lanes(self, *, whole: bool) -> Iterator[tuple[Index, str]]:
        """Open a loop over the columns of a panel; yield the column, and its place in the panel."""
        e, width, n = self.emitter, self.tile.columns, self.product.shape[1]
        if self._all_whole:
            panel = named(f"(n0 / {width})", self._panel_depth, 0, n // width - 1)
            with e.loop("0", str(width), 0, width - 1) as place:
                yield panel * width + place, place.text
        else:
            with e.loop("n0", self._end(whole=whole), 0, n - 1, trips=width) as at_n:
                yield at_n, f"{at_n.text} - n0"

    def _end(self, *, whole: bool) -> str:
        return f"n0 + {self.tile.columns}" if whole else "column1"

    @property
    def _ctype(self) -> str:
        return C_TYPES[self.product.dtype]

    @property
    def _vector(self) -> str:
        return f"{self._ctype}{self.tile.lanes}"

    @property
    def _b(self) -> str:
        """The pointer to B, where it is read in place."""
        op = self.product.inputs[1].op
        assert isinstance(op, Load)
        return self.emitter.arguments.buffer(op.buffer)

    @property
    def _n(self) -> str:
        """The length of B's rows, where they are read in place."""
        op = self.product.inputs[1].op
        assert isinstance(op, Load)
        return self.emitter.arguments.stride(op.buffer, self.product.shape[1])

    def pack_b(self) -> None:
        """Copy rows k0 to k1 of the group's columns; lanes beyond the last column are 0."""
        if self._runs is not None:
            self._runs.pack(self.emitter, self.tile)
            return
        if self.in_place:
            return
        with self.panels():
            self.emitter.line(f"__local {self._vector} *const to = {self.panel('n0')};")
            self.by_panel(self._pack_panel)

    def _pack_panel(self, whole: bool) -> None:
        if self._is_broken or (whole and self._b_by_column):
            self._pack_turned(whole=whole)
        else:
            self._pack_rows("k0", whole=whole)

    def _pack_rows(self, start: str, *, whole: bool) -> None:
        """Copy rows of a panel from row `start` on."""
        e, tile, b = self.emitter, self.tile, self.product.inputs[1]
        with e.loop(start, "k1", 0, b.shape[0] - 1, trips=tile.depth) as at_k:
            e.line(f"{self._vector} vectors[{tile.vectors}]{'' if whole else ' = {0}'};")
            e.line(f"{self._ctype} *const row = ({self._ctype} *)vectors;")
            with (
                self.lanes(whole=whole) as (at_n, place),
                e.tabulated(at_n, "n0", self._end(whole=whole), tile.columns, outwards=2),
            ):
                e.line(f"row[{place}] = {e.value(b, (at_k, at_n)).text};")
            for v in range(tile.vectors):
                e.line(f"to[({at_k.text} - k0) * {tile.vectors} + {v}] = vectors[{v}];")

    def _pack_turned(self, *, whole: bool) -> None:
        """Copy a panel of which columns lie side by side: square blocks, turned in registers."""
        e, tile, b = self.emitter, self.tile, self.product.inputs[1]
        (k, n), integer, side = b.shape, e.arguments.integer, _SIDE[b.dtype]
        vector = f"{self._ctype}{side}"
        e.line(f"{integer} k2 = k0;")
        with (
            e.block(f"for (; k2 + {side} <= k1; k2 += {side})", tile.depth // side),
            e.block(f"for ({integer} n2 = n0; n2 < n0 + {tile.columns}; n2 += {side})"),
        ):
            e.line(f"{vector} block[{side}];")
            with e.loop("n2", f"n2 + {side}", 0, n - 1, trips=side) as at_n:
                column = f"({self._ctype} *)(block + ({at_n.text} - n2))"
                e.line(f"{self._ctype} *const column = {column};")
                if not whole:
                    # Lanes beyond the last column reach no result.
                    at_n = e.integer(less(at_n.text, "column1 - 1"), 0, n - 1)
                if self._is_broken:
                    run = named(f"(k2 / {side})", e.depth - 2, 0, k // side - 1) * side
                    with e.loop("0", str(side), 0, side - 1) as lane:
                        e.line(f"column[{lane.text}] = {e.value(b, (run + lane, at_n)).text};")
                else:
                    with e.loop("k2", f"k2 + {side}", 0, k - 1, trips=side) as at_k:
                        e.line(f"column[{at_k.text} - k2] = {e.value(b, (at_k, at_n)).text};")
            rows = self._turn([f"block[{i}]" for i in range(side)], vector)
            place = f"((k2 - k0) * {tile.columns} + n2 - n0) / {side}"
            e.line(f"__local {vector} *const at = (__local {vector} *)to + {place};")
            for i, row in enumerate(rows):
                e.line(f"at[{i * tile.columns // side}] = {row};")
        if not self._is_broken:
            self._pack_rows("k2", whole=whole)

    def _turn(self, columns: list[str], vector: str) -> list[str]:
        """Emit the transpose of a square block; return the names of its rows.

        Each stage interleaves the first half of the vectors with the second.
        """
        side = len(columns)
        half = side // 2
        for stage in range(side.bit_length() - 1):
            mixed: list[str] = []
            for x, y in zip(columns[:half], columns[half:], strict=True):
                for part in (range(half), range(half, side)):
                    name = f"turned{stage}_{len(mixed)}"
                    lanes = ", ".join(f"{x}.s{j}, {y}.s{j}" for j in part)
                    self.emitter.line(f"const {vector} {name} = ({vector})({lanes});")
                    mixed.append(name)
            columns = mixed
        return columns

    def pack_a(self) -> None:
        """Copy rows m0 to m1, columns k0 to k1, in the order in which they lie in memory.

        What is missing to a whole block of rows is filled with numbers that reach no result.
        """
        if self._a_by_column:
            self._pack_columns_of_a()
            return
        e, tile, a = self.emitter, self.tile, self.product.inputs[0]
        (m, k), integer, rows = a.shape, e.arguments.integer, tile.rows
        e.line(f"const {integer} filled = (m1 - m0 + {rows - 1}) / {rows} * {rows};")
        with e.loop("0", "filled", 0, tile.packed_rows - 1) as row:
            e.line(f"__local {self._ctype} *const to = packed_a + {row.text} * {tile.depth};")
            at_m = e.integer(less(f"m0 + {row.text}", "m1 - 1"), 0, m - 1)
            with e.loop("k0", "k1", 0, k - 1, trips=tile.depth) as at_k:
                e.line(f"to[{at_k.text} - k0] = {e.value(a, (at_m, at_k)).text};")

    def _pack_columns_of_a(self) -> None:
        e, tile, a = self.emitter, self.tile, self.product.inputs[0]
        (m, k), integer, size = a.shape, e.arguments.integer, tile.packed_rows
        with e.loop("k0", "k1", 0, k - 1, trips=tile.depth) as at_k:
            e.line(f"__local {self._ctype} *const to = packed_a + ({at_k.text} - k0) * {size};")
            with e.loop("m0", "m1", 0, m - 1, trips=size) as at_m:
                e.line(f"to[{at_m.text} - m0] = {e.value(a, (at_m, at_k)).text};")
            e.line(f"for ({integer} i = m1 - m0; i % {tile.rows}; ++i) to[i] = 0;")
        if self.skips:
            self._bits.note(e, "packed_a", "k1 - k0", self.live.wild)

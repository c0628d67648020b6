"""Matrix products for CPUs: packed panels and explicit vectors.

Responsible for the generated kernel of a product step where one work-item does a work-group's work;
knows nothing of GPUs or of how the host launches it.

A work-group owns some columns (a few panels) and a run of rows. It packs a block of B, then, for a
few rows at a time, a block of A, and multiplies from the packed copies::

    for each block of depth K:
        B (K x panels) -> local memory, panel by panel
        for each run of rows:
            A (rows x K) -> local memory
            for each panel, for each few rows:
                accumulators += column of A * row of B, in registers
                the last block: epilogue and stores; else: add up in scratch memory

So casts, scales, gathers and transposes ride in the packing loops, at a small share of the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import attrs

from workbench.engine.backends.opencl.codegen.arguments import Arguments, Kernel
from workbench.engine.backends.opencl.codegen.ctypes import C_TYPES
from workbench.engine.backends.opencl.codegen.emitter import Emitter
from workbench.engine.backends.opencl.codegen.index import Index, named
from workbench.engine.backends.opencl.codegen.layout import lies_by_column
from workbench.engine.backends.opencl.codegen.reduce import reduce
from workbench.engine.backends.opencl.codegen.runs import Runs, find_runs
from workbench.engine.backends.opencl.tunables import PanelTile, Target
from workbench.engine.lower.plan import Buffer, Product

#: Rows below which another run of them is not worth packing B once more.
_MIN_ROWS = 48


@attrs.define
class PanelsKernel:
    """Generates the kernel of one product step; call `kernel` once.

    Parameters
    ----------
    parts
        Parts of the inner axis, which leave their sums in scratch memory; 1 for the whole product.
    """

    step: Product
    buffers: Sequence[Buffer]
    target: Target
    wide: bool
    parts: int = 1
    tile: PanelTile = attrs.field(init=False)
    emitter: Emitter = attrs.field(init=False)
    #: The stretches of memory that B's rows are made of, as a convolution's are.
    runs: Runs | None = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Choose the tile."""
        self.tile = self.target.panel_tile(self.step.product.dtype)
        b = self.step.product.inputs[1]
        self.runs = find_runs(self.buffers, b, self.tile.columns)
        self.emitter = Emitter(Arguments(self.buffers, wide=self.wide), reduce)

    def kernel(self, prefix: str) -> Kernel:
        """Return the kernel with its launch."""
        e, tile, product = self.emitter, self.tile, self.step.product
        (m, n), k = product.shape, product.inputs[0].shape[1]
        arguments = e.arguments
        rows, columns, depth, run = (arguments.extent(length) for length in (m, n, k, 0))
        ctype, integer = C_TYPES[product.dtype], arguments.integer
        for text in (
            f"__local {self.vector} packed_b[{tile.depth * tile.vectors * tile.panels}];",
            f"__local {ctype} packed_a[{tile.depth * self.packed_rows}];",
            *self._gaps(),
            f"const {integer} column0 = ({integer})get_group_id(0) * {tile.columns * tile.panels};",
            f"const {integer} row0 = ({integer})get_group_id(1) * {run};",
            f"const {integer} row1 = min(row0 + {run}, {rows});",
            f"const {integer} left = ({columns} - column0 + {tile.columns - 1}) / {tile.columns};",
            f"const {integer} panels = min({tile.panels}, left);",
        ):
            e.line(text)
        if self.parts > 1:
            share = arguments.extent(-(-k // self.parts))
            e.line(f"const {integer} part = get_group_id(2);")
            e.line(f"const {integer} first = min(part * {share}, {depth});")
            e.line(f"const {integer} last = min(first + {share}, {depth});")
            self._blocks(-(-k // self.parts), columns, "first", "last")
        elif k <= tile.depth:
            e.line(f"const {integer} k0 = 0;")
            e.line(f"const {integer} k1 = {depth};")
            self._block(columns)
        else:
            self._blocks(k, columns, "0", depth)
        groups, run_rows = self._shares()
        arguments.settle(run, run_rows)
        label = self.step.label or prefix
        sizes = ((*groups, self.parts), (1, 1, 1)) if self.parts > 1 else (groups, (1, 1))
        attribute = "__attribute__((reqd_work_group_size(1, 1, 1))) "
        return arguments.kernel(prefix, e.body, sizes, label, m * n * k, attribute)

    def _gaps(self) -> list[str]:
        """Return the declarations of what names the packed rows of a B that lacks some."""
        if self.runs is None or not self.runs.has_gaps:
            return []
        return [f"int kept[{self.tile.panels * self.tile.depth}], counts[{self.tile.panels}];"]

    @property
    def packed_rows(self) -> int:
        """Rows of A that are packed together."""
        return self.tile.rows * self.tile.row_blocks

    @property
    def vector(self) -> str:
        """The type of a vector of the product."""
        return f"{C_TYPES[self.step.product.dtype]}{self.tile.lanes}"

    def _blocks(self, length: int, columns: str, first: str, last: str) -> None:
        """Emit a loop over the blocks of `length` rows and columns, from `first` to `last`."""
        e, integer = self.emitter, self.emitter.arguments.integer
        deep, blocks = e.arguments.extent(0), -(-length // self.tile.depth)
        e.arguments.settle(deep, -(-length // blocks))
        with e.block(f"for ({integer} k0 = {first}; k0 < {last}; k0 += {deep})"):
            e.line(f"const {integer} k1 = min(k0 + {deep}, {last});")
            self._block(columns, first, last)

    def _block(self, columns: str, first: str = "", last: str = "") -> None:
        """Emit all of one block of K; `first` and `last` bound all blocks if there are several."""
        e, tile = self.emitter, self.tile
        integer = e.arguments.integer
        self._pack_b(columns)
        with e.block(f"for ({integer} m0 = row0; m0 < row1; m0 += {self.packed_rows})"):
            e.line(f"const {integer} m1 = min(m0 + {self.packed_rows}, row1);")
            by_column = self._pack_a()
            with e.block(f"for ({integer} p = 0; p < panels; ++p)"):
                e.line(f"const {integer} n0 = column0 + p * {tile.columns};")
                e.line(f"const {integer} n1 = min(n0 + {tile.columns}, {columns});")
                with e.block(f"for ({integer} m2 = m0; m2 < m1; m2 += {tile.rows})"):
                    e.line(f"const {integer} m3 = min(m2 + {tile.rows}, m1);")
                    self._multiply(by_column)
                    if last:
                        self._add_up(columns, first, last)
                    if self.parts == 1:
                        self._store()

    def _shares(self) -> tuple[tuple[int, int], int]:
        """Return the work-groups in each direction, and the rows of each."""
        m, n = self.step.product.shape
        tile = self.tile
        across = -(-n // (tile.columns * tile.panels))
        wanted = -(-self.target.busy_groups // across)
        runs = max(1, min(wanted, m // _MIN_ROWS))
        # Whole blocks of rows: the last run alone may end in the middle of one.
        rows = -(-m // (runs * tile.rows)) * tile.rows
        return (across, -(-m // rows)), rows

    def _pack_b(self, columns: str) -> None:
        """Copy rows k0 to k1 of the group's columns; lanes beyond the last column are 0."""
        e, tile = self.emitter, self.tile
        integer, b = e.arguments.integer, self.step.product.inputs[1]
        k, n = b.shape
        if self.runs is not None:
            self.runs.pack(e, tile)
            return
        with e.block(f"for ({integer} p = 0; p < panels; ++p)", tile.panels):
            e.line(f"const {integer} n0 = column0 + p * {tile.columns};")
            e.line(f"const {integer} n1 = min(n0 + {tile.columns}, {columns});")
            with e.loop("k0", "k1", 0, k - 1, trips=tile.depth) as at_k:
                row = f"packed_b + (p * {tile.depth} + {at_k.text} - k0) * {tile.vectors}"
                e.line(f"__local {self.vector} *const row = {row};")
                for v in range(tile.vectors):
                    e.line(f"row[{v}] = 0;")
                to = f"(__local {C_TYPES[b.dtype]} *)row"
                e.line(f"__local {C_TYPES[b.dtype]} *const to = {to};")
                with (
                    e.loop("n0", "n1", 0, n - 1, trips=tile.columns) as at_n,
                    e.tabulated(at_n, "n0", "n1", tile.columns, outwards=2),
                ):
                    e.line(f"to[{at_n.text} - n0] = {e.value(b, (at_k, at_n)).text};")

    @contextmanager
    def _columns(self) -> Iterator[tuple[Index, str]]:
        """Open a loop over a panel's columns; yield the column, and its place in the panel."""
        e, width = self.emitter, self.tile.columns
        n = self.step.product.shape[1]
        if self.runs is not None and n % width == 0:
            last = n // width - 1
            panel = named(f"((int)get_group_id(0) * {self.tile.panels} + p)", 1, 0, last)
            with e.loop("0", str(width), 0, width - 1) as place:
                yield panel * width + place, place.text
        else:
            with e.loop("n0", "n1", 0, n - 1, trips=width) as at_n:
                yield at_n, f"{at_n.text} - n0"

    def _pack_a(self) -> bool:
        """Copy rows m0 to m1, columns k0 to k1; return whether column by column.

        The inner loop follows the direction in which elements lie side by side in memory. What is
        missing to a whole block of rows is filled with numbers that reach no result.
        """
        e, tile = self.emitter, self.tile
        a = self.step.product.inputs[0]
        m, k = a.shape
        integer, ctype = e.arguments.integer, C_TYPES[a.dtype]
        if lies_by_column(self.buffers, a):
            with e.loop("k0", "k1", 0, k - 1, trips=tile.depth) as at_k:
                column = f"packed_a + ({at_k.text} - k0) * {self.packed_rows}"
                e.line(f"__local {ctype} *const to = {column};")
                with e.loop("m0", "m1", 0, m - 1, trips=self.packed_rows) as at_m:
                    value = e.value(a, (at_m, at_k))
                    e.line(f"to[{at_m.text} - m0] = {value.text};")
                e.line(f"for ({integer} i = m1 - m0; i % {tile.rows}; ++i) to[i] = 0;")
            return True
        e.line(f"const {integer} whole = (m1 - m0 + {tile.rows - 1}) / {tile.rows} * {tile.rows};")
        with e.loop("0", "whole", 0, self.packed_rows - 1) as row:
            e.line(f"__local {ctype} *const to = packed_a + {row.text} * {tile.depth};")
            at_m = e.integer(f"min(m0 + {row.text}, m1 - 1)", 0, m - 1)
            with e.loop("k0", "k1", 0, k - 1, trips=tile.depth) as at_k:
                value = e.value(a, (at_m, at_k))
                e.line(f"to[{at_k.text} - k0] = {value.text};")
        return False

    def _multiply(self, by_column: bool) -> None:
        """Multiply `rows` packed rows by one packed panel, and leave the sums in ``sums``."""
        e, tile = self.emitter, self.tile
        integer, ctype = e.arguments.integer, C_TYPES[self.step.product.dtype]
        vector, per_row = self.vector, "1" if by_column else str(tile.depth)
        e.line(f"__local const {vector} *const b0 = packed_b + p * {tile.depth * tile.vectors};")
        e.line(f"__local const {ctype} *const a0 = packed_a + (m2 - m0) * {per_row};")
        cells = [(i, v) for i in range(tile.rows) for v in range(tile.vectors)]
        for i, v in cells:
            e.line(f"{vector} c{i}_{v} = 0;")
        # Named accumulators stay in registers where an array of them would not.
        has_gaps = self.runs is not None and self.runs.has_gaps
        row, count = (f"kept[p * {tile.depth} + k]", "counts[p]") if has_gaps else ("k", "k1 - k0")
        with e.block(f"for ({integer} k = 0; k < {count}; ++k)"):
            e.line(f"const {integer} row = {row};")
            for v in range(tile.vectors):
                e.line(f"const {vector} x{v} = b0[k * {tile.vectors} + {v}];")
            for i in range(tile.rows):
                at = f"row * {self.packed_rows} + {i}" if by_column else f"row + {i * tile.depth}"
                e.line(f"const {ctype} y{i} = a0[{at}];")
                for v in range(tile.vectors):
                    e.line(f"c{i}_{v} += y{i} * x{v};")
        e.line(f"{vector} sums[{tile.rows * tile.vectors}];")
        for i, v in cells:
            e.line(f"sums[{i * tile.vectors + v}] = c{i}_{v};")
        e.line(f"{ctype} *const flat = ({ctype} *)sums;")

    def _add_up(self, columns: str, first: str, last: str) -> None:
        """Add the blocks before to the sums; leave all but the product's last in scratch memory."""
        e, product = self.emitter, self.step.product
        size = self.parts * product.size
        scratch = e.arguments.scratch(0, product.dtype, size, write=True)
        integer = e.arguments.integer
        each = f"for ({integer} m = m2; m < m3; ++m) for ({integer} n = n0; n < n1; ++n)"
        here = f"flat[(m - m2) * {self.tile.columns} + n - n0]"
        row = "m" if self.parts == 1 else f"(part * {e.arguments.extent(product.shape[0])} + m)"
        there = f"{scratch}[{row} * {columns} + n]"
        e.line(f"if (k0 > {first}) {each} {here} += {there};")
        if self.parts > 1:
            e.line(f"{each} {there} = {here};")
            return
        with e.block(f"if (k1 < {last})"):
            e.line(f"{each} {there} = {here};")
            e.line("continue;")

    def _store(self) -> None:
        """Evaluate the epilogue at each element and store it."""
        e, tile, product = self.emitter, self.tile, self.step.product
        m, _ = product.shape
        with (
            e.loop("m2", "m3", 0, m - 1, trips=tile.rows) as at_m,
            self._columns() as (at_n, place),
        ):
            index = (at_m, at_n)
            sum_ = f"flat[({at_m.text} - m2) * {tile.columns} + {place}]"
            e.bind(product, index, e.define(C_TYPES[product.dtype], sum_, e.depth))
            values = [e.value(store.value, index) for store in self.step.stores]
            for store, value in zip(self.step.stores, values, strict=True):
                e.store(store.buffer, index, value)

"""Matrix products for CPUs: packed panels and explicit vectors.

Responsible for the generated kernel of a product step where one work-item does a work-group's work;
knows nothing of GPUs, of how operands are copied or of how the host launches it.

A work-group owns some columns (a few panels) and a run of rows. It packs a block of B, then, for
some rows at a time, a block of A, and multiplies from the packed copies::

    for each block of depth K:
        B (K x panels) -> local memory, panel by panel
        for each block of rows:
            A (rows x K) -> local memory
            for each panel, for each few rows:
                accumulators += column of A * row of B, in registers
                the last block: epilogue and stores; else: add up in scratch memory

So casts, scales, gathers and transposes ride in the packing loops, at a small share of the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from workbench.engine.backends.opencl.codegen.arguments import Arguments, Kernel
from workbench.engine.backends.opencl.codegen.emitter import Emitter, Value
from workbench.engine.backends.opencl.codegen.epilogue import VectorEpilogue
from workbench.engine.backends.opencl.codegen.index import Index, named
from workbench.engine.backends.opencl.codegen.layout import product_key
from workbench.engine.backends.opencl.codegen.multiply import Multiply
from workbench.engine.backends.opencl.codegen.packing import Packing, less
from workbench.engine.backends.opencl.codegen.reduce import reduce
from workbench.engine.backends.opencl.codegen.zeros import may_be_empty
from workbench.engine.backends.opencl.tunables import PanelTile, Shares, Target
from workbench.engine.graph.types import C_TYPES
from workbench.engine.lower.plan import Buffer, Product


@attrs.define
class PanelsKernel:
    """Generates the kernel of one product step; call `kernel` once.

    Parameters
    ----------
    parts
        Parts of the inner axis, which leave their sums in scratch memory; 1 for the whole product.
    run
        Rows of each work-group, which computes all their columns; 0 where the shares are free.

    Attributes
    ----------
    tile, shares
        How the product is cut.
    """

    step: Product
    buffers: Sequence[Buffer]
    target: Target
    wide: bool
    parts: int = 1
    run: int = 0
    tile: PanelTile = attrs.field(init=False)
    shares: Shares = attrs.field(init=False)
    emitter: Emitter = attrs.field(init=False)
    _extents: list[str] = attrs.field(init=False)
    packing: Packing = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Choose the tile."""
        product = self.step.product
        m, n = product.shape
        key = product_key(self.buffers, product) if self.target.tuned else ""
        lists = may_be_empty(product.inputs[0])
        self.tile = self.target.panel_tile(product.dtype, product.shape, key, lists=lists)
        units = -(-self.target.compute_units // self.parts)
        self.shares = (
            self.tile.rows_of(m, n, self.run) if self.run else self.tile.shares(m, n, units)
        )
        self.emitter = Emitter(Arguments(self.buffers, wide=self.wide), reduce)
        self.packing = Packing(self.emitter, product, self.tile)

    def kernel(self, prefix: str) -> Kernel:
        """Return the kernel with its launch."""
        self._emit()
        product = self.step.product
        groups = (self.shares.across, self.shares.down)
        sizes = ((*groups, self.parts), (1, 1, 1)) if self.parts > 1 else (groups, (1, 1))
        kernel = self.emitter.arguments.kernel(
            prefix,
            [*self.packing.memory(), *self.emitter.body],
            sizes,
            self.step.label or prefix,
            product.size * product.inputs[0].shape[1],
        )
        functions = [self._function(rows).text for rows in (self.tile.tail, self.tile.rows)]
        return attrs.evolve(kernel, functions=tuple(functions))

    def _emit(self) -> None:
        """Emit what a work-group does."""
        e, shares, product = self.emitter, self.shares, self.step.product
        (m, n), k = product.shape, product.inputs[0].shape[1]
        arguments = e.arguments
        integer = arguments.integer
        rows, columns, depth = self._extents = [arguments.extent(i) for i in (m, n, k)]
        run, span = arguments.extent(shares.run), arguments.extent(shares.span)
        for text in (
            f"column0 = ({integer})get_group_id(0) * {span}",
            f"column1 = {less(f'column0 + {span}', columns)}",
            f"row0 = ({integer})get_group_id(1) * {run}",
            f"row1 = {less(f'row0 + {run}', rows)}",
        ):
            e.line(f"const {integer} {text};")
        if self.parts > 1:
            share = arguments.extent(_whole(-(-k // self.parts)))
            e.line(f"const {integer} first = ({integer})get_group_id(2) * {share};")
            e.line(f"const {integer} last = {less(f'first + {share}', depth)};")
            self._blocks(-(-k // self.parts), "first", "last", run, span)
        elif k <= self.tile.depth:
            e.line(f"const {integer} k0 = 0;")
            e.line(f"const {integer} k1 = {depth};")
            self._block()
        else:
            self._blocks(k, "0", depth, run, span)

    def _blocks(self, length: int, first: str, last: str, run: str, span: str) -> None:
        """Emit a loop over blocks of K: of the `length` numbers from `first` to below `last`."""
        e, shares, arguments = self.emitter, self.shares, self.emitter.arguments
        dtype, integer = self.step.product.dtype, arguments.integer
        blocks = -(-length // self.tile.depth)
        deep = arguments.extent(_whole(-(-length // blocks)))
        group = "get_group_id(1)"
        if self.parts > 1:
            group = f"(get_group_id(2) * {arguments.extent(shares.down)} + {group})"
        place = f"({group} * {arguments.extent(shares.across)} + get_group_id(0))"
        total = shares.groups * self.parts * shares.run * shares.span
        # The sums of a group's blocks so far lie as they are computed, and lanes without a column
        # are kept with them.
        scratch = arguments.scratch(1, dtype, total, write=True)
        before = f"(size_t){place} * {run} * {span}"
        e.line(f"__global {C_TYPES[dtype]} *const earlier = {scratch} + {before};")
        with e.block(f"for ({integer} k0 = {first}; k0 < {last}; k0 += {deep})"):
            e.line(f"const {integer} k1 = {less(f'k0 + {deep}', last)};")
            self._block(first, last, run)

    @property
    def _vector(self) -> str:
        return f"{C_TYPES[self.step.product.dtype]}{self.tile.lanes}"

    def _block(self, first: str = "", last: str = "", run: str = "") -> None:
        """Emit all of one block of K; `first` and `last` bound all blocks if there are several."""
        e, tile, packing = self.emitter, self.tile, self.packing
        integer = e.arguments.integer
        packing.pack_b()
        if packing.skips:
            packing.look_for_wild()
        with e.block(f"for ({integer} m0 = row0; m0 < row1; m0 += {tile.packed_rows})"):
            e.line(f"const {integer} m1 = {less(f'm0 + {tile.packed_rows}', 'row1')};")
            packing.pack_a()
            if packing.skips:
                self._find_live()
            with (
                packing.panels(),
                e.block(f"for ({integer} m2 = m0, m3; m2 < m1; m2 = m3)"),
            ):
                self._choose_rows()
                self._multiply()
                if last:
                    self._add_up(first, last, run)
                packing.by_panel(self._store)

    def _find_live(self) -> None:
        """Find, for each few packed rows, the columns that are not 0 throughout."""
        e, integer = self.emitter, self.emitter.arguments.integer
        with e.block(f"for ({integer} m2 = m0, m3; m2 < m1; m2 = m3)"):
            e.line(f"{integer} {self.packing.live.found};")
            self._choose_rows()
            for count in self._by_rows():
                self.packing.find_live(count)

    def _by_rows(self) -> Iterator[int]:
        """Open a block for each number of rows that may be multiplied together; yield it."""
        for few, count in (("<=", self.tile.tail), (">", self.tile.rows)):
            with self.emitter.block(f"if (m3 - m2 {few} {self.tile.tail})"):
                yield count

    def _choose_rows(self) -> None:
        """Let the next few rows end at ``m3``, so that hardly any sums are made in vain."""
        e, rows, tail = self.emitter, self.tile.rows, self.tile.tail
        e.line(f"const {e.arguments.integer} left = m1 - m2;")
        e.line(f"m3 = m2 + (left == {rows} || left > {2 * tail} ? {rows} : {tail});")
        # What `tail` does not hold and `rows` do is not cut in two.
        e.line(f"if (left <= {rows} && left != {tail}) m3 = m1;")

    def _function(self, rows: int) -> Multiply:
        """Return the function that multiplies so many packed rows."""
        tile, packing = self.tile, self.packing
        return Multiply(
            self.step.product.dtype,
            rows,
            tile.vectors,
            tile.lanes,
            packing.across,
            packing.down,
            packing.columns,
            packing.space,
            self.target.multiply,
        )

    def _multiply(self) -> None:
        """Multiply a few packed rows by a packed panel, and leave the sums in ``sums``."""
        e, packing = self.emitter, self.packing
        e.line(f"{self._vector} sums[{self.tile.rows * self.tile.vectors}];")
        for rows in self._by_rows():
            b, steps = packing.panel("n0"), packing.steps
            listed, apart = packing.listed, packing.apart
            e.line(self._function(rows).call(packing.a0, b, apart, steps, listed, "sums"))

    def _add_up(self, first: str, last: str, run: str) -> None:
        """Add the blocks before to the sums; leave all but the last in scratch memory."""
        e, tile = self.emitter, self.tile
        place = f"earlier + (n0 - column0) * {run} + (m2 - row0) * {tile.columns}"
        e.line(f"__global {self._vector} *const part = (__global {self._vector} *)({place});")
        each = f"for (int i = 0; i < (m3 - m2) * {tile.vectors}; ++i)"
        e.line(f"if (k0 > {first}) {each} sums[i] += part[i];")
        with e.block(f"if (k1 < {last})"):
            e.line(f"{each} part[i] = sums[i];")
            e.line("continue;")

    def _store(self, whole: bool) -> None:
        """Evaluate the epilogue at each element of the few rows and store it."""
        e, tile, product, packing = self.emitter, self.tile, self.step.product, self.packing
        ctype, stores = C_TYPES[product.dtype], self.step.stores if self.parts == 1 else ()
        vectors = VectorEpilogue(e, product, stores, tile.lanes)
        if whole and vectors.is_possible:
            self._store_vectors(vectors)
            return
        with e.loop("m2", "m3", 0, product.shape[0] - 1, trips=tile.rows) as at_m:
            line = f"(const {ctype} *)(sums + ({at_m.text} - m2) * {tile.vectors})"
            e.line(f"const {ctype} *const line = {line};")
            for i, store in enumerate(stores):
                e.line(f"{C_TYPES[store.value.dtype]} out{i}[{tile.columns}];")
            with packing.lanes(whole=whole) as (at_n, place):
                index = (at_m, at_n)
                e.bind(product, index, e.define(ctype, f"line[{place}]", e.depth))
                for i, store in enumerate(stores):
                    e.line(f"out{i}[{place}] = {e.value(store.value, index).text};")
                if self.parts > 1:
                    self._store_part(at_m, at_n, f"line[{place}]")
            # Apart from the loads, so that a store to one array holds up no load from another.
            if stores:
                with packing.lanes(whole=whole) as (at_n, place):
                    for i, store in enumerate(stores):
                        e.store(store.buffer, (at_m, at_n), Value(f"out{i}[{place}]", e.depth))

    def _store_vectors(self, epilogue: VectorEpilogue) -> None:
        e, tile, (m, n) = self.emitter, self.tile, self.step.product.shape
        with (
            e.loop("m2", "m3", 0, m - 1, trips=tile.rows) as at_m,
            e.loop("0", str(tile.vectors), 0, tile.vectors - 1) as vector,
        ):
            first = named("n0", e.depth, 0, n - tile.lanes) + vector * tile.lanes
            sums = f"sums[({at_m.text} - m2) * {tile.vectors} + {vector.text}]"
            epilogue.emit(at_m, first, sums)

    def _store_part(self, at_m: Index, at_n: Index, text: str) -> None:
        """Leave an element's sum over a part of the inner axis in scratch memory."""
        e, (m, n) = self.emitter, self.step.product.shape
        arguments = e.arguments
        elements = self.parts * m * n
        scratch = arguments.scratch(0, self.step.product.dtype, elements, write=True)
        row = f"(get_group_id(2) * {self._extents[0]} + {at_m.text})"
        e.line(f"{scratch}[{row} * {self._extents[1]} + {at_n.text}] = {text};")


def _whole(length: int) -> int:
    """Return a length of K in whole runs, so that blocks begin where runs do."""
    return -(-length // 8) * 8

"""Rows walked once: products, losses, derivatives and sums over rows in one kernel.

Responsible for the kernels of a `Pass`; knows nothing of how one is found.

Everything that follows from a row is computed for a few rows at a time, while they are in the
cache::

    for each part of the rows, in a work-group of its own:
        for each few rows:
            pack them: casts, scales and gathers ride in this copy
            multiply by the narrow matrix
            for each of them: compute what follows; add it to the part's plain sums
            add (rows, transposed) x (what follows) to the part's product
    the sums of all parts are added up, with the updates that they are for

So a large matrix of bytes is read once instead of twice, and no value of a row goes to memory. The
order of summation depends on the number of rows alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from workbench.engine.backends.opencl.codegen.arguments import Arguments, Kernel
from workbench.engine.backends.opencl.codegen.emitter import Emitter
from workbench.engine.backends.opencl.codegen.index import Index
from workbench.engine.backends.opencl.codegen.loops import LoopKernels, Parts
from workbench.engine.backends.opencl.codegen.reduce import reduce
from workbench.engine.backends.opencl.codegen.rowpass import (
    LENGTH,
    PART_ROWS,
    Pass,
    loaded,
    products,
    transposed,
)
from workbench.engine.backends.opencl.codegen.split import SumOfParts
from workbench.engine.backends.opencl.codegen.zeros import LiveColumns, any_wild, may_be_empty
from workbench.engine.backends.opencl.tunables import Target
from workbench.engine.graph.op import Reduction
from workbench.engine.graph.types import C_TYPES
from workbench.engine.lower.node import Node, walk
from workbench.engine.lower.plan import Buffer, Product, Store

#: Most parts into which rows are cut, on every device.
_PARTS = 64
#: Numbers in a vector: a register of AVX2.
_LANES = {"float32": 8, "float64": 4}
#: Vectors of sums that stay in registers; and where columns are found in a list, whose numbers
#: compilers load all at once, together with most rows.
_SUMS, _FEW_SUMS, _FEW = 12, 9, 4


@attrs.define
class OnePassKernels:
    """Generates the kernels of one pass; call `kernels` once.

    Scratch memory 0 to 2 is for packed copies and the sums of a part; the results of the parts are
    in what follows, in the order of `_results`.
    """

    found: Pass
    buffers: Sequence[Buffer]
    target: Target
    wide: bool
    emitter: Emitter = attrs.field(init=False)
    _live: LiveColumns = attrs.field(init=False, factory=LiveColumns)

    def __attrs_post_init__(self) -> None:
        """Begin the kernel's text."""
        arguments = Arguments(self.buffers, wide=self.wide)
        self.emitter = Emitter(arguments, reduce, keep_rows=True)

    def kernels(self, prefix: str) -> list[Kernel]:
        """Return the walk over the rows, then what each step makes of the sums."""
        made = [self._walk(f"{prefix}_rows")]
        numbers = self._results
        parts = {key: Parts(number, self.parts) for key, number in numbers.items()}
        for step in self.found.after:
            if isinstance(step, Product):
                adding = SumOfParts(self.buffers, self.target, self.wide)
                scratch = numbers[id(step.product)]
                made.append(adding.kernel(step, self.parts, prefix, scratch))
            else:
                kernels = LoopKernels(self.buffers, self.target, self.wide)
                made += kernels.kernels(step, prefix, parts)
        return made

    @property
    def parts(self) -> int:
        """Parts into which the rows are cut."""
        return min(_PARTS, self.found.first.product.shape[0] // PART_ROWS)

    @property
    def together(self) -> int:
        """Rows that are multiplied together."""
        columns = (self.found.first.product.shape[1], self.found.last.product.shape[1])
        wide = max(map(self._vectors, columns))
        return max(1, min(_FEW, _FEW_SUMS // wide) if self._skips else _SUMS // wide)

    @property
    def ctype(self) -> str:
        """The type of the products' numbers."""
        return C_TYPES[self.found.first.product.dtype]

    @property
    def lanes(self) -> int:
        """Numbers in a vector."""
        return _LANES[self.found.first.product.dtype]

    @property
    def vector(self) -> str:
        """The type of a vector."""
        return f"{self.ctype}{self.lanes}"

    def _vectors(self, columns: int) -> int:
        return -(-columns // self.lanes)

    @property
    def _results(self) -> dict[int, int]:
        """The number of the scratch memory for the parts of each sum, by id of the node."""
        nodes = [*(p.product for p in products(self.found.after)), *self.found.sums]
        return {id(node): 3 + i for i, node in enumerate(nodes)}

    def _total(self, step: Product) -> str:
        """Return what a part's sums for a product with a transposed matrix are called."""
        return f"total{self._results[id(step.product)]}"

    def _walk(self, prefix: str) -> Kernel:
        """Return the kernel that walks the rows."""
        e, first, last = self.emitter, self.found.first.product, self.found.last.product
        (m, n), k, width = first.shape, last.shape[0], last.shape[1]
        a, integer, few = e.arguments, e.arguments.integer, self.together
        wide, across = self._vectors(n), self._vectors(width)
        rows, depth, share = a.extent(m), a.extent(k), a.extent(-(-m // self.parts))
        e.line(f"const {integer} part = get_group_id(0);")
        e.line(f"const {integer} row0 = min(part * {share}, {rows});")
        e.line(f"const {integer} row1 = min(row0 + {share}, {rows});")
        for number, name, vectors in ((0, "narrow", wide), (1, "total", across)):
            size = vectors * self.lanes
            memory = a.scratch(number, first.dtype, self.parts * k * size, write=True)
            at = f"(__global {self.vector} *)({memory} + part * {depth} * {size})"
            e.line(f"__global {self.vector} *const {name} = {at};")
        packed = a.scratch(2, first.dtype, self.parts * few * k, write=True)
        e.line(f"__global {self.ctype} *const packed = {packed} + part * {depth} * {few};")
        self._pack_narrow("narrow", "__global", first.inputs[1], depth)
        self._prepare()
        if self._skips:
            each = f"for ({integer} i = 0; i < {depth} * {wide}; ++i)"
            any_wild(e, self._live.wild, self.vector, self.lanes, [(each, "narrow[i]")])
            e.line(f"ushort {self._live.places}[{LENGTH}];")
            e.line(f"uchar {self._live.flags}[{LENGTH}];")
        e.line(f"for ({integer} i = 0; i < {depth} * {across}; ++i) total[i] = 0;")
        with e.block(f"for ({integer} m2 = row0; m2 < row1; m2 += {few})", m // few):
            e.line(f"const {integer} m3 = min(m2 + {few}, row1);")
            self._pack_rows(depth)
            self._find_live(depth)
            self._multiply(depth, wide)
            e.line(f"{self.vector} right[{few * across}];")
            e.line(f"for (int i = 0; i < {few * across}; ++i) right[i] = 0;")
            with e.loop("m2", "m3", 0, m - 1, trips=few) as row:
                self._follow(row, wide, across)
            if self._skips:
                each = f"for (int i = 0; i < {few * across}; ++i)"
                any_wild(e, "unsure", self.vector, self.lanes, [(each, "right[i]")])
            self._add(depth, across)
        self._leave("total", f"const __global {self.ctype} *", last, depth)
        for step in self.found.small:
            self._leave(self._total(step), f"const {self.ctype} *", step.product)
        self._leave_sums()
        label = self.found.first.label or prefix
        sizes, work = ((self.parts,), (1,)), m * k * (n + width)
        return a.kernel(prefix, e.body, sizes, label, work)

    def _pack_narrow(self, name: str, space: str, b: Node, depth: str) -> None:
        """Copy a narrow matrix, every row filled up with zeros to whole vectors."""
        e, (k, n) = self.emitter, b.shape
        wide, kind = self._vectors(n), f"{space} {self.ctype} *"
        with e.loop("0", depth, 0, k - 1) as at_k:
            for v in range(wide):
                e.line(f"{name}[{at_k.text} * {wide} + {v}] = 0;")
            e.line(f"{kind}const to = ({kind})({name} + {at_k.text} * {wide});")
            with e.loop("0", str(n), 0, n - 1) as at_n:
                e.line(f"to[{at_n.text}] = {e.value(b, (at_k, at_n)).text};")

    def _prepare(self) -> None:
        """Pack the small matrices, and set what is summed up row by row to 0."""
        e = self.emitter
        for i, step in enumerate(products(self.found.follows)):
            b = step.product.inputs[1]
            e.line(f"{self.vector} narrow{i}[{b.shape[0] * self._vectors(b.shape[1])}];")
            self._pack_narrow(f"narrow{i}", "", b, str(b.shape[0]))
        zeros = [
            (
                self.vector,
                self._total(p),
                p.product.shape[0],
                p.product.shape[1],
            )
            for p in self.found.small
        ]
        for kind, name, length, width in zeros:
            size = length * self._vectors(width)
            e.line(f"{kind} {name}[{size}];")
            e.line(f"for (int i = 0; i < {size}; ++i) {name}[i] = 0;")
        for node in self.found.sums:
            name = f"sum{self._results[id(node)]}"
            e.line(f"{C_TYPES[node.dtype]} {name}[{node.size}];")
            e.line(f"for (int i = 0; i < {node.size}; ++i) {name}[i] = 0;")

    def _pack_rows(self, depth: str) -> None:
        """Copy a few rows of the matrix; what is missing of those is 0."""
        e, a = self.emitter, self.found.first.product.inputs[0]
        m, k = a.shape
        kind = f"__global {self.ctype} *"
        with e.loop("m2", "m3", 0, m - 1, trips=self.together) as at_m:
            e.line(f"{kind}const to = packed + ({at_m.text} - m2) * {depth};")
            with e.loop("0", depth, 0, k - 1) as at_k:
                e.line(f"to[{at_k.text}] = {e.value(a, (at_m, at_k)).text};")
        rest = f"(m3 - m2) * {depth}"
        e.line(f"for (int i = {rest}; i < {self.together} * {depth}; ++i) packed[i] = 0;")

    @property
    def _skips(self) -> bool:
        """Whether columns that are 0 in all of a few rows are left out."""
        return may_be_empty(self.found.first.product.inputs[0])

    def _find_live(self, depth: str) -> None:
        """List the columns of the packed rows that are not 0 throughout."""
        if self._skips:
            self.emitter.line(f"{self.emitter.arguments.integer} {self._live.found};")
            rows = [f"packed[{i} * {depth} + k]" for i in range(self.together)]
            self._live.fill(self.emitter, rows, depth)

    def _columns(self, depth: str, unless: str) -> tuple[str, str]:
        """Return how many columns count, and which is the one in place ``k``.

        Where `unless` holds, all of them do.
        """
        if not self._skips:
            return depth, "k"
        live = self._live
        return f"({unless} ? {depth} : {live.found})", f"{unless} ? k : {live.places}[k]"

    def _multiply(self, depth: str, wide: int) -> None:
        """Multiply the packed rows by the narrow matrix; leave the result in ``sums``."""
        e = self.emitter
        cells = [(i, v) for i in range(self.together) for v in range(wide)]
        for i, v in cells:
            e.line(f"{self.vector} c{i}_{v} = 0;")
        count, column = self._columns(depth, self._live.wild)
        integer = e.arguments.integer
        with e.block(f"for ({integer} k = 0; k < {count}; ++k)"):
            e.line(f"const {integer} at = {column};")
            for v in range(wide):
                e.line(f"const {self.vector} x{v} = narrow[at * {wide} + {v}];")
            for i in range(self.together):
                e.line(f"const {self.ctype} y{i} = packed[{i} * {depth} + at];")
                for v in range(wide):
                    e.line(f"c{i}_{v} += y{i} * x{v};")
        e.line(f"{self.vector} sums[{self.together * wide}];")
        for i, v in cells:
            e.line(f"sums[{i * wide + v}] = c{i}_{v};")

    def _follow(self, row: Index, wide: int, across: int) -> None:
        """Compute what follows from one row, and add it to the sums."""
        e = self.emitter
        kind, at = f"{self.ctype} *", f"({row.text} - m2)"
        e.line(f"const {kind}const z = (const {kind})(sums + {at} * {wide});")
        e.line(f"{kind}const r = ({kind})(right + {at} * {across});")
        names: dict[int, str] = {}
        e.keep_row(self.found.first.product, 1, (row, row), "z")
        self._store_rows(self.found.first.stores, row, names)
        small = iter(range(len(self.found.follows)))
        for step in self.found.follows:
            if isinstance(step, Product):
                self._multiply_small(step.product, next(small), row)
            self._store_rows(step.stores, row, names)
        for step in self.found.small:
            self._add_small(step, names)
        for node in self.found.sums:
            self._add_plain(node, names)

    def _store_rows(self, stores: Sequence[Store], row: Index, names: dict[int, str]) -> None:
        """Compute a step's values of one row; `names` receives where they are, by buffer."""
        e = self.emitter
        factor = loaded(self.found.last.product.inputs[1])
        singles = [s for s in stores if s.value.ndim == 1]
        for store, value in zip(singles, [e.value(s.value, (row,)) for s in singles], strict=True):
            names[store.buffer] = value.text
            for node in self._loads(store.buffer):
                e.bind(node, (row,), value)
        rows = [s for s in stores if s.value.ndim == 2]
        for store in rows:
            name = names[store.buffer] = "r" if store.buffer == factor else f"t{store.buffer}"
            if store.buffer != factor:
                vectors = self._vectors(store.value.shape[1])
                ctype = C_TYPES[store.value.dtype]
                e.line(f"{ctype}{self.lanes} {name}_v[{vectors}];")
                e.line(f"{ctype} *const {name} = ({ctype} *){name}_v;")
        for width in dict.fromkeys(s.value.shape[1] for s in rows):
            with e.loop("0", str(width), 0, width - 1) as column:
                together = [s for s in rows if s.value.shape[1] == width]
                values = [e.value(s.value, (row, column)) for s in together]
                for store, value in zip(together, values, strict=True):
                    e.line(f"{names[store.buffer]}[{column.text}] = {value.text};")
        for store in rows:
            for node in self._loads(store.buffer):
                e.keep_row(node, 1, (row, row), names[store.buffer])

    def _loads(self, buffer: int) -> Iterator[Node]:
        """Yield the nodes by which steps of the rows read a buffer."""
        roots = [s.value for step in self.found.follows for s in step.stores]
        roots += [step.product for step in products(self.found.follows)]
        return (node for node in walk(roots) if loaded(node) == buffer)

    def _multiply_small(self, product: Node, number: int, row: Index) -> None:
        """Multiply one row by a small matrix, and make the result known."""
        e, (k, n) = self.emitter, product.inputs[1].shape
        wide = self._vectors(n)
        for v in range(wide):
            e.line(f"{self.vector} d{number}_{v} = 0;")
        with e.loop("0", str(k), 0, k - 1) as at_k:
            value = e.value(product.inputs[0], (row, at_k))
            for v in range(wide):
                e.line(
                    f"d{number}_{v} += {value.text} * narrow{number}[{at_k.text} * {wide} + {v}];"
                )
        e.line(f"{self.vector} y{number}_v[{wide}];")
        for v in range(wide):
            e.line(f"y{number}_v[{v}] = d{number}_{v};")
        e.line(f"const {self.ctype} *const y{number} = (const {self.ctype} *)y{number}_v;")
        e.keep_row(product, 1, (row, row), f"y{number}")

    def _add_small(self, step: Product, names: dict[int, str]) -> None:
        """Add what one row gives to a product with a transposed matrix of what follows."""
        left, right = transposed(step), step.product.inputs[1]
        assert left is not None
        k, n = step.product.shape
        wide, name = self._vectors(n), names[loaded(right)]
        vectors = f"(({self.vector} *){name})"
        of_row = ", ".join(f"q{v} = {vectors}[{v}]" for v in range(wide))
        total, factor = self._total(step), names[loaded(left)]
        added = " ".join(f"{total}[k * {wide} + {v}] += {factor}[k] * q{v};" for v in range(wide))
        self.emitter.line(f"{{ const {self.vector} {of_row};")
        self.emitter.line(f"for (int k = 0; k < {k}; ++k) {{ {added} }} }}")

    def _add_plain(self, node: Node, names: dict[int, str]) -> None:
        """Add one row to a plain sum."""
        op, source = node.op, node.inputs[0]
        assert isinstance(op, Reduction)
        to, name = f"sum{self._results[id(node)]}", names[loaded(source)]
        if source.ndim == 1:
            self.emitter.line(f"{to}[0] += {name};")
            return
        place = "c" if op.axes == (0,) else "0"
        each = f"for (int c = 0; c < {source.shape[1]}; ++c)"
        self.emitter.line(f"{each} {to}[{place}] += {name}[c];")

    def _add(self, depth: str, across: int) -> None:
        """Add the packed rows, transposed, times ``right`` to the total of the part."""
        e = self.emitter
        for i in range(self.together):
            for v in range(across):
                e.line(f"const {self.vector} r{i}_{v} = right[{i * across + v}];")
        count, column = self._columns(depth, "unsure")
        integer = e.arguments.integer
        with e.block(f"for ({integer} k = 0; k < {count}; ++k)"):
            e.line(f"const {integer} at = {column};")
            for i in range(self.together):
                e.line(f"const {self.ctype} y{i} = packed[{i} * {depth} + at];")
            for v in range(across):
                e.line(f"{self.vector} t{v} = total[at * {across} + {v}];")
                for i in range(self.together):
                    e.line(f"t{v} += y{i} * r{i}_{v};")
                e.line(f"total[at * {across} + {v}] = t{v};")

    def _leave(self, name: str, kind: str, product: Node, depth: str = "") -> None:
        """Copy a part's product to its scratch memory, without what fills up its vectors."""
        e, (k, n) = self.emitter, product.shape
        number = self._results[id(product)]
        scratch = e.arguments.scratch(number, product.dtype, self.parts * k * n, write=True)
        length, stride = depth or str(k), self._vectors(n) * self.lanes
        each = f"for ({e.arguments.integer} k = 0; k < {length}; ++k) for (int c = 0; c < {n}; ++c)"
        to = f"{scratch}[(part * {length} + k) * {n} + c]"
        e.line(f"{each} {to} = (({kind}){name})[k * {stride} + c];")

    def _leave_sums(self) -> None:
        """Copy a part's plain sums to their scratch memory."""
        for node in self.found.sums:
            number, size = self._results[id(node)], self.parts * node.size
            scratch = self.emitter.arguments.scratch(number, node.dtype, size, write=True)
            to = f"{scratch}[part * {node.size} + i]"
            self.emitter.line(f"for (int i = 0; i < {node.size}; ++i) {to} = sum{number}[i];")

"""Softmax regression and the like in one pass: products, rows and sums over rows in one kernel.

Responsible for finding steps that walk the same rows one after the other, and for the kernel that
walks them once; knows nothing of other steps.

Where a matrix of many rows is multiplied by a narrow one, the rows of the product are turned into
others of their own (a softmax and its derivative), and these are multiplied by the matrix again and
summed up, all of it can be done for a few rows at a time, while they are in the cache::

    for each part of the rows, in a work-group of its own:
        for each few rows:
            pack them: casts, scales and gathers ride in this copy
            multiply by the narrow matrix; compute what follows from each row
            add (rows, transposed) x (what follows) to the part's sums, in registers row by row
    the sums of all parts are added up, with the updates that they are for

So a large matrix of bytes is read once instead of twice, and no value of a row goes to memory. The
order of summation depends on the number of rows alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from workbench.engine.backends.opencl.codegen.arguments import Arguments, Kernel
from workbench.engine.backends.opencl.codegen.ctypes import C_TYPES
from workbench.engine.backends.opencl.codegen.emitter import Emitter
from workbench.engine.backends.opencl.codegen.index import Index
from workbench.engine.backends.opencl.codegen.loops import LoopKernels, Parts
from workbench.engine.backends.opencl.codegen.reduce import reduce
from workbench.engine.backends.opencl.codegen.split import SumOfParts
from workbench.engine.backends.opencl.tunables import Target
from workbench.engine.graph.op import Reduction
from workbench.engine.graph.ops.dimshuffle import Dimshuffle
from workbench.engine.lower.memory import reads_of, writes_of
from workbench.engine.lower.node import Load, Node, walk
from workbench.engine.lower.plan import Buffer, Loops, Plan, Product, Store
from workbench.engine.lower.reach import Index as Reached
from workbench.engine.lower.reach import Inside, output_index, visit

#: Parts into which rows are cut, and rows that are worth a part; the same on every device.
_PARTS, _PART_ROWS = 64, 32
#: Vectors of sums that stay in registers.
_SUMS = 6
#: Numbers in a vector.
_LANES = {"float32": 16, "float64": 8}
#: Columns of the narrow matrix, and how long its own may be: what is packed fits a second cache.
_COLUMNS, _LENGTH = 32, 4096


@attrs.frozen(eq=False)
class Pass:
    """Steps that walk the same rows, in the order of the plan.

    Parameters
    ----------
    first
        The product of the rows' matrix.
    rows
        What follows from each row of it.
    after
        The product of the transposed matrix with what follows, and steps over sums of what follows.
    """

    first: Product
    rows: Loops
    after: tuple[Product | Loops, ...]

    @property
    def count(self) -> int:
        """The number of steps."""
        return 2 + len(self.after)

    @property
    def last(self) -> Product:
        """The product with the transposed matrix."""
        return next(step for step in self.after if isinstance(step, Product))


def find_pass(plan: Plan, start: int) -> Pass | None:
    """Return the pass that begins with a step of the plan, if one does."""
    if start + 2 >= len(plan.steps):
        return None
    first, rows = plan.steps[start : start + 2]
    if not (isinstance(first, Product) and isinstance(rows, Loops) and _fits(first, rows)):
        return None
    private = writes_of(first) | writes_of(rows)
    users = [i for i, step in enumerate(plan.steps) if reads_of(step) & private]
    if any(plan.buffers[b].role != "temp" for b in private) or min(users, default=0) <= start:
        return None
    after = plan.steps[start + 2 : max(users) + 1]
    steps = tuple(step for step in after if isinstance(step, Product | Loops))
    if len(steps) < len(after) or [type(s) for s in steps].count(Product) != 1:
        return None
    found = Pass(first, rows, steps)
    return found if _reads_own_rows(found) and _adds_up_rows(found, plan.buffers) else None


def _fits(first: Product, rows: Loops) -> bool:
    (m, n), k = first.product.shape, first.product.inputs[0].shape[1]
    shapes = [s.value.shape for s in first.stores]
    widths = [s.value.shape[1:] or (1,) for s in rows.stores]
    return (
        rows.rows == (m,)
        and m >= 2 * _PART_ROWS
        and 0 < k <= _LENGTH
        and all(shape == (m, n) for shape in shapes)
        and all(len(w) == 1 and 0 < w[0] <= _COLUMNS for w in [(n,), *widths])
    )


def _reads_own_rows(found: Pass) -> bool:
    """Whether what follows from a row reads that row of the product alone."""
    products = writes_of(found.first)

    def reads(store: Store) -> bool:
        seen: list[bool] = []

        def see(node: Node, index: Reached, inside: Inside) -> None:
            del inside
            if _buffer(node) in products:
                seen.append(node.ndim == 2 and index[0] == output_index(store.value)[0])

        visit(store.value, lambda node: not node.inputs, see)
        return all(seen)

    return all(reads(store) for store in found.rows.stores)


def _adds_up_rows(found: Pass, buffers: Sequence[Buffer]) -> bool:
    """Whether the steps after the rows need nothing of them but sums over all."""
    last, follows = found.last, writes_of(found.rows)
    moved, right = last.product.inputs
    before = found.after[: found.after.index(last)]
    private = follows | writes_of(found.first)

    def is_sum(node: Node, child: Node) -> bool:
        op = node.op
        whole = child.shape == buffers[_buffer(child)].shape and _buffer(child) in follows
        return whole and isinstance(op, Reduction) and op.fold == "sum" and op.axes[0] == 0

    roots = [s.value for step in found.after for s in step.stores]
    used = [(n, child) for n in walk(roots, stop={id(last.product)}) for child in n.inputs]
    return (
        moved.op == Dimshuffle((1, 0))
        and moved.inputs[0] is found.first.product.inputs[0]
        and right.ndim == 2
        and _buffer(right) in follows
        and right.shape == buffers[_buffer(right)].shape
        and not any(writes_of(step) & reads_of(attrs.evolve(last, stores=())) for step in before)
        and not any(_buffer(root) in private for root in roots)
        and all(is_sum(n, c) for n, c in used if n is not last.product and _buffer(c) in private)
    )


def _buffer(node: Node) -> int:
    """Return the number of the buffer that a node is the contents of, or -1."""
    return node.op.buffer if isinstance(node.op, Load) else -1


@attrs.define
class OnePassKernels:
    """Generates the kernels of one pass; call `kernels` once."""

    found: Pass
    buffers: Sequence[Buffer]
    target: Target
    wide: bool
    emitter: Emitter = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin the kernel's text."""
        arguments = Arguments(self.buffers, wide=self.wide)
        self.emitter = Emitter(arguments, reduce, keep_rows=True)

    def kernels(self, prefix: str) -> list[Kernel]:
        """Return the walk over the rows, then what each step makes of the sums."""
        sums = self._sums()
        numbers = {id(node): 4 + i for i, node in enumerate(sums)}
        made = [self._walk(f"{prefix}_rows", sums, numbers)]
        parts = {key: Parts(number, self.parts) for key, number in numbers.items()}
        for step in self.found.after:
            if isinstance(step, Product):
                adding = SumOfParts(self.buffers, self.target, self.wide)
                made.append(adding.kernel(step, self.parts, prefix))
            else:
                kernels = LoopKernels(self.buffers, self.target, self.wide)
                made += kernels.kernels(step, prefix, parts)
        return made

    @property
    def parts(self) -> int:
        """Parts into which the rows are cut."""
        return min(_PARTS, self.found.first.product.shape[0] // _PART_ROWS)

    @property
    def lanes(self) -> int:
        """Numbers in a vector."""
        return _LANES[self.found.first.product.dtype]

    @property
    def together(self) -> int:
        """Rows that are multiplied together."""
        columns = (self.found.first.product.shape[1], self.found.last.product.shape[1])
        return max(1, _SUMS // max(map(self._vectors, columns)))

    def _vectors(self, columns: int) -> int:
        return -(-columns // self.lanes)

    def _sums(self) -> list[Node]:
        """Return the sums over rows that the steps after them need."""
        follows = writes_of(self.found.rows)
        roots = [s.value for step in self.found.after for s in step.stores]
        below = walk(roots, stop={id(self.found.last.product)})
        return [
            n
            for n in below
            if n.inputs and _buffer(n.inputs[0]) in follows and n is not self.found.last.product
        ]

    def _walk(self, prefix: str, sums: Sequence[Node], numbers: Mapping[int, int]) -> Kernel:
        """Return the kernel that walks the rows; scratch memory 0 receives the last product."""
        e, first, last = self.emitter, self.found.first.product, self.found.last.product
        (m, n), k, width = first.shape, last.shape[0], last.shape[1]
        a, integer, ctype = e.arguments, e.arguments.integer, C_TYPES[first.dtype]
        vector, wide, across = f"{ctype}{self.lanes}", self._vectors(n), self._vectors(width)
        rows, depth, share = a.extent(m), a.extent(k), a.extent(-(-m // self.parts))
        out = a.scratch(0, first.dtype, self.parts * k * width, write=True)
        e.line(f"const {integer} part = get_group_id(0);")
        e.line(f"const {integer} row0 = min(part * {share}, {rows});")
        e.line(f"const {integer} row1 = min(row0 + {share}, {rows});")
        for name, number, count in (("narrow", 1, wide), ("total", 2, across)):
            size = k * count * self.lanes
            memory = a.scratch(number, first.dtype, self.parts * size, write=True)
            at = f"(__global {vector} *)({memory} + part * {depth} * {count * self.lanes})"
            e.line(f"__global {vector} *const {name} = {at};")
        packed = a.scratch(3, first.dtype, self.parts * self.together * k, write=True)
        e.line(f"__global {ctype} *const packed = {packed} + part * {depth} * {self.together};")
        self._pack_narrow(depth, vector, wide)
        e.line(f"for ({integer} i = 0; i < {depth} * {across}; ++i) total[i] = 0;")
        for node in sums:
            name = f"sum{numbers[id(node)]}"
            e.line(f"{C_TYPES[node.dtype]} {name}[{node.size}];")
            e.line(f"for (int i = 0; i < {node.size}; ++i) {name}[i] = 0;")
        with e.block(
            f"for ({integer} m2 = row0; m2 < row1; m2 += {self.together})", m // self.together
        ):
            e.line(f"const {integer} m3 = min(m2 + {self.together}, row1);")
            self._pack_rows(depth)
            self._multiply(depth, vector, wide)
            self._follow(vector, wide, across, sums, numbers)
            self._add(depth, vector, across)
        e.line(f"const __global {ctype} *const flat = (const __global {ctype} *)total;")
        to, there = f"{out}[(part * {depth} + k) * {width} + c]", f"k * {across * self.lanes} + c"
        each = f"for ({integer} k = 0; k < {depth}; ++k) for (int c = 0; c < {width}; ++c)"
        e.line(f"{each} {to} = flat[{there}];")
        for node in sums:
            scratch = a.scratch(numbers[id(node)], node.dtype, self.parts * node.size, write=True)
            to, name = f"{scratch}[part * {node.size} + i]", f"sum{numbers[id(node)]}"
            e.line(f"for (int i = 0; i < {node.size}; ++i) {to} = {name}[i];")
        label = self.found.first.label or prefix
        sizes, work = ((self.parts,), (1,)), m * k * (n + width)
        return a.kernel(prefix, e.body, sizes, label, work)

    def _pack_narrow(self, depth: str, vector: str, wide: int) -> None:
        """Copy the narrow matrix, every row filled up with zeros to whole vectors."""
        e, b = self.emitter, self.found.first.product.inputs[1]
        k, n = b.shape
        with e.loop("0", depth, 0, k - 1) as at_k:
            for v in range(wide):
                e.line(f"narrow[{at_k.text} * {wide} + {v}] = 0;")
            kind = f"__global {C_TYPES[b.dtype]} *"
            e.line(f"{kind}const to = ({kind})(narrow + {at_k.text} * {wide});")
            with e.loop("0", str(n), 0, n - 1) as at_n:
                e.line(f"to[{at_n.text}] = {e.value(b, (at_k, at_n)).text};")

    def _pack_rows(self, depth: str) -> None:
        """Copy a few rows of the matrix; what is missing of those is 0."""
        e, a = self.emitter, self.found.first.product.inputs[0]
        m, k = a.shape
        kind = f"__global {C_TYPES[a.dtype]} *"
        with e.loop("m2", "m3", 0, m - 1, trips=self.together) as at_m:
            e.line(f"{kind}const to = packed + ({at_m.text} - m2) * {depth};")
            with e.loop("0", depth, 0, k - 1) as at_k:
                e.line(f"to[{at_k.text}] = {e.value(a, (at_m, at_k)).text};")
        rest = f"(m3 - m2) * {depth}"
        e.line(f"for (int i = {rest}; i < {self.together} * {depth}; ++i) packed[i] = 0;")

    def _multiply(self, depth: str, vector: str, wide: int) -> None:
        """Multiply the packed rows by the narrow matrix; leave the sums in ``sums``."""
        e, ctype = self.emitter, C_TYPES[self.found.first.product.dtype]
        cells = [(i, v) for i in range(self.together) for v in range(wide)]
        for i, v in cells:
            e.line(f"{vector} c{i}_{v} = 0;")
        with e.block(f"for ({e.arguments.integer} k = 0; k < {depth}; ++k)"):
            for v in range(wide):
                e.line(f"const {vector} x{v} = narrow[k * {wide} + {v}];")
            for i in range(self.together):
                e.line(f"const {ctype} y{i} = packed[{i} * {depth} + k];")
                for v in range(wide):
                    e.line(f"c{i}_{v} += y{i} * x{v};")
        e.line(f"{vector} sums[{self.together * wide}];")
        for i, v in cells:
            e.line(f"sums[{i * wide + v}] = c{i}_{v};")

    def _follow(
        self, vector: str, wide: int, across: int, sums: Sequence[Node], numbers: Mapping[int, int]
    ) -> None:
        """Compute what follows from each row; leave the factor of the last product in ``right``."""
        e, first = self.emitter, self.found.first
        m = first.product.shape[0]
        ctype = C_TYPES[first.product.dtype]
        e.line(f"{vector} right[{self.together * across}];")
        e.line(f"for (int i = 0; i < {self.together * across}; ++i) right[i] = 0;")
        with e.loop("m2", "m3", 0, m - 1, trips=self.together) as row:
            at = f"({row.text} - m2)"
            e.line(f"const {ctype} *const z = (const {ctype} *)(sums + {at} * {wide});")
            e.line(f"{ctype} *const r = ({ctype} *)(right + {at} * {across});")
            self._keep_products(row)
            self._compute_rows(row, sums, numbers)

    def _keep_products(self, row: Index) -> None:
        """Make what the first step stores of a row known."""
        e, first = self.emitter, self.found.first
        _, n = first.product.shape
        loads = {_buffer(x): x for x in walk(s.value for s in self.found.rows.stores)}
        e.keep_row(first.product, 1, (row, row), "z")
        for store in first.stores:
            name = "z"
            if store.value is not first.product:
                name = e.name()
                e.line(f"{C_TYPES[store.value.dtype]} {name}[{n}];")
                with e.loop("0", str(n), 0, n - 1) as column:
                    value = e.value(store.value, (row, column))
                    e.line(f"{name}[{column.text}] = {value.text};")
            if store.buffer in loads:
                e.keep_row(loads[store.buffer], 1, (row, row), name)

    def _compute_rows(self, row: Index, sums: Sequence[Node], numbers: Mapping[int, int]) -> None:
        """Compute the values that follow, and add up those of which the sum is wanted."""
        e, factor = self.emitter, _buffer(self.found.last.product.inputs[1])
        by_buffer: dict[int, list[tuple[str, bool]]] = {}
        for node in sums:
            op = node.op
            assert isinstance(op, Reduction)
            place = f"sum{numbers[id(node)]}", op.axes == (0,)
            by_buffer.setdefault(_buffer(node.inputs[0]), []).append(place)
        scalars = [s for s in self.found.rows.stores if s.value.ndim == 1]
        values = [e.value(s.value, (row,)) for s in scalars]
        for store, value in zip(scalars, values, strict=True):
            for name, _ in by_buffer.get(store.buffer, []):
                e.line(f"{name}[0] += {value.text};")
        wide = [s for s in self.found.rows.stores if s.value.ndim == 2]
        for width in dict.fromkeys(s.value.shape[1] for s in wide):
            with e.loop("0", str(width), 0, width - 1) as column:
                for store in (s for s in wide if s.value.shape[1] == width):
                    value = e.value(store.value, (row, column))
                    for name, apart in by_buffer.get(store.buffer, []):
                        e.line(f"{name}[{column.text if apart else 0}] += {value.text};")
                    if store.buffer == factor:
                        e.line(f"r[{column.text}] = {value.text};")

    def _add(self, depth: str, vector: str, across: int) -> None:
        """Add the packed rows, transposed, times ``right`` to the totals of the part."""
        e, ctype = self.emitter, C_TYPES[self.found.first.product.dtype]
        for i in range(self.together):
            for v in range(across):
                e.line(f"const {vector} r{i}_{v} = right[{i * across + v}];")
        with e.block(f"for ({e.arguments.integer} k = 0; k < {depth}; ++k)"):
            for i in range(self.together):
                e.line(f"const {ctype} y{i} = packed[{i} * {depth} + k];")
            for v in range(across):
                e.line(f"{vector} t{v} = total[k * {across} + {v}];")
                for i in range(self.together):
                    e.line(f"t{v} += y{i} * r{i}_{v};")
                e.line(f"total[k * {across} + {v}] = t{v};")

"""Matrix products for GPUs: tiles in local memory, shared by a work-group.

Responsible for the functions and macros that make ``matmul_tiles.cl`` the kernel of a product step;
knows nothing of CPUs or of how the host launches it.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from workbench.core.resources import kernel_text
from workbench.engine.backends.opencl.codegen.arguments import NAME, Arguments, Kernel
from workbench.engine.backends.opencl.codegen.emitter import Emitter, Value
from workbench.engine.backends.opencl.codegen.index import Index, named
from workbench.engine.backends.opencl.codegen.layout import lies_by_column, product_key
from workbench.engine.backends.opencl.codegen.reduce import reduce
from workbench.engine.backends.opencl.tunables import GroupTile, Target
from workbench.engine.graph.types import C_TYPES
from workbench.engine.lower.node import Node
from workbench.engine.lower.plan import Buffer, Product


@attrs.frozen(eq=False)
class TilesKernel:
    """Generates the kernel of one product step.

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

    def kernel(self, prefix: str) -> Kernel:
        """Return the kernel with its launch."""
        product = self.step.product
        key = product_key(self.buffers, product) if self.target.tuned else ""
        tile = self.target.group_tile(key)
        a, b = product.inputs
        (m, n), k = product.shape, a.shape[1]
        arguments = Arguments(self.buffers, wide=self.wide)
        extents = [arguments.extent(length) for length in (m, n, k)]
        load_a = self._load(arguments, a, ("m", "k"))
        load_b = self._load(arguments, b, ("k", "n"))
        if self.parts > 1:
            epilogue = self._partial(arguments, extents)
            share = arguments.extent(-(-k // self.parts))
            first = f"min((INTEGER)get_group_id(2) * {share}, {extents[2]})"
            last = f"min(((INTEGER)get_group_id(2) + 1) * {share}, {extents[2]})"
        else:
            epilogue, first, last = self._epilogue(arguments), "0", extents[2]
        integer, ctype = arguments.integer, C_TYPES[product.dtype]
        given, passed = arguments.declared, ", ".join(arguments.names)
        at = "const {0} {1}, const {0} {2}"
        m_k, k_n, m_n = (at.format(integer, *pair) for pair in ("mk", "kn", "mn"))
        functions = [
            f"{ctype} {NAME}_a({given}, {m_k}) {{\n{load_a}}}\n",
            f"{ctype} {NAME}_b({given}, {k_n}) {{\n{load_b}}}\n",
            f"void {NAME}_store({given}, {m_n}, const {ctype} product) {{\n{epilogue}}}\n",
        ]
        macros = {
            "KERNEL_NAME": NAME,
            "REAL": ctype,
            "INTEGER": integer,
            "ARGUMENTS": given,
            "PROLOGUE": " ".join(arguments.prologue()),
            **dict(zip(("M_SIZE", "N_SIZE", "K_SIZE"), extents, strict=True)),
            "K_FIRST": first,
            "K_LAST": last,
            "LOAD_A(m, k)": f"{NAME}_a({passed}, m, k)",
            "LOAD_B(k, n)": f"{NAME}_b({passed}, k, n)",
            "STORE(m, n, product)": f"{NAME}_store({passed}, m, n, product)",
            "A_BY_COLUMN": str(int(lies_by_column(self.buffers, a))),
            "B_BY_COLUMN": str(int(lies_by_column(self.buffers, b))),
            **{name.upper(): str(value) for name, value in attrs.asdict(tile).items()},
        }
        text = "\n".join(
            [
                *functions,
                *(f"#define {key} {value}" for key, value in macros.items()),
                kernel_text("matmul_tiles.cl"),
                *(f"#undef {key.partition('(')[0]}" for key in macros),
            ]
        )
        return arguments.named(prefix, f"{text}\n", self._sizes(tile), self.step.label or prefix)

    def _sizes(self, tile: GroupTile) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the work-items in all, and those of a group."""
        m, n = self.step.product.shape
        local = (tile.group_columns, tile.group_rows)
        size = (
            -(-n // (tile.columns * local[0])) * local[0],
            -(-m // (tile.rows * local[1])) * local[1],
        )
        return ((*size, self.parts), (*local, 1)) if self.parts > 1 else (size, local)

    def _load(self, arguments: Arguments, operand: Node, names: tuple[str, str]) -> str:
        """Return the body of a function that loads an element."""
        emitter = Emitter(arguments, reduce)
        value = emitter.value(operand, self._index(names, operand.shape))
        return _body(emitter, f"return {value.text};")

    def _partial(self, arguments: Arguments, extents: Sequence[str]) -> str:
        """Return the body of a function that leaves an element's part in scratch memory."""
        product = self.step.product
        scratch = arguments.scratch(0, product.dtype, self.parts * product.size, write=True)
        row = f"(get_group_id(2) * {extents[0]} + m)"
        return f"  {scratch}[{row} * {extents[1]} + n] = product;\n"

    def _epilogue(self, arguments: Arguments) -> str:
        emitter = Emitter(arguments, reduce)
        index = self._index(("m", "n"), self.step.product.shape)
        emitter.bind(self.step.product, index, Value("product", 0))
        values = [emitter.value(store.value, index) for store in self.step.stores]
        for store, value in zip(self.step.stores, values, strict=True):
            emitter.store(store.buffer, index, value)
        return _body(emitter)

    @staticmethod
    def _index(names: tuple[str, str], shape: tuple[int, ...]) -> tuple[Index, Index]:
        first, second = (
            named(name, 0, 0, max(length - 1, 0)) for name, length in zip(names, shape, strict=True)
        )
        return first, second


def _body(emitter: Emitter, *last: str) -> str:
    return "".join(f"  {line}\n" for line in [*emitter.body, *last])

"""Products of few elements with a long inner axis: partial sums side by side, then their sum.

Responsible for when an inner axis is cut into parts, and for the kernel that adds these up; knows
neither family of products.
"""

from __future__ import annotations

import math

from workbench.engine.backends.opencl.codegen.arguments import Kernel
from workbench.engine.backends.opencl.codegen.index import Index, unflatten
from workbench.engine.backends.opencl.codegen.loops import LoopKernels
from workbench.engine.backends.opencl.codegen.reduce import reduce
from workbench.engine.graph.types import C_TYPES
from workbench.engine.lower.node import Node
from workbench.engine.lower.plan import Product

#: Rows and columns of a product that are work enough for a work-group.
_ROWS, _COLUMNS = 48, 64
#: Products of at least this many such blocks are not cut...
_BLOCKS = 4
#: ...others into at most so many parts, of at least this depth. The numbers are the same on every
#: device, as they decide the order of summation.
_PARTS, _DEPTH = 64, 1024
#: Elements whose parts a work-item of a CPU adds up together.
_BESIDE = 64


def parts_of(product: Node) -> int:
    """Return into how many parts a product's inner axis is cut."""
    m, n = product.shape
    k = product.inputs[0].shape[1]
    blocks = math.ceil(m / _ROWS) * math.ceil(n / _COLUMNS)
    return 1 if blocks >= _BLOCKS else max(1, min(_PARTS // blocks, k // _DEPTH))


class SumOfParts(LoopKernels):
    """Generates the kernel that adds up a product's parts and evaluates its epilogue."""

    def kernel(self, step: Product, parts: int, prefix: str, number: int = 0) -> Kernel:
        """Return the kernel; scratch memory `number` holds the parts."""
        product, size = step.product, step.product.size
        emitter = self._emitter(reduce)
        arguments, integer = emitter.arguments, emitter.arguments.integer
        scratch = arguments.scratch(number, product.dtype, parts * size)
        apart = arguments.extent(size)
        # On a CPU, so many elements side by side make vectors.
        few = _BESIDE if self.target.is_cpu else 1
        each = f"for ({integer} j = 0; j < stop - start; ++j)"

        def elements(chunk: Index) -> None:
            total = emitter.name()
            emitter.line(f"const {integer} start = {chunk.text} * {few};")
            emitter.line(f"const {integer} stop = min(start + {few}, {apart});")
            emitter.line(f"{C_TYPES[product.dtype]} {total}[{few}];")
            emitter.line(f"{each} {total}[j] = 0;")
            with emitter.loop("0", str(parts), 0, parts - 1) as part:
                emitter.work += emitter.path[-1].trips * few
                emitter.line(f"{each} {total}[j] += {scratch}[{part.text} * {apart} + start + j];")
            with emitter.loop("start", "stop", 0, size - 1, trips=few) as flat:
                index = unflatten(flat, product.shape)
                sum_ = emitter.define(
                    C_TYPES[product.dtype], f"{total}[{flat.text} - start]", emitter.depth
                )
                emitter.bind(product, index, sum_)
                values = [emitter.value(store.value, index) for store in step.stores]
                for store, value in zip(step.stores, values, strict=True):
                    emitter.store(store.buffer, index, value)

        label = step.label or prefix
        return self._kernel(emitter, prefix, label, (-(-size // few),), elements)

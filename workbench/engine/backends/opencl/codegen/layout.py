"""How the elements of a matrix lie in memory, whatever expression it is.

Responsible for that one question, which decides the loops that copy it, and for what products are
called by those who remember how fast they were.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.engine.backends.opencl.codegen.arguments import Arguments
from workbench.engine.backends.opencl.codegen.emitter import Emitter
from workbench.engine.backends.opencl.codegen.index import Index
from workbench.engine.backends.opencl.codegen.reduce import reduce
from workbench.engine.backends.opencl.tunables import ProductKey
from workbench.engine.lower.node import Load, Node, walk
from workbench.engine.lower.plan import Buffer


def lies_by_column(buffers: Sequence[Buffer], matrix: Node) -> bool:
    """Whether elements of a column, rather than of a row, lie side by side in memory."""
    trial = Emitter(Arguments(buffers), reduce)
    rows, columns = matrix.shape
    with trial.loop("0", "1", 0, rows - 1) as row, trial.loop("0", "1", 0, columns - 1) as column:
        trial.value(matrix, (row, column))
    # What depends on the row or the column alone is an index or a scale, not the matrix.
    loads = [address for address in trial.addresses if len(address.terms) > 1]

    def beside(counter: Index) -> bool:
        return any(address.stride(counter.terms[0][0]) == 1 for address in loads)

    return beside(row) and not beside(column)


def product_key(buffers: Sequence[Buffer], product: Node) -> ProductKey:
    """Return what decides how fast a product is: its sizes, how its operands lie, their bytes."""
    (m, n), k = product.shape, product.inputs[0].shape[1]
    layout = "".join("NT"[lies_by_column(buffers, operand)] for operand in product.inputs)
    loads = [
        max(
            (node for node in walk([operand]) if isinstance(node.op, Load)),
            key=lambda node: node.size,
            default=operand,
        ).dtype
        for operand in product.inputs
    ]
    return f"{m}x{k}x{n} {layout} {product.dtype} of {' and '.join(loads)}"

"""Kernels of running sums: totals of parts, then the sums within every part.

Responsible for how an axis is cut up; the arithmetic is in `kernels/cumulate.cl`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.engine.backends.opencl.codegen.arguments import Arguments, Kernel
from workbench.engine.backends.opencl.tunables import Target
from workbench.engine.graph.op import Cumulative
from workbench.engine.lower.node import Load
from workbench.engine.lower.plan import Buffer, Cumulate, Store

#: Parts have at least so many elements, and there are at most so many of them in a row; on every
#: device, so that the bits of the result do not depend on it.
SHORTEST_PART, MOST_PARTS = 128, 1024
#: Work-items of a group on a CPU, where each walks a part alone.
_CPU_GROUP = 8


def cumulate_kernels(
    step: Cumulate, buffers: Sequence[Buffer], target: Target, wide: bool, prefix: str
) -> list[Kernel]:
    """Return the kernels of a step, in the order in which they run."""
    made: list[Kernel] = []
    for store in step.stores:
        if store.value.size:
            made += _of_store(store, buffers, target, wide, prefix, step.label or prefix)
    return made


def _of_store(
    store: Store, buffers: Sequence[Buffer], target: Target, wide: bool, prefix: str, label: str
) -> list[Kernel]:
    node, source = store.value, store.value.inputs[0]
    op = node.op
    assert isinstance(op, Cumulative)
    assert isinstance(source.op, Load)
    read = source.op.buffer
    n, inner = node.shape[op.axis], math.prod(node.shape[op.axis + 1 :])
    part = max(SHORTEST_PART, -(-n // MOST_PARTS))
    parts = -(-n // part)
    items = node.size // n * parts
    group = _CPU_GROUP if target.is_cpu else target.group_size
    sizes = (-(-items // group) * group,), (group,)

    def kernel(function: str, suffix: str, *, last: bool) -> Kernel:
        arguments = Arguments(buffers, wide=wide)
        given = [arguments.buffer(read)]
        # A row of one part needs no totals; the pointer is not looked at then.
        elements = 2 * items if parts > 1 else 1
        given.append(arguments.scratch(0, node.dtype, elements, write=not last))
        if last:
            given.append(arguments.buffer(store.buffer, write=True))
        integer = arguments.integer
        end = arguments.extent(items)
        lengths = [arguments.extent(value) for value in (n, inner, part, parts)]
        call = ", ".join([*given, "item", *lengths, str(int(op.reverse))])
        body = [
            f"const {integer} item = get_global_id(0);",
            f"if (item < {end}) {function}({call});",
        ]
        return arguments.kernel(f"{prefix}{suffix}", body, sizes, label + suffix, items * part)

    totals = [kernel("wb_part_sums", "_parts", last=False)] if parts > 1 else []
    return [*totals, kernel("wb_running_sums", "", last=True)]

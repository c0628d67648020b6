"""How much arithmetic a step is, and how many bytes it has to move.

Responsible for counting what the step asks for, whoever runs it and however; knows no kernel.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from workbench.engine.graph.op import Cumulative, Elementwise, MatMul, Movement, Reduction
from workbench.engine.lower.node import Load, Node, walk
from workbench.engine.lower.plan import Copy, Plan, Product, Repeat, Step


@attrs.frozen
class Cost:
    """Work of one run of a step.

    Parameters
    ----------
    flops
        Additions and multiplications of matrix products, additions of sums and other folds, and
        evaluations of elementwise operations, which count once each. What is computed more than
        once, because that is cheaper than storing it, counts once.
    size_bytes
        Elements that are read, each once, and elements that are written.
    """

    flops: int
    size_bytes: int


def cost(step: Step, plan: Plan) -> Cost:
    """Return what a step of `plan` costs; what it repeats, in all turns together."""
    if isinstance(step, Repeat):
        turn = [cost(inner, step.plan) for inner in step.plan.steps]
        flops, size_bytes = sum(c.flops for c in turn), sum(c.size_bytes for c in turn)
        return Cost(step.count * flops, step.count * size_bytes)
    if isinstance(step, Copy):
        return Cost(0, 2 * plan.buffers[step.source].size_bytes)
    values = [store.value for store in step.stores]
    roots = [step.product, *values] if isinstance(step, Product) else values
    written = sum(_bytes(value.size, value) for value in values)
    return Cost(sum(map(_flops, walk(roots))), _read(roots) + written)


def _flops(node: Node) -> int:
    if isinstance(node.op, MatMul):
        return 2 * node.size * node.inputs[0].shape[1]
    if isinstance(node.op, Reduction | Cumulative):
        return node.inputs[0].size
    return node.size if isinstance(node.op, Elementwise) else 0


def _read(roots: Sequence[Node]) -> int:
    """Return the bytes of all elements of buffers that are needed, each counted once."""
    needed: dict[int, int] = {}
    stack = [(root, root.size) for root in roots]
    while stack:
        node, count = stack.pop()
        if needed.get(id(node), -1) >= count:
            continue
        needed[id(node)] = count
        # A slice or a gather needs no more of what it is taken from than it has itself.
        moved = isinstance(node.op, Movement)
        stack += [(child, min(child.size, count) if moved else child.size) for child in node.inputs]
    by_buffer: dict[int, int] = {}
    for node in walk(roots):
        if isinstance(node.op, Load):
            of_this = _bytes(needed[id(node)], node)
            by_buffer[node.op.buffer] = max(by_buffer.get(node.op.buffer, 0), of_this)
    return sum(by_buffer.values())


def _bytes(count: int, node: Node) -> int:
    return count * np.dtype(node.dtype).itemsize

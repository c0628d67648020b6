"""Padding: values with zeros around them.

Responsible for recognising them; knows nothing of who wants to know.
"""

from __future__ import annotations

from workbench.engine.graph.ops.shape import BroadcastTo
from workbench.engine.graph.ops.slicing import Insert
from workbench.engine.lower.node import Literal, Node

#: Neighbours in memory that are worth copying together, and testing together for a padding.
RUN = 4


def padded(node: Node) -> Node | None:
    """Return the value that `node` is with zeros around it; None where it is something else."""
    if not isinstance(node.op, Insert) or not set(node.op.steps) <= {1}:
        return None
    around, value, *_ = node.inputs
    if not isinstance(around.op, BroadcastTo):
        return None
    (filling,) = around.inputs
    is_zero = isinstance(filling.op, Literal) and filling.op.value == 0
    return value if is_zero else None

"""Movements that move nothing: dropped, joined or folded into the loads below them.

Responsible for rewriting single nodes as they are made; knows nothing of steps.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.engine.graph.op import Elementwise, Op
from workbench.engine.graph.ops.shape import BroadcastTo, Reshape, Retype
from workbench.engine.graph.ops.slicing import Insert
from workbench.engine.graph.ops.take import Take
from workbench.engine.graph.types import Shape
from workbench.engine.lower.node import Load, Node, Nodes, Stretch

#: How much arithmetic a reshape may be moved below; it is not shared with other uses any more.
_CHEAP = 3


def make(
    nodes: Nodes, op: Op, inputs: Sequence[Node], shape: Shape, dtype: str, label: str
) -> Node:
    """Return a node for `op` on `inputs`, or a simpler one of the same value."""
    if isinstance(op, Reshape | Retype | BroadcastTo | Stretch) and inputs[0].shape == shape:
        return inputs[0]
    if isinstance(op, Insert) and inputs[1].shape == shape and set(op.steps) <= {1}:
        return inputs[1]
    if isinstance(op, Reshape):
        source = inputs[0]
        while isinstance(source.op, Reshape):
            source = source.inputs[0]
        folded = _reshaped(nodes, source, shape)
        if folded is not None:
            return folded
        inputs = [source]
    return nodes.make(op, inputs, shape, dtype, label)


def _reshaped(nodes: Nodes, node: Node, shape: Shape) -> Node | None:
    """Return `node` under another shape by reshaping the loads below it, or None if that is dear.

    A load is the buffer's contents in C order, so another shape costs nothing there.
    """
    if node.shape == shape:
        return node
    if isinstance(node.op, Load):
        return nodes.make(node.op, (), shape, node.dtype, node.label)
    inputs: list[Node | None]
    if isinstance(node.op, Elementwise) and node.op.cost <= _CHEAP:
        inputs = [_reshaped(nodes, n, shape) if n.ndim else n for n in node.inputs]
    elif isinstance(node.op, Take) and node.op.flags == ((False,),) and shape[:1] == node.shape[:1]:
        source, rows = node.inputs
        inputs = [_reshaped(nodes, source, (source.shape[0], *shape[1:])), rows]
    else:
        return None
    found = [n for n in inputs if n is not None]
    if len(found) < len(inputs):
        return None
    return nodes.make(node.op, found, shape, node.dtype, node.label)

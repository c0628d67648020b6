"""Movements that move nothing: dropped, joined or folded into the loads below them.

Responsible for rewriting single nodes as they are made; knows nothing of steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.engine.graph.op import Elementwise, Op
from workbench.engine.graph.ops.registry import OPS
from workbench.engine.graph.ops.shape import BroadcastTo, Reshape, Retype
from workbench.engine.graph.ops.slicing import Insert, Slice
from workbench.engine.graph.ops.take import Take
from workbench.engine.graph.types import Shape
from workbench.engine.lower.arrange import arrange
from workbench.engine.lower.node import Literal, Load, Node, Nodes, Stretch

#: How much arithmetic a reshape may be moved below; it is not shared with other uses any more.
_CHEAP = 3


def make(
    nodes: Nodes, op: Op, inputs: Sequence[Node], shape: Shape, dtype: str, label: str
) -> Node:
    """Return a node for `op` on `inputs`, or a simpler one of the same value."""
    if isinstance(op, Reshape | Retype | BroadcastTo | Stretch) and inputs[0].shape == shape:
        return inputs[0]
    if isinstance(op, Slice) and inputs[0].shape == shape and set(op.steps) <= {1}:
        return inputs[0]
    if isinstance(op, Insert) and inputs[1].shape == shape and set(op.steps) <= {1}:
        return inputs[1]

    if op.name == "true_div" and (inverse := _exact_inverse(nodes, inputs[1])) is not None:
        # The same bits for a fraction of the time, so that it may ride in a product's loads.
        times = OPS["mul"].op
        assert isinstance(times, Op)
        op, inputs = times, [inputs[0], inverse]

    def again(op: Op, inputs: Sequence[Node], shape: Shape, dtype: str) -> Node:
        return make(nodes, op, inputs, shape, dtype, label)

    arranged = arrange(again, op, inputs, shape, dtype)
    if arranged is not None:
        return arranged
    if isinstance(op, Reshape):
        source = inputs[0]
        while isinstance(source.op, Reshape):
            source = source.inputs[0]
        folded = _reshaped(nodes, source, shape)
        if folded is not None:
            return folded
        inputs = [source]
    return nodes.make(op, inputs, shape, dtype, label)


def _exact_inverse(nodes: Nodes, divisor: Node) -> Node | None:
    """Return the node of 1 / `divisor` where that is a power of two, whose inverse is exact."""
    if not isinstance(divisor.op, Literal) or not divisor.dtype.startswith("float"):
        return None
    value = float(divisor.op.value)
    mantissa, exponent = math.frexp(value)
    # The inverse must be a normal number in float32 as well.
    if mantissa != 0.5 or abs(exponent) > 100:
        return None
    text = repr(1 / value)
    return nodes.make(Literal(text, divisor.dtype), (), (), divisor.dtype, divisor.label)


def _reshaped(nodes: Nodes, root: Node, shape: Shape) -> Node | None:
    """Return `root` under another shape by reshaping the loads below it; None if that is dear."""
    made: dict[tuple[int, Shape], Node] = {}
    stack = [(root, shape, False)]
    while stack:
        node, wanted, ready = stack.pop()
        below = _below(node, wanted)
        if below is None:
            return None
        if ready or not below:
            inputs = [made[id(n), s] for n, s in below]
            same = node.shape == wanted
            made[id(node), wanted] = (
                node if same else nodes.make(node.op, inputs, wanted, node.dtype, node.label)
            )
        elif (id(node), wanted) not in made:
            stack.append((node, wanted, True))
            stack += [(n, s, False) for n, s in below]
    return made[id(root), shape]


def _below(node: Node, shape: Shape) -> list[tuple[Node, Shape]] | None:
    """Return the inputs with the shapes that give `node` another shape, or None if that is dear.

    A load is the buffer's contents in C order, so another shape costs nothing there.
    """
    if node.shape == shape or isinstance(node.op, Load):
        return []
    if isinstance(node.op, Elementwise) and node.op.cost <= _CHEAP:
        return [(n, shape if n.ndim else ()) for n in node.inputs]
    if isinstance(node.op, Take) and node.op.flags == ((False,),) and shape[:1] == node.shape[:1]:
        source, rows = node.inputs
        # Where no row is taken, rows of any length have the same elements.
        if math.prod(shape[1:]) == math.prod(node.shape[1:]):
            return [(source, (source.shape[0], *shape[1:])), (rows, rows.shape)]
    return None

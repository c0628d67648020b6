"""Cones: all that is computed in place for one stored value.

Responsible for saying what a stored value reads, which reductions it holds and whether they are in
the right place; knows nothing of how stored values share kernels.
"""

from __future__ import annotations

import math

import attrs

from workbench.engine.graph.op import Elementwise, MatMul, Movement, Piecewise, Reduction
from workbench.engine.graph.types import Shape
from workbench.engine.lower.node import Leaf, Node
from workbench.engine.lower.reach import Index, Inside, output_index, visit
from workbench.engine.lower.turns import Turns

#: A row of a kernel is walked serially by one work-item; beyond this many elements it is cut up
#: instead.
MAX_SERIAL = 4096
#: Values at least this dear (in additions) are stored rather than computed in two kernels.
DEAR = 8


Pattern = tuple[frozenset[int], ...]


@attrs.frozen(eq=False)
class Cone:
    """What is computed in place for one stored value.

    Parameters
    ----------
    loads
        Stored values and leaves with contents that it reads.
    inner
        Nodes computed on the way.
    reductions
        Reductions on the way, with the output axes on which each depends.
    nested
        Reductions inside which another one would be computed over and over.
    aligned
        Loads read only at the very index that is being computed (by id).
    patterns
        How the index of each node follows from that of the value: by axis, the loops on which it
        depends, those of any reduction being -1.
    """

    loads: dict[int, Node]
    inner: dict[int, Node]
    reductions: dict[int, tuple[Node, frozenset[int]]]
    nested: dict[int, Node]
    aligned: set[int]
    patterns: dict[int, set[Pattern]] = attrs.Factory(dict)

    def rows(self, root: Node) -> Shape:
        """Return the parallel index space in which each reduction is computed once."""
        axes = frozenset().union(*(own for _, own in self.reductions.values()))
        return root.shape[: max(axes) + 1] if axes else root.shape

    def misplaced(self, root: Node) -> list[Node]:
        """Return the nodes to store because computing them in place would repeat work."""
        if self.nested:
            return [outer.inputs[0] for outer in self.nested.values()]
        loops = {axis for axis, length in enumerate(root.shape) if length != 1}
        whole: frozenset[int] = frozenset()
        for _, own in self.reductions.values():
            leading = {axis for axis in loops if axis <= max(own, default=-1)}
            serial = math.prod(root.shape[max(own, default=-1) + 1 :])
            if own == leading and serial <= MAX_SERIAL and (own or not loops):
                whole = max(whole, own, key=len)
        keep = bool(whole) or not loops
        return [node for node, own in self.reductions.values() if not (keep and own == whole)]


def is_leaf(node: Node) -> bool:
    """Whether a step is given the value."""
    return isinstance(node.op, Leaf)


def cone_of(root: Node, stored: set[int]) -> Cone:
    """Return what computing `root` in place entails, given what else is stored."""
    cone = Cone({}, {}, {}, {}, set())
    if isinstance(root.op, Turns):
        cone.loads.update((id(n), n) for n in root.inputs)
        return cone
    identity = output_index(root)
    misaligned: set[int] = set()

    def stop(node: Node) -> bool:
        return is_leaf(node) or id(node) in stored

    def see(node: Node, index: Index, inside: Inside) -> None:
        pattern = tuple(frozenset(max(loop, -1) for loop in i.loops) for i in index)
        cone.patterns.setdefault(id(node), set()).add(pattern)
        if node is not root and stop(node):
            cone.loads[id(node)] = node
            at_home = index == identity and node.shape == root.shape
            (cone.aligned if at_home else misaligned).add(id(node))
            return
        cone.inner[id(node)] = node
        if isinstance(node.op, Reduction):
            loops = frozenset().union(*(i.loops for i in index)) if index else frozenset()
            repeating = next((outer for outer, own in inside if own & loops), None)
            if repeating is not None:
                cone.nested[id(repeating)] = repeating
            _, before = cone.reductions.get(id(node), (node, frozenset()))
            cone.reductions[id(node)] = (node, before | loops)

    visit(root, stop, see)
    cone.aligned.difference_update(misaligned)
    return cone


def weight(node: Node, stored: set[int]) -> int:
    """Return the rough cost of computing one element of `node` in place, in additions."""
    total = 0
    pending, seen = [node], {id(node)}
    while pending:
        current = pending.pop()
        if is_leaf(current) or (current is not node and id(current) in stored):
            continue
        if isinstance(current.op, Reduction):
            total += max(DEAR, current.inputs[0].size // max(current.size, 1))
        elif isinstance(current.op, MatMul):
            total += DEAR
        elif isinstance(current.op, Elementwise):
            total += current.op.cost
        elif isinstance(current.op, Piecewise):
            total += 2
        # Where an element lies is found once a row.
        moved = isinstance(current.op, Movement)
        for child in current.inputs[:1] if moved else current.inputs:
            if id(child) not in seen:
                seen.add(id(child))
                pending.append(child)
    return total

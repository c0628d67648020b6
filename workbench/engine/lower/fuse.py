"""Fusion: which values are stored, and which stores share a kernel.

Responsible for cutting the nodes into groups, each of which becomes one step; knows nothing of
their order, of buffers or of devices.

A value is *stored* when something outside its kernel needs it; everything else is computed where it
is used. The search starts from what must be stored and stores more only where computing in place
would repeat work:

1. Outputs, updates, matrix products, running sums and what they add up, and operands too dear for
   a product's loads are stored.
2. A reduction stays inside a kernel when it is computed once for each row of the kernel's index
space; otherwise it
   (or, for a reduction inside a reduction, the outer one's operand) is stored.
3. Elementwise values over a product at the same index become its epilogue; kernels over the same
rows that share
   work become one kernel.
4. Dear values that several kernels still share are stored, and the search starts over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from workbench.engine.graph.op import (
    Cumulative,
    Elementwise,
    MatMul,
    Movement,
    Piecewise,
    Reduction,
)
from workbench.engine.lower.cone import DEAR, Cone, cone_of, is_leaf, weight
from workbench.engine.lower.grouping import Group, Grouping, merge
from workbench.engine.lower.node import Node, walk
from workbench.engine.lower.padding import RUN, padded
from workbench.engine.lower.turns import Turns

#: What may ride in the load of a product's operand: a cast, a scale and the like.
CHEAP_OPERAND = 3


@attrs.frozen
class FuseOptions:
    """Whether to fuse at all; without, each operation is a step of its own."""

    fuse: bool = True


class Fusion:
    """The search for groups. Call `run` once."""

    def __init__(self, roots: Iterable[Node], options: FuseOptions) -> None:
        self.options = options
        self.roots = list(roots)
        self.order = list(walk(self.roots))
        self.position = {id(n): i for i, n in enumerate(self.order)}
        self.stored: dict[int, Node] = {}
        self._store(self.roots)
        for node in self.order:
            if isinstance(node.op, MatMul):
                self._store([node])
        for node in self.order:
            if isinstance(node.op, MatMul):
                self._store(self._unmoved(n) for n in node.inputs if not self._rides(n))
            elif isinstance(node.op, Cumulative | Turns):
                self._store([node, *node.inputs])
        if not options.fuse:
            self._store(self.order)

    def run(self) -> list[Group]:
        """Return the groups; every stored value is in exactly one."""
        while True:
            everything = set(self.stored)
            cones = {key: cone_of(node, everything) for key, node in self.stored.items()}
            if self._store(self._misplaced(cones)):
                continue
            groups = self._group(Grouping(self.stored, cones))
            if self._store(self._shared_work(groups)):
                continue
            return groups

    def _store(self, nodes: Iterable[Node]) -> bool:
        new = [n for n in nodes if not is_leaf(n) and id(n) not in self.stored]
        self.stored.update((id(n), n) for n in new)
        return bool(new)

    def _rides(self, operand: Node) -> bool:
        """Whether an operand may be computed in the loads of its product."""
        if is_leaf(operand):
            return True
        below = list(self._in_place(operand))
        computed = [n for n in below if id(n) not in self.stored]
        if any(_is_gap(n) for n in computed) and not all(
            isinstance(n.op, Movement) or is_leaf(n) or _is_gap(n) for n in computed
        ):
            return False
        computed = [n for n in computed if not _is_gap(n)]
        if any(isinstance(n.op, (Reduction, Piecewise)) for n in computed):
            return False
        arithmetic = sum(n.op.cost for n in computed if isinstance(n.op, Elementwise))
        return arithmetic <= (0 if any(isinstance(n.op, MatMul) for n in below) else CHEAP_OPERAND)

    def _in_place(self, root: Node) -> Iterator[Node]:
        """Yield what lies below `root`, down to leaves and stored values, these included.

        What only computes where an element lies is left out: it is computed once a row.
        """
        pending, seen = [root], {id(root)}
        while pending:
            node = pending.pop()
            yield node
            if not is_leaf(node) and id(node) not in self.stored:
                inputs = node.inputs[:1] if isinstance(node.op, Movement) else node.inputs
                new = [n for n in inputs if id(n) not in seen]
                seen.update(id(n) for n in new)
                pending += new

    @staticmethod
    def _unmoved(node: Node) -> Node:
        """Return what a chain of transposes, slices and the like starts from: they cost nothing."""
        while isinstance(node.op, Movement) or _is_gap(node):
            node = node.inputs[1 if _is_gap(node) else 0]
        return node

    def _misplaced(self, cones: dict[int, Cone]) -> list[Node]:
        for key, cone in cones.items():
            root = self.stored[key]
            found = cone.misplaced(root)
            if isinstance(root.op, MatMul):
                # Some may be left in a gather's indices.
                found = [
                    n
                    for n in cone.inner.values()
                    if isinstance(n.op, Reduction | Piecewise) and not _is_gap(n)
                ]
            if found:
                return found
        return []

    def _group(self, grouping: Grouping) -> list[Group]:
        nodes = sorted(self.stored.values(), key=lambda n: self.position[id(n)])
        for node in nodes:
            if isinstance(node.op, MatMul):
                grouping.add(Group([], node.shape, node))
        runs: dict[object, Group] = {}
        for node in nodes:
            if isinstance(node.op, MatMul):
                continue
            if isinstance(node.op, Turns):
                run = node.op.run(node.inputs)
                if run in runs:
                    grouping.join(runs[run], node)
                else:
                    runs[run] = Group([node], ())
                    grouping.add(runs[run])
                continue
            host = self._epilogue_host(node, grouping) if self.options.fuse else None
            if host is not None:
                grouping.join(host, node)
            else:
                grouping.add(Group([node], grouping.cones[id(node)].rows(node)))
        if self.options.fuse:
            merge(grouping)
        roots = {id(n) for n in self.roots}
        for group in grouping.groups:
            key = id(group.product)
            group.keeps_product = group.product is not None and (
                key in roots or grouping.read_outside(key, group) or not group.sinks
            )
        return grouping.groups

    def _epilogue_host(self, node: Node, grouping: Grouping) -> Group | None:
        """Return the product whose epilogue can compute `node`: the last that it reads in place."""
        cone = grouping.cones[id(node)]
        if cone.reductions or any(isinstance(n.op, Piecewise) for n in cone.inner.values()):
            return None
        hosts = {id(g): g for key in cone.aligned if (g := grouping.of.get(key)) and g.product}
        latest_first = sorted(hosts.values(), key=lambda g: -self.position[id(g.product)])
        for group in latest_first:
            members = {id(n) for n in group.members}
            mine = members & set(cone.loads)
            others = [key for key in cone.loads if key in self.stored and key not in members]
            in_place = mine <= cone.aligned and not self._moved(cone, members)
            if in_place and not any(grouping.depends(key, group) for key in others):
                return group
        return None

    def _moved(self, cone: Cone, members: set[int]) -> bool:
        """Whether a value of a kernel is read through a movement, even if that moves nothing."""
        moves = [n for n in cone.inner.values() if isinstance(n.op, Movement)]
        sources = [n.inputs[0] for n in moves]
        return any(id(n) in members for n in walk(sources, stop=self.stored))

    def _shared_work(self, groups: list[Group]) -> list[Node]:
        """Return dear values that more than one group would compute in place."""
        users: dict[int, set[int]] = {}
        nodes: dict[int, Node] = {}
        for number, group in enumerate(groups):
            outside = set(self.stored) - {id(n) for n in group.members}
            for start in group.members:
                for key, node in cone_of(start, outside).inner.items():
                    if key not in self.stored:
                        users.setdefault(key, set()).add(number)
                        nodes[key] = node
        everything = set(self.stored)
        dear = [
            node
            for key, node in nodes.items()
            if len(users[key]) > 1 and node.size > 1 and weight(node, everything) >= DEAR
        ]
        # Only the outermost: once they are stored, what lies below them is private again.
        below = {id(child) for node in dear for child in walk(node.inputs)}
        return [node for node in dear if id(node) not in below]


def _is_gap(node: Node) -> bool:
    """Whether zeros around a value may be left to a product's loads: whole runs of them."""
    return padded(node) is not None and node.shape[-1] % RUN == 0

"""Groups: stored values that share one kernel.

Responsible for putting values into groups without making a kernel wait for itself; knows nothing of
which values have to be stored.
"""

from __future__ import annotations

import attrs

from workbench.engine.graph.op import Cumulative
from workbench.engine.graph.types import Shape
from workbench.engine.lower.cone import DEAR, Cone, cone_of, weight
from workbench.engine.lower.node import Node
from workbench.engine.lower.turns import Turns


@attrs.define(eq=False)
class Group:
    """One kernel to be: the stored values that it computes.

    Parameters
    ----------
    sinks
        The values, in an order in which they may be computed.
    rows
        The parallel index space (for loops).
    product
        The matrix product at its heart, or None.
    keeps_product
        Whether the bare product itself is stored too.
    """

    sinks: list[Node]
    rows: Shape
    product: Node | None = None
    keeps_product: bool = False

    @property
    def members(self) -> list[Node]:
        """The product, if any, and the sinks."""
        return [self.product, *self.sinks] if self.product is not None else self.sinks

    @property
    def is_alone(self) -> bool:
        """Whether nothing else may be computed in the kernel."""
        return any(isinstance(n.op, Cumulative | Turns) for n in self.sinks)

    @property
    def stored(self) -> list[Node]:
        """Every value that the kernel writes to memory."""
        return self.members if self.keeps_product else self.sinks


class Grouping:
    """Which group each stored value is in, and which group has to wait for which.

    Parameters
    ----------
    stored
        Every stored value by id.
    cones
        What each entails, by id.
    """

    def __init__(self, stored: dict[int, Node], cones: dict[int, Cone]) -> None:
        self.stored = stored
        self.cones = cones
        self.groups: list[Group] = []
        self.of: dict[int, Group] = {}

    def add(self, group: Group) -> None:
        """Take a new group in."""
        self.groups.append(group)
        self.of.update((id(n), group) for n in group.members)

    def join(self, group: Group, node: Node) -> None:
        """Put a stored value into an existing group."""
        group.sinks.append(node)
        self.of[id(node)] = group

    def absorb(self, group: Group, other: Group) -> None:
        """Put all of `other` into `group`."""
        self.groups.remove(other)
        for node in other.sinks:
            self.join(group, node)

    def reads(self, group: Group) -> set[int]:
        """Return the ids of stored values of other groups that a group reads."""
        own = {id(n) for n in group.members}
        return {
            key
            for node in group.members
            for key in self.cones[id(node)].loads
            if key in self.stored and key not in own
        }

    def read_outside(self, key: int, group: Group) -> bool:
        """Whether a value of `group` is read by another group."""
        return any(key in self.reads(other) for other in self.groups if other is not group)

    def depends(self, key: int, group: Group) -> bool:
        """Whether the stored value `key` comes from `group` or can only be computed after it."""
        pending, seen = [key], {key}
        while pending:
            current = pending.pop()
            home = self.of.get(current)
            if home is group:
                return True
            below = self.reads(home) if home is not None else set(self.cones[current].loads)
            for child in below:
                if child in self.stored and child not in seen:
                    seen.add(child)
                    pending.append(child)
        return False


def merge(grouping: Grouping) -> None:
    """Merge groups of loops over the same rows that share work, if none then waits for itself."""
    merged = True
    while merged:
        merged = False
        loops = [g for g in grouping.groups if g.product is None and not g.is_alone]
        for i, first in enumerate(loops):
            for second in loops[i + 1 :]:
                if _share_work(first, second, grouping) and _may_merge(first, second, grouping):
                    grouping.absorb(first, second)
                    merged = True
                    break
            if merged:
                break


def _share_work(first: Group, second: Group, grouping: Grouping) -> bool:
    if first.rows != second.rows:
        return False
    if first.rows == ():
        # Single numbers: a launch costs more than the work.
        return True
    one, two = (_union(g, grouping) for g in (first, second))
    if one.reductions and two.reductions:
        common = one.loads.keys() & two.loads.keys()
        same = {k for k in common if one.loads[k].size > 1} | (
            one.reductions.keys() & two.reductions.keys()
        )
        return any(one.patterns[k] & two.patterns[k] for k in same)
    if one.reductions or two.reductions:
        return False
    stored = set(grouping.stored)
    shared = one.inner.keys() & two.inner.keys()
    if any(weight(one.inner[k], stored) >= DEAR for k in shared):
        return True
    return any(id(n) in two.aligned for n in first.sinks) or any(
        id(n) in one.aligned for n in second.sinks
    )


def _union(group: Group, grouping: Grouping) -> Cone:
    cones = [grouping.cones[id(n)] for n in group.sinks]
    united = Cone({}, {}, {}, {}, set())
    for cone in cones:
        united.loads.update(cone.loads)
        united.inner.update(cone.inner)
        united.reductions.update(cone.reductions)
        united.aligned.update(cone.aligned)
        for key, found in cone.patterns.items():
            united.patterns.setdefault(key, set()).update(found)
    return united


def _may_merge(first: Group, second: Group, grouping: Grouping) -> bool:
    for one, other in ((first, second), (second, first)):
        own = {id(n) for n in one.sinks}
        if any(
            grouping.depends(key, other)
            for key in grouping.reads(one)
            if grouping.of[key] is not other
        ):
            return False
        members = own | {id(n) for n in other.sinks}
        outside = set(grouping.stored) - members
        for node in one.sinks:
            direct = grouping.cones[id(node)].loads.keys() & members
            if not direct:
                continue
            whole = cone_of(node, outside)
            if not direct <= grouping.cones[id(node)].aligned or whole.misplaced(node):
                return False
            if whole.rows(node) != one.rows:
                return False
    return True

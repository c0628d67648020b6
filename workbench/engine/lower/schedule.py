"""Scheduling: groups in a right order, updates in place where safe, and buffers for the rest.

Responsible for turning groups into a plan; knows neither how groups were found nor how steps are
run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from workbench.engine.lower.cone import Cone, cone_of, is_leaf
from workbench.engine.lower.grouping import Group
from workbench.engine.lower.memory import share_temps
from workbench.engine.lower.node import Load, Node, walk
from workbench.engine.lower.plan import Copy, Cumulate, Loops, Plan, Product, Repeat, Step, Store
from workbench.engine.lower.specialise import Specialised
from workbench.engine.lower.turns import Turns


@attrs.define(eq=False)
class _Task:
    """A step in the making.

    Parameters
    ----------
    group, copy
        What it computes, or the buffers that it copies from and to.
    old
        Buffers whose contents from before the run it reads (inputs, constants, shared variables).
    new
        Buffers that it reads after another task has written them.
    writes
        Buffers that it writes.
    targets
        Buffers for each stored value, by node id.
    """

    group: Group | None
    copy: tuple[int, int] | None = None
    old: set[int] = attrs.Factory(set)
    new: set[int] = attrs.Factory(set)
    writes: set[int] = attrs.Factory(set)
    targets: dict[int, list[int]] = attrs.Factory(dict)


@attrs.frozen(eq=False)
class Update:
    """The new value of the shared variable behind a buffer."""

    buffer: int
    value: Node


@attrs.frozen(eq=False)
class Turn:
    """A turn of a loop: its plan, the values that this is passed, the states that it carries."""

    plan: Plan
    scalars: tuple[np.generic, ...]
    states: tuple[int, ...]


class Scheduler:
    """Makes one plan out of groups. Call `run` once."""

    def __init__(
        self,
        made: Specialised,
        groups: Sequence[Group],
        outputs: Sequence[Node],
        updates: Sequence[Update],
        turns: Mapping[int, Turn],
    ) -> None:
        self.made = made
        self.groups = groups
        self.outputs = outputs
        self.turns = turns
        self.updates = [u for u in updates if _load_id(u.value) != u.buffer]
        #: Where a stored value can be read, by node id.
        self.home: dict[int, int] = {}
        self.tasks: list[_Task] = []
        self.task_of: dict[int, _Task] = {}

    def run(self) -> Plan:
        """Return the plan."""
        for group in self.groups:
            task = _Task(group)
            self.tasks.append(task)
            self.task_of.update((id(n), task) for n in group.stored)
        self._place_runs()
        output_ids = self._place_outputs()
        self._place_updates_and_temps()
        self._note_reads()
        self._resolve_hazards()
        ordered = self._ordered()
        assert ordered is not None
        steps = [self._step(task) for task in ordered]
        buffers = share_temps(self.made.buffers, steps)
        dtypes = tuple(v.dtype for v in self.made.scalars)
        return Plan(buffers, tuple(self.made.constants), dtypes, tuple(steps), tuple(output_ids))

    def _place_runs(self) -> None:
        """Give what loops read and write temps: rings of results are no place for whole arrays."""
        for group in filter(is_run, self.groups):
            for node in {id(n): n for n in (*group.sinks, *group.sinks[0].inputs)}.values():
                if id(node) in self.task_of and id(node) not in self.home:
                    self._write(node, self._temp(node))

    def _place_outputs(self) -> list[int]:
        """Give each output its buffer; return the buffer id of each."""
        ids: list[int] = []
        for number, node in enumerate(self.outputs):
            buffer = self.made.buffer("output", number, node.shape, node.dtype).id
            ids.append(buffer)
            self._write(node, buffer)
        return ids

    def _write(self, node: Node, buffer: int) -> None:
        """Let a value be written to a buffer by its group, or by a step of its own."""
        source = _load_id(node)
        if isinstance(node.op, Turns):
            source = self.home.get(id(node))
            if source is not None:
                self.tasks.append(_Task(None, (source, buffer), new={source}, writes={buffer}))
                return
        if source is not None:
            self.tasks.append(_Task(None, (source, buffer), old={source}, writes={buffer}))
            return
        if id(node) not in self.task_of:
            task = _Task(Group([node], node.shape))
            self.tasks.append(task)
            self.task_of[id(node)] = task
        task = self.task_of[id(node)]
        task.targets.setdefault(id(node), []).append(buffer)
        task.writes.add(buffer)
        self.home.setdefault(id(node), buffer)

    def _place_updates_and_temps(self) -> None:
        direct = {}
        for update in self.updates:
            if _load_id(update.value) is None and id(update.value) not in direct:
                direct[id(update.value)] = update
        for group in self.groups:
            for node in group.stored:
                if id(node) not in self.home and id(node) not in direct:
                    self._write(node, self._temp(node))
        for update in self.updates:
            self._write(update.value, update.buffer)

    def _temp(self, node: Node) -> int:
        return self.made.buffer("temp", -1, node.shape, node.dtype).id

    def _note_reads(self) -> None:
        """Set what each group's task reads, given where stored values now are."""
        for task in self.tasks:
            if task.group is None:
                continue
            members = {id(n) for n in task.group.members}
            loads = [
                item
                for start in task.group.members
                for item in self._cone(start, members).loads.items()
            ]
            leaves = [_load_id(node) for _, node in loads]
            task.old = {buffer for buffer in leaves if buffer is not None}
            task.new = {self.home[key] for key, node in loads if not is_leaf(node)}

    def _cone(self, node: Node, members: set[int]) -> Cone:
        return cone_of(node, set(self.task_of) - members)

    def _resolve_hazards(self) -> None:
        """Send an update through a temporary where writing in place would spoil what is read."""
        for update in self.updates:
            writer = next(t for t in self.tasks if update.buffer in t.writes)
            if self._safe_within(writer, update.buffer) and self._ordered() is not None:
                continue
            self._detour(writer, update)

    def _detour(self, writer: _Task, update: Update) -> None:
        aside = self._temp(update.value)
        self.tasks.append(_Task(None, (aside, update.buffer), new={aside}, writes={update.buffer}))
        writer.writes = (writer.writes - {update.buffer}) | {aside}
        if writer.copy is not None:
            # A copy between shared variables: the old value goes aside first.
            writer.copy = (writer.copy[0], aside)
            return
        targets = writer.targets[id(update.value)]
        targets[targets.index(update.buffer)] = aside
        if self.home[id(update.value)] == update.buffer:
            self.home[id(update.value)] = aside
            self._note_reads()

    def _safe_within(self, task: _Task, buffer: int) -> bool:
        """Whether the task reads what it overwrites only at the element being written."""
        if task.copy is not None or buffer not in task.old:
            return True
        group = task.group
        assert group is not None
        if (
            group.product is None
            and any(n.shape != group.rows for n in group.sinks)
            and len(group.sinks) > 1
        ):
            return False
        members = {id(n) for n in group.members}
        for start in group.members:
            cone = self._cone(start, members)
            for key, node in cone.loads.items():
                if _load_id(node) == buffer and (key not in cone.aligned or start is group.product):
                    return False
        return True

    def _ordered(self) -> list[_Task] | None:
        """Return the tasks in a right order, or None if there is none.

        Producers run first, readers of an old value before it is overwritten, otherwise tasks stay
        as they came.
        """
        before: dict[int, set[int]] = {i: set() for i in range(len(self.tasks))}
        for i, writer in enumerate(self.tasks):
            for j, other in enumerate(self.tasks):
                if i != j and writer.writes & other.new:
                    before[j].add(i)
                if i != j and writer.writes & other.old:
                    before[i].add(j)
        order: list[_Task] = []
        done: set[int] = set()
        while len(order) < len(self.tasks):
            ready = next((i for i in before if i not in done and before[i] <= done), None)
            if ready is None:
                return None
            done.add(ready)
            order.append(self.tasks[ready])
        return order

    def _step(self, task: _Task) -> Step:
        if task.copy is not None:
            return Copy(*task.copy, label="copy")
        group = task.group
        assert group is not None
        label = next((n.label for n in group.members if n.label), "")
        if is_run(group):
            return self._repeat(task, group, label)
        members = {id(n) for n in group.members}
        replace = _Replacer(self.made, {k: b for k, b in self.home.items() if k not in members})
        stores = tuple(
            Store(buffer, replace(node))
            for node in group.stored
            for buffer in task.targets[id(node)]
        )
        if group.product is not None:
            return Product(replace(group.product), stores, label)
        if group.is_alone:
            return Cumulate(stores, label)
        return Loops(stores, group.rows, label)

    def _repeat(self, task: _Task, group: Group, label: str) -> Repeat:
        first, turn = group.sinks[0], self.turns[id(group)]
        assert isinstance(first.op, Turns)
        body = first.op.body
        where = [self._where(n) for n in first.inputs]
        a, b = len(body.elements), len(body.elements) + len(body.states)
        outputs: list[int] = []
        final: list[tuple[int, int]] = []
        for node in group.sinks:
            (target,) = task.targets[id(node)]
            if isinstance(node.op, Turns) and node.op.kind == "last":
                final.append((turn.states.index(node.op.number), target))
            else:
                outputs.append(target)
        return Repeat(
            first.op.count,
            body.backwards,
            turn.plan,
            turn.scalars,
            (*where[:a], *where[b:]),
            tuple(where[a + j] for j in turn.states),
            tuple(outputs),
            tuple(final),
            label,
        )

    def _where(self, node: Node) -> int:
        """Return the buffer in which a stored value or the contents of a buffer are."""
        source = _load_id(node)
        return self.home[id(node)] if source is None else source


class _Replacer:
    """Rebuilds an expression with stored values replaced by loads of their buffers."""

    def __init__(self, made: Specialised, home: dict[int, int]) -> None:
        self.made = made
        self.home = home
        self.done: dict[int, Node] = {}

    def __call__(self, root: Node) -> Node:
        for node in walk([root], stop=self.home):
            if id(node) not in self.done:
                self.done[id(node)] = self._rebuild(node)
        return self.done[id(root)]

    def _rebuild(self, node: Node) -> Node:
        if is_leaf(node):
            return node
        if id(node) in self.home:
            return self.made.load(self.made.buffers[self.home[id(node)]], node.label)
        return self.made.nodes.make(
            node.op, (self.done[id(n)] for n in node.inputs), node.shape, node.dtype, node.label
        )


def is_run(group: Group) -> bool:
    """Whether a group is a run of a loop."""
    return any(isinstance(n.op, Turns) for n in group.sinks)


def _load_id(node: Node) -> int | None:
    return node.op.buffer if isinstance(node.op, Load) else None

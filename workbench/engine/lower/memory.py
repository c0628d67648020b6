"""Memory: temporaries that are never alive together share an allocation.

Responsible for `Buffer.storage` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from workbench.engine.lower.node import Load, walk
from workbench.engine.lower.plan import Buffer, Copy, Product, Repeat, Step


def reads_of(step: Step) -> set[int]:
    """Return the ids of the buffers that a step reads."""
    if isinstance(step, Copy):
        return {step.source}
    if isinstance(step, Repeat):
        return {*step.inputs, *step.initial}
    roots = [store.value for store in step.stores]
    if isinstance(step, Product):
        roots.append(step.product)
    return {node.op.buffer for node in walk(roots) if isinstance(node.op, Load)}


def writes_of(step: Step) -> set[int]:
    """Return the ids of the buffers that a step writes."""
    if isinstance(step, Copy):
        return {step.target}
    if isinstance(step, Repeat):
        return {*step.outputs, *(buffer for _, buffer in step.final)}
    return {store.buffer for store in step.stores}


def share_temps(buffers: Sequence[Buffer], steps: Sequence[Step]) -> tuple[Buffer, ...]:
    """Return the buffers with `storage` set on the temps: reused after a last reader."""
    last_use: dict[int, int] = {}
    for number, step in enumerate(steps):
        for buffer in reads_of(step) | writes_of(step):
            last_use[buffer] = number
    storage: dict[int, int] = {}
    free: list[tuple[int, int]] = []
    sizes: list[int] = []
    for number, step in enumerate(steps):
        for buffer in sorted(writes_of(step)):
            if buffers[buffer].role == "temp" and buffer not in storage:
                storage[buffer] = _take(free, sizes, buffers[buffer].size_bytes)
        touched = _temps(reads_of(step) | writes_of(step), buffers)
        free += [(sizes[storage[b]], storage[b]) for b in touched if last_use[b] == number]
    return tuple(attrs.evolve(b, storage=storage.get(b.id, -1)) for b in buffers)


def _temps(ids: Iterable[int], buffers: Sequence[Buffer]) -> list[int]:
    return sorted(i for i in ids if buffers[i].role == "temp")


def _take(free: list[tuple[int, int]], sizes: list[int], size_bytes: int) -> int:
    """Return a free allocation that is large enough and not wastefully so, else a new one."""
    fitting = sorted(entry for entry in free if size_bytes <= entry[0] <= 2 * max(size_bytes, 64))
    if fitting:
        free.remove(fitting[0])
        return fitting[0][1]
    sizes.append(size_bytes)
    return len(sizes) - 1

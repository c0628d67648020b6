"""Whether a plan fits into a device's memory, before any of it is asked for.

Responsible for adding up what a plan takes; knows nothing of kernels.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.engine.backends.opencl.faults import layer_of
from workbench.engine.backends.opencl.runtime import Runtime
from workbench.engine.lower.plan import Buffer, Copy, Plan, Repeat


def check_room(plan: Plan, slots: int, runtime: Runtime) -> None:
    """Raise OutOfMemory, with the layer at fault, if a plan's own memory does not fit.

    Shared variables are not the plan's own, and scratch memory is known only with the kernels: each
    of these is looked at when it is allocated.
    """
    wanted = dict(_wanted(plan, slots, ()))
    if wanted:
        largest = max(wanted, key=lambda key: wanted[key][0])
        size, buffer, inside = wanted[largest]
        label = _label(inside, buffer)
        what = f"intermediate values of {label}" if label else "intermediate values"
        total = sum(size for size, _, _ in wanted.values())
        runtime.check_room(total, size, what, layer_of(label))


#: The path of plans within plans, and what the memory is within the last of them.
_Key = tuple[tuple[int, ...], str, int]


def _wanted(
    plan: Plan, slots: int, path: tuple[int, ...], given: frozenset[int] = frozenset()
) -> Iterator[tuple[_Key, tuple[int, Buffer, Plan]]]:
    """Yield every allocation with its size, its largest buffer last, and that buffer's plan."""
    sizes: dict[tuple[str, int], int] = {}
    for buffer in plan.buffers:
        outside = buffer.role == "shared" and not path
        if outside or buffer.id in given:
            continue
        size = buffer.size_bytes * (slots if buffer.role == "output" else 1)
        place = ("temp", buffer.storage) if buffer.role == "temp" else ("", buffer.id)
        if size >= sizes.get(place, 0):
            sizes[place] = size
            yield (path, *place), (size, buffer, plan)
    for number, step in enumerate(plan.steps):
        if isinstance(step, Repeat):
            taken = {b.id for b in step.plan.buffers if b.role in ("input", "element")}
            behind = frozenset(taken | set(step.plan.outputs))
            yield from _wanted(step.plan, step.count, (*path, number), behind)


def _label(plan: Plan, buffer: Buffer) -> str:
    """Return what computes a buffer, as plans call it; nothing where nobody does."""
    for step in plan.steps:
        if isinstance(step, Copy):
            written = [step.target]
        elif isinstance(step, Repeat):
            written = [*step.outputs, *(end for _, end in step.final)]
        else:
            written = [store.buffer for store in step.stores]
        if buffer.id in written:
            return step.label
    return ""

"""Steps of a plan that go on with the same rows, so that whoever has computed some can go on alone.

Responsible for telling which steps those are, and how many rows each work-group of a CPU takes;
knows nothing of the text of kernels.

What a mini-batch goes through is such a chain: the products of the layers, the softmax with its
loss, and the products that carry the derivative back. Only the derivatives by the parameters sum
over all rows. Without the chain every one of these steps is a launch, which waits until the last
thread is through with the one before, and leaves its results to whichever processor comes next.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

import attrs

from workbench.engine.backends.opencl.codegen.loops import long_folds
from workbench.engine.backends.opencl.codegen.rowpass import reads_own_rows
from workbench.engine.backends.opencl.codegen.split import parts_of
from workbench.engine.backends.opencl.tunables import PACKING, Target
from workbench.engine.lower.memory import reads_of, writes_of
from workbench.engine.lower.plan import Buffer, Loops, Plan, Product

#: Rows that are worth a work-group, and so many that all they go through stays in its cache.
_FEWEST_ROWS, _MOST_ROWS = 16, 256
#: Products and additions that a processor's unit makes while a launch begins and ends.
_LAUNCH = 800_000


@attrs.frozen(eq=False)
class Chain:
    """Steps that go on with the same rows, in the order of the plan.

    Parameters
    ----------
    steps
        The steps. The first is a product.
    run
        How many rows a work-group takes.
    """

    steps: tuple[Product | Loops, ...]
    run: int


def find_chain(plan: Plan, start: int, target: Target) -> Chain | None:
    """Return the chain that begins with a step of the plan, if one does that is worth it."""
    first = plan.steps[start]
    if target.product != "panels" or not isinstance(first, Product) or not _is_whole(first):
        return None
    rows, units = first.product.shape[0], target.compute_units
    if rows < _FEWEST_ROWS * units or not _writes_rows(first, rows, plan.buffers):
        return None
    steps: list[Product | Loops] = [first]
    private = writes_of(first)
    memory = _memory(first, plan.buffers)
    for step in plan.steps[start + 1 :]:
        if not isinstance(step, Product | Loops) or not _goes_on(step, rows, private, plan.buffers):
            break
        own = _memory(step, plan.buffers)
        if any(memory.get(key, buffer) != buffer for key, buffer in own.items()):
            # What lies there one after the other would be there together.
            break
        # What was read until now, of whichever rows, must not be overwritten.
        if writes_of(step) & set(memory.values()):
            break
        steps.append(step)
        private |= writes_of(step)
        memory |= own
    rounds = -(-rows // (units * _MOST_ROWS))
    run = -(-rows // (units * rounds))
    return Chain(tuple(steps), run) if _is_worth_it(steps, rounds, units) else None


def _is_whole(step: Product) -> bool:
    """Whether there is a product to compute, and its inner axis is not cut into parts."""
    return step.product.size > 0 and parts_of(step.product) == 1


def _writes_rows(step: Product | Loops, rows: int, buffers: Sequence[Buffer]) -> bool:
    """Whether a step writes rows, and nothing that outlives the run but results."""
    written = [buffers[number] for number in writes_of(step)]
    return bool(written) and all(
        buffer.role in ("temp", "output") and buffer.shape[:1] == (rows,) for buffer in written
    )


def _goes_on(
    step: Product | Loops, rows: int, private: Collection[int], buffers: Sequence[Buffer]
) -> bool:
    """Whether a step computes rows from those of the chain at the same place alone."""
    if isinstance(step, Product):
        fits = _is_whole(step)
    else:
        fits = step.rows[:1] == (rows,) and not long_folds(step.stores)
    return fits and _writes_rows(step, rows, buffers) and reads_own_rows(step, private)


def _memory(step: Product | Loops, buffers: Sequence[Buffer]) -> dict[Hashable, int]:
    """Return what stands for the memory that a step uses, with the buffer that lies there."""
    used = [buffers[number] for number in reads_of(step) | writes_of(step)]
    return {("temp", b.storage) if b.role == "temp" else ("buffer", b.id): b.id for b in used}


def _is_worth_it(steps: Sequence[Product | Loops], rounds: int, units: int) -> bool:
    """Whether the launches that are saved are worth more than what is packed once for each group.

    Apart, the groups of a product share its columns, and a group packs but its own.
    """
    rights = [step.product.inputs[1] for step in steps if isinstance(step, Product)]
    packed = sum(right.size for right in rights) * PACKING * rounds * (units - 1) // units
    return packed < _LAUNCH * (len(steps) - 1)

"""The reference device: plans interpreted in NumPy, the oracle for every kernel.

Responsible for running plans without any driver; it never goes beyond what a plan says, and knows
no other device.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

from workbench.engine.backends.base import MOST_LAUNCHES, Counters, DeviceInfo, Launch
from workbench.engine.backends.watch import Watch
from workbench.engine.graph.variable import HostStorage, SharedVariable, shared
from workbench.engine.lower.node import HostScalar, Literal, Load, Node, walk
from workbench.engine.lower.plan import Copy, Plan, Product, Repeat

INFO = DeviceInfo(
    id="reference",
    name="NumPy",
    platform="NumPy",
    type="reference",
    driver=np.__version__,
    float64=True,
    compute_units=1,
    memory_bytes=0,
)


class ReferenceDevice:
    """NumPy as a device. It launches no kernels, and its counters say so.

    Parameters
    ----------
    profile
        Whether the time of each step is kept for `launches`.
    """

    def __init__(self, *, profile: bool = False) -> None:
        self.info = INFO
        self.counters = Counters()
        #: Nothing is ever waited for.
        self.watch = Watch()
        self.lost = False
        self._launched: deque[Launch] | None = deque(maxlen=MOST_LAUNCHES) if profile else None

    def place(self, shared: SharedVariable) -> None:
        """Bring the numbers into host memory."""
        if not isinstance(shared.storage, HostStorage):
            shared.storage = HostStorage(shared.storage.read())

    def bind(self, plan: Plan, shared: Sequence[SharedVariable], slots: int) -> ReferenceExecutable:
        """Return the plan ready to be interpreted."""
        return ReferenceExecutable(plan, shared, slots, self._launched)

    def finish(self) -> None:
        """Return at once: nothing runs in the background."""

    def launches(self) -> list[Launch]:
        """Return what has run since the last call."""
        taken = list(self._launched or ())
        if self._launched is not None:
            self._launched.clear()
        return taken


class ReferenceExecutable:
    """One plan with its memory."""

    def __init__(
        self,
        plan: Plan,
        shared: Sequence[SharedVariable],
        slots: int,
        launched: deque[Launch] | None = None,
    ) -> None:
        self.plan = plan
        self._launched = launched
        self.shared = shared
        self.rings = [
            np.zeros((slots, *plan.buffers[b].shape), plan.buffers[b].dtype) for b in plan.outputs
        ]
        self._repeated = {
            id(step): _Repeated(step) for step in plan.steps if isinstance(step, Repeat)
        }

    def enqueue(
        self, inputs: Sequence[np.ndarray], scalars: Sequence[np.generic], slot: int
    ) -> None:
        """Run the steps in order and keep the outputs in `slot`."""
        memory: dict[int, np.ndarray] = {}
        for buffer in self.plan.buffers:
            if buffer.role == "input":
                memory[buffer.id] = inputs[buffer.number]
            elif buffer.role == "element":
                memory[buffer.id] = inputs[buffer.number][slot]
            elif buffer.role == "shared":
                memory[buffer.id] = _numbers(self.shared[buffer.number])
            elif buffer.role == "constant":
                memory[buffer.id] = self.plan.constants[buffer.number]
        for number, step in enumerate(self.plan.steps):
            began = time.perf_counter()
            if isinstance(step, Copy):
                # A copy may also give the same elements another shape.
                shape = self.plan.buffers[step.target].shape
                written = {step.target: memory[step.source].reshape(shape)}
            elif isinstance(step, Repeat):
                written = self._repeated[id(step)].run(memory)
            else:
                values: dict[int, np.ndarray] = {}
                roots = [store.value for store in step.stores]
                for node in walk([step.product, *roots] if isinstance(step, Product) else roots):
                    values[id(node)] = _value(node, values, memory, scalars)
                written = {store.buffer: values[id(store.value)] for store in step.stores}
            memory.update(written)
            for target in written:
                buffer = self.plan.buffers[target]
                if buffer.role == "shared":
                    self.shared[buffer.number].storage.write(np.array(memory[target], order="C"))
            if self._launched is not None:
                seconds = time.perf_counter() - began
                self._launched.append(Launch(self.plan, (number,), step.label, seconds))
        for ring, output in zip(self.rings, self.plan.outputs, strict=True):
            ring[slot] = memory[output]

    def collect(self, slots: int) -> list[np.ndarray]:
        """Return the first `slots` results of each output."""
        return [ring[:slots].copy() for ring in self.rings]


class _Repeated:
    """A step that repeats a plan, with the memory of its states."""

    def __init__(self, step: Repeat) -> None:
        self.step = step
        buffers = [b for b in step.plan.buffers if b.role == "shared"]
        self.states = [shared(np.zeros(b.shape, b.dtype)) for b in buffers]
        self.turn = ReferenceExecutable(step.plan, self.states, step.count)

    def run(self, memory: Mapping[int, np.ndarray]) -> dict[int, np.ndarray]:
        """Take all turns; return what is written, by the number of its buffer."""
        step, buffers = self.step, self.step.plan.buffers
        carried = [b for b in buffers if b.role == "shared"]
        for state, source, buffer in zip(self.states, step.initial, carried, strict=True):
            state.storage.write(memory[source].reshape(buffer.shape).copy())
        for place in step.places:
            self.turn.enqueue([memory[b] for b in step.inputs], step.scalars, place)
        results = zip(step.outputs, self.turn.collect(step.count), strict=True)
        return dict(results) | {b: self.states[i].get_value() for i, b in step.final}


def _numbers(shared: SharedVariable) -> np.ndarray:
    """Return the numbers themselves, not a copy; nothing here writes into them."""
    storage = shared.storage
    return storage.value if isinstance(storage, HostStorage) else storage.read()


def _value(
    node: Node,
    values: dict[int, np.ndarray],
    memory: dict[int, np.ndarray],
    scalars: Sequence[np.generic],
) -> np.ndarray:
    op = node.op
    if isinstance(op, Load):
        return memory[op.buffer].reshape(node.shape)
    if isinstance(op, Literal):
        return np.asarray(op.value)
    if isinstance(op, HostScalar):
        return np.asarray(scalars[op.number])
    with np.errstate(all="ignore"):
        result = op.reference([values[id(n)] for n in node.inputs], node.shape)
    return np.asarray(result, dtype=node.dtype).reshape(node.shape)

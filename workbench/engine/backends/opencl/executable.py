"""Plans bound to a device: buffers allocated, kernels built, arguments set once.

Responsible for running a plan at little cost a launch; knows nothing of how kernels are generated.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np

from workbench.core.errors import DeviceError
from workbench.engine.backends.opencl.codegen.arguments import (
    Argument,
    BufferArgument,
    ExtentArgument,
    Kernel,
    ScalarArgument,
    ScratchArgument,
    SlotArgument,
)
from workbench.engine.backends.opencl.codegen.program import generate, repeated_kernels
from workbench.engine.backends.opencl.driver import cl
from workbench.engine.backends.opencl.runtime import DeviceStorage, Runtime
from workbench.engine.backends.opencl.tunables import Target
from workbench.engine.graph.variable import SharedVariable, shared
from workbench.engine.lower.plan import Buffer, Copy, Plan, Repeat

#: Runs that may wait in the queue; beyond it `enqueue` waits for an older one.
MAX_RUNS_IN_FLIGHT = 64

#: A kernel and the position of one of its arguments.
_Place = tuple[cl.Kernel, int]


@attrs.frozen(eq=False)
class _Launch:
    """A kernel with its launch, in the form in which the driver takes it."""

    kernel: cl.Kernel
    global_size: tuple[int, ...]
    local_size: tuple[int, ...]
    steps: tuple[int, ...]
    label: str


@attrs.frozen(eq=False)
class _Move:
    """A copy between two buffers of the plan."""

    source: Buffer
    target: Buffer
    steps: tuple[int, ...]
    label: str = "copy"


@attrs.frozen(eq=False)
class _Turns:
    """A plan to be repeated, bound to the memory of the one that repeats it."""

    step: Repeat
    executable: OpenCLExecutable


class OpenCLExecutable:
    """One plan with its memory and its kernels; made by `OpenCLDevice.bind`.

    Parameters
    ----------
    runtime, target
        The device, and how kernels are cut for it.
    plan, shared, slots
        As for `Device.bind`.
    place
        Brings a shared variable's numbers to the device.
    given
        Memory of buffers that is not the plan's own, by number of the buffer.
    """

    def __init__(
        self,
        runtime: Runtime,
        target: Target,
        plan: Plan,
        shared: Sequence[SharedVariable],
        slots: int,
        place: Callable[[SharedVariable], None],
        given: Mapping[int, cl.Buffer] | None = None,
    ) -> None:
        self.plan = plan
        self._runtime = runtime
        self._shared = list(shared)
        self._place = place
        self._slots = slots
        self._in_flight: deque[cl.Event] = deque()
        self._inputs = [b for b in plan.buffers if b.role == "input"]
        self._shared_buffers = [b for b in plan.buffers if b.role == "shared"]
        self._memory = self._allocate(given or {})
        #: Where the arguments are that may have to be set again.
        self._of_buffer: dict[int, list[_Place]] = {
            b: [] for b in [*(b.id for b in self._shared_buffers), *(given or ())]
        }
        self._of_scalar: list[list[_Place]] = [[] for _ in plan.scalar_dtypes]
        self._of_slot: list[tuple[cl.Kernel, int, int]] = []
        #: The bytes of the values that are set.
        self._scalars: list[bytes | None] = [None] * len(plan.scalar_dtypes)
        self._slot = 0
        self._work = self._build(target)

    def enqueue(
        self, inputs: Sequence[np.ndarray], scalars: Sequence[np.generic], slot: int
    ) -> None:
        """Start one run: upload inputs, set what has changed, launch."""
        self._rebind_shared()
        for buffer in self._inputs:
            self._runtime.upload(self._memory[buffer.id], inputs[buffer.number])
        try:
            self._set_scalars(scalars)
            if slot != self._slot:
                self._set_slot(slot)
            self._launch()
        except cl.Error as error:
            raise self._runtime.fault(error, "running kernels") from error

    def collect(self, slots: int) -> list[np.ndarray]:
        """Wait for everything enqueued; return the first `slots` slots of each output."""
        buffers = [self.plan.buffers[number] for number in self.plan.outputs]
        results = [
            self._runtime.download(self._memory[b.id], (slots, *b.shape), b.dtype) for b in buffers
        ]
        if not any(result.size for result in results):
            self._runtime.finish()
        self._in_flight.clear()
        return results

    def _launch(self) -> None:
        queue, launched = self._runtime.queue, self._runtime.launched
        launch = cl.enqueue_nd_range_kernel
        event: cl.Event | None = None
        kernels = 0
        for work in self._work:
            if isinstance(work, _Launch):
                event = launch(queue, work.kernel, work.global_size, work.local_size)
                kernels += 1
            elif isinstance(work, _Turns):
                work.executable._repeat(work.step, self._memory)
                continue
            else:
                event = self._copy(work)
            if launched is not None:
                launched.append((self.plan, work.steps, work.label, event))
        self._runtime.counters.kernels_launched += kernels
        if event is not None:
            self._in_flight.append(event)
            if len(self._in_flight) > MAX_RUNS_IN_FLIGHT:
                self._runtime.wait(self._in_flight.popleft())

    def _copy(self, move: _Move) -> cl.Event:
        source, target = (
            b.size_bytes * self._slot if b.role in ("output", "element") else 0
            for b in (move.source, move.target)
        )
        return self._copied(
            self._memory[move.source.id],
            self._memory[move.target.id],
            move.source.size_bytes,
            (source, target),
        )

    def _copied(
        self,
        source: cl.Buffer,
        target: cl.Buffer,
        size_bytes: int,
        offsets: tuple[int, int] = (0, 0),
    ) -> cl.Event:
        return cl.enqueue_copy(
            self._runtime.queue,
            target,
            source,
            byte_count=size_bytes,
            src_offset=offsets[0],
            dst_offset=offsets[1],
        )

    def _repeat(self, step: Repeat, outside: Mapping[int, cl.Buffer]) -> None:
        """Take all turns, on the memory of the plan that `step` is part of."""
        for inner, outer in _given(step).items():
            if self._memory[inner] is not outside[outer]:
                self._set_memory(inner, outside[outer])
        for buffer, start in zip(self._shared_buffers, step.initial, strict=True):
            if buffer.size_bytes:
                self._copied(outside[start], self._memory[buffer.id], buffer.size_bytes)
        for place in step.places:
            self._set_slot(place)
            self._launch()
        for number, end in step.final:
            buffer = self._shared_buffers[number]
            if buffer.size_bytes:
                self._copied(self._memory[buffer.id], outside[end], buffer.size_bytes)

    def _set_scalars(self, scalars: Sequence[np.generic]) -> None:
        for number, value in enumerate(scalars):
            # As bytes: equal numbers need not be the same (0.0 and -0.0).
            packed = value.tobytes()
            if packed != self._scalars[number]:
                self._scalars[number] = packed
                for kernel, position in self._of_scalar[number]:
                    _set_number(kernel, position, packed)

    def _set_slot(self, slot: int) -> None:
        if not 0 <= slot < self._slots:
            raise IndexError(f"slot {slot} of {self._slots}")
        self._slot = slot
        for kernel, position, size in self._of_slot:
            _set_number(kernel, position, np.int64(slot * size))

    def _rebind_shared(self) -> None:
        """Follow shared variables whose memory was replaced since the last run."""
        for buffer in self._shared_buffers:
            storage = self._shared[buffer.number].storage
            bound = self._memory[buffer.id]
            if isinstance(storage, DeviceStorage) and storage.buffer is bound:
                continue
            self._set_memory(buffer.id, self._shared_memory(buffer))

    def _set_memory(self, number: int, memory: cl.Buffer) -> None:
        self._memory[number] = memory
        for kernel, position in self._of_buffer[number]:
            kernel.set_arg(position, memory)

    def _shared_memory(self, buffer: Buffer) -> cl.Buffer:
        """Return where a shared variable's numbers are, once they are on this device."""
        variable = self._shared[buffer.number]
        self._place(variable)
        storage = variable.storage
        assert isinstance(storage, DeviceStorage)
        if storage.shape != buffer.shape:
            raise DeviceError(
                f"{variable.describe()} now has shape {storage.shape} instead of {buffer.shape}.",
                "Compile the function for the new shape.",
            )
        return storage.buffer

    def _allocate(self, given: Mapping[int, cl.Buffer]) -> dict[int, cl.Buffer]:
        """Return the memory of every buffer of the plan: what is given, and its own."""
        sizes: dict[int, int] = {}
        for buffer in self.plan.buffers:
            if buffer.role == "temp":
                sizes[buffer.storage] = max(sizes.get(buffer.storage, 0), buffer.size_bytes)
        temps = {
            storage: self._runtime.allocate(size, "intermediate values")
            for storage, size in sizes.items()
        }
        memory: dict[int, cl.Buffer] = dict(given)
        for buffer in self.plan.buffers:
            if buffer.id in given:
                continue
            if buffer.role == "temp":
                memory[buffer.id] = temps[buffer.storage]
            elif buffer.role == "shared":
                memory[buffer.id] = self._shared_memory(buffer)
            elif buffer.role == "output":
                size = buffer.size_bytes * self._slots
                memory[buffer.id] = self._runtime.allocate(size, "results")
            else:
                what = "an input" if buffer.role == "input" else "a constant"
                memory[buffer.id] = self._runtime.allocate(buffer.size_bytes, what)
                if buffer.role == "constant":
                    array = np.ascontiguousarray(self.plan.constants[buffer.number])
                    self._runtime.upload(memory[buffer.id], array)
        return memory

    def _build(self, target: Target) -> list[_Launch | _Move | _Turns]:
        """Return what one run does, in order, with every argument set."""
        whole = generate(self.plan, target)
        kernels = [kernel for kernel in whole if isinstance(kernel, Kernel)]
        # Together, as one program compiles faster than several.
        self._runtime.build(kernels + repeated_kernels(self.plan, target))
        # Kernels do not keep their arguments alive.
        self._scratch = self._allocate_scratch(kernels)
        work: list[_Launch | _Move | _Turns] = []
        for item in whole:
            if isinstance(item, Copy):
                ends = self.plan.buffers[item.source], self.plan.buffers[item.target]
                if ends[0].size_bytes:
                    work.append(_Move(*ends, (self.plan.steps.index(item),)))
            elif isinstance(item, Repeat):
                work.append(_Turns(item, self._repeated(item, target)))
            else:
                work.append(self._prepared(item))
        return work

    def _prepared(self, kernel: Kernel) -> _Launch:
        """Return a built kernel's launch, with its arguments set."""
        with self._runtime.errors("preparing kernels"):
            made = self._runtime.kernel(kernel)
            for position, argument in enumerate(kernel.arguments):
                self._set_argument(made, position, argument)
        sizes = kernel.global_size, kernel.local_size
        return _Launch(made, *sizes, kernel.steps, kernel.label)

    def _repeated(self, step: Repeat, target: Target) -> OpenCLExecutable:
        """Return what takes a step's turns, bound to the memory of this plan."""
        buffers = [b for b in step.plan.buffers if b.role == "shared"]
        states = [shared(np.zeros(b.shape, b.dtype)) for b in buffers]
        given = {inner: self._memory[outer] for inner, outer in _given(step).items()}
        made = OpenCLExecutable(
            self._runtime, target, step.plan, states, step.count, self._place, given
        )
        made._set_scalars(step.scalars)
        return made

    def _allocate_scratch(self, kernels: Sequence[Kernel]) -> dict[int, cl.Buffer]:
        """Return scratch memory by number."""
        sizes: dict[int, int] = {}
        for kernel in kernels:
            for a in kernel.arguments:
                if isinstance(a, ScratchArgument):
                    size = a.elements * np.dtype(a.dtype).itemsize
                    sizes[a.number] = max(sizes.get(a.number, 0), size)
        return {n: self._runtime.allocate(size, "partial sums") for n, size in sizes.items()}

    def _set_argument(self, kernel: cl.Kernel, position: int, argument: Argument) -> None:
        """Set one argument, and note it where it may have to be set again."""
        if isinstance(argument, BufferArgument):
            kernel.set_arg(position, self._memory[argument.buffer])
            if argument.buffer in self._of_buffer:
                self._of_buffer[argument.buffer].append((kernel, position))
        elif isinstance(argument, SlotArgument):
            size = int(np.prod(self.plan.buffers[argument.buffer].shape, dtype=np.int64))
            self._of_slot.append((kernel, position, size))
            kernel.set_arg(position, np.int64(0))
        elif isinstance(argument, ScalarArgument):
            self._of_scalar[argument.number].append((kernel, position))
        elif isinstance(argument, ExtentArgument):
            integer = np.int64 if argument.ctype == "long" else np.int32
            kernel.set_arg(position, integer(argument.value))
        else:
            kernel.set_arg(position, self._scratch[argument.number])


def _given(step: Repeat) -> dict[int, int]:
    """Return which buffer of the plan around it is behind which of a repeated plan."""
    plan = step.plan
    taken = [b for b in plan.buffers if b.role in ("input", "element")]
    behind = {b.id: step.inputs[b.number] for b in taken}
    return behind | dict(zip(plan.outputs, step.outputs, strict=True))


def _set_number(kernel: cl.Kernel, position: int, number: bytes | np.generic) -> None:
    """Set an argument that is a number, as happens several times in every run.

    The method for arguments of all kinds tries one kind after the other, each failure an exception:
    10 us a number, against 0.2 us of the one for numbers, which not every version may have.
    """
    getattr(kernel, "_set_arg_buf", kernel.set_arg)(position, number)

"""One device's context, queue, programs and buffers.

Responsible for all calls to the driver but launching kernels, and for turning its errors into ours;
knows nothing of plans.
"""

from __future__ import annotations

import re
import warnings
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

import attrs
import numpy as np

from workbench.core.errors import BuildFailed, DeviceError, OutOfMemory
from workbench.core.resources import source_digest
from workbench.engine.backends.base import MOST_LAUNCHES, Counters, DeviceInfo, Launch
from workbench.engine.backends.opencl.codegen.arguments import Kernel
from workbench.engine.backends.opencl.codegen.program import program_text
from workbench.engine.backends.opencl.driver import cl
from workbench.engine.backends.opencl.faults import NO_ROOM, build_fault, device_fault, no_memory
from workbench.engine.backends.opencl.kernel_cache import unlocked_folder
from workbench.engine.backends.opencl.recall import Recall
from workbench.engine.backends.watch import Watch
from workbench.engine.graph.types import Shape
from workbench.engine.lower.plan import Plan

#: Multiply and add may be contracted, nothing else about floats is relaxed. Warnings about
#: generated text are of no use to anyone, and some compilers print them past us.
OPTIONS = "-cl-mad-enable -w"

_VENDORS = {
    "portable computing language": "pocl",
    "intel": "intel",
    "nvidia": "nvidia",
    "amd": "amd",
    "apple": "apple",
}


class _Buffer(cl.Buffer):
    """A buffer whose end can be noted; the driver's own class does not offer that."""


class Runtime:
    """A device with its context and its one queue, which runs commands in order.

    Parameters
    ----------
    device
        The driver's device.
    info
        What we call it.
    profiling
        Whether the queue records when kernels start and end.
    """

    def __init__(self, device: cl.Device, info: DeviceInfo, *, profiling: bool = False) -> None:
        self.device = device
        self.info = info
        self.counters = Counters()
        self.watch = Watch()
        #: Whether the driver has failed in a way after which nothing more can be expected of it.
        self.lost = False
        #: The largest array that the device takes.
        self.largest_bytes = int(device.max_mem_alloc_size)
        #: The program that each kernel is in, by the kernel's name.
        self._programs: dict[str, cl.Program] = {}
        about = (info.platform, info.name, info.driver, OPTIONS)
        self._recall = Recall(*about, source_digest())
        #: What has been enqueued, with its steps and its label, where the queue records times.
        self.launched: deque[tuple[Plan, tuple[int, ...], str, cl.Event]] | None = None
        if profiling:
            self.launched = deque(maxlen=MOST_LAUNCHES)
        with self.errors("being opened"):
            self.context = cl.Context([device])
            if profiling:
                properties = cl.command_queue_properties.PROFILING_ENABLE
                self.queue = cl.CommandQueue(self.context, device, properties)
            else:
                self.queue = cl.CommandQueue(self.context, device)

    def build(self, kernels: Sequence[Kernel]) -> None:
        """Build those of the kernels that have not been built yet.

        Those that this machine has built before come out of the programs that they were built in,
        which the driver has kept. The others are built in one program, which compiles faster than
        several, as each repeats the built-ins.

        Raises
        ------
        BuildFailed
            One does not build; the message says whose it is and what the compiler said first.
        """
        new = {k.name: k for k in kernels if k.name not in self._programs}
        for text, names in self._recall.programs(new).items():
            with suppress(cl.Error):  # as if they were not known
                self._add(self._built(text), names)
                self.counters.programs_known += 1
                for name in names:
                    del new[name]
        if not new:
            return
        wanted = list(new.values())
        text = program_text(wanted)
        try:
            self._add(self._built(text), new)
        except cl.Error as error:
            raise self._build_fault(error, wanted) from error
        self._recall.remember(text, new)

    def _add(self, program: cl.Program, names: Iterable[str]) -> None:
        self.counters.programs_compiled += 1
        self._programs.update((name, program) for name in names)
        self.watch.expect_building()

    def _built(self, text: str) -> cl.Program:
        with warnings.catch_warnings(), self.watch:
            warnings.simplefilter("ignore")
            self.watch.expect_building()
            program: cl.Program = cl.Program(self.context, text).build(
                OPTIONS, cache_dir=unlocked_folder()
            )
        return program

    def _build_fault(self, error: cl.Error, kernels: Sequence[Kernel]) -> DeviceError:
        """Return our error for a build that failed, having found which kernel is to blame."""
        if error.code != cl.status_code.BUILD_PROGRAM_FAILURE:
            return self.fault(error, "building kernels")
        for kernel in kernels:
            try:
                self._built(program_text([kernel]))
            except cl.Error as own:
                if own.code != cl.status_code.BUILD_PROGRAM_FAILURE:
                    return self.fault(own, "building kernels")
                return build_fault([kernel], str(own), self.info.id)
        return build_fault(kernels, str(error), self.info.id)

    def kernel(self, kernel: Kernel) -> cl.Kernel:
        """Return a built kernel with arguments of its own."""
        return cl.Kernel(self._programs[kernel.name], kernel.name)

    def allocate(self, size_bytes: int, what: str) -> cl.Buffer:
        """Return a new buffer; one without contents has room for one number all the same.

        Raises
        ------
        OutOfMemory
            It does not fit: drivers that promise memory without having it are not asked.
        """
        size_bytes = max(size_bytes, 8)
        self.check_room(size_bytes, size_bytes, what)
        with self.errors(f"allocating {of_bytes(size_bytes)} for {what}"):
            buffer = _Buffer(self.context, cl.mem_flags.READ_WRITE, size_bytes)
        self.counters.buffers_allocated += 1
        self.counters.bytes_allocated += size_bytes
        weakref.finalize(buffer, _note_release, self.counters, size_bytes).atexit = False
        return buffer

    def check_room(
        self, total_bytes: int, largest_bytes: int, what: str, layer: int | None = None
    ) -> None:
        """Raise OutOfMemory if the device cannot hold so much beside what it holds already.

        Parameters
        ----------
        total_bytes, largest_bytes
            All that is wanted, and the largest array of it.
        what
            What it is wanted for.
        layer
            Index of the layer that it is wanted for, from 0, or None.
        """
        held, memory = self.counters.bytes_alive, self.info.memory_bytes
        if largest_bytes > self.largest_bytes:
            wanted, most = of_bytes(largest_bytes), of_bytes(self.largest_bytes)
            limit = f"an array of {wanted} for {what}: it takes at most {most} at once"
        elif total_bytes + held > memory:
            wanted = of_bytes(total_bytes)
            limit = f"{wanted} for {what}: it has {of_bytes(memory)}, {of_bytes(held)} in use"
        else:
            return
        raise OutOfMemory(f"{self.info.id} has no room for {limit}.", NO_ROOM, layer)

    def upload(self, buffer: cl.Buffer, array: np.ndarray) -> None:
        """Copy an array into a buffer, after all that was enqueued; wait for it."""
        if array.size == 0:
            return
        with self.errors("copying to the device"), self.watch:
            cl.enqueue_copy(self.queue, buffer, array, is_blocking=True)
        self.counters.bytes_to_device += array.nbytes

    def download(self, buffer: cl.Buffer, shape: Shape, dtype: str) -> np.ndarray:
        """Return the start of a buffer as an array, after all that was enqueued."""
        array = np.empty(shape, dtype)
        if array.size:
            with self.errors("copying from the device"), self.watch:
                cl.enqueue_copy(self.queue, array, buffer, is_blocking=True)
            self.watch.expect_running()
            self.counters.bytes_from_device += array.nbytes
        return array

    def wait(self, event: cl.Event) -> None:
        """Wait until a command is done."""
        with self.errors("running kernels"), self.watch:
            event.wait()
        self.watch.expect_running()

    def launches(self) -> list[Launch]:
        """Return what has run since the last call, and forget it."""
        self.finish()
        taken = list(self.launched or ())
        if self.launched is not None:
            self.launched.clear()
        with self.errors("reading the clock"):
            return [
                Launch(plan, steps, label, 1e-9 * (event.profile.end - event.profile.start))
                for plan, steps, label, event in taken
            ]

    def finish(self) -> None:
        """Wait until all that was enqueued is done."""
        with self.errors("running kernels"), self.watch:
            self.queue.finish()
        self.watch.expect_running()

    @contextmanager
    def errors(self, doing: str) -> Iterator[None]:
        """Turn errors of the driver into ours, which say what was being done."""
        try:
            yield
        except cl.Error as error:
            raise self.fault(error, doing) from error
        except MemoryError as error:
            raise no_memory(doing, self.info.id) from error

    def fault(self, error: cl.Error, doing: str) -> DeviceError:
        """Return our error for one of the driver's, and note whether the device is lost by it."""
        found = device_fault(error, doing, self.info.id, self._answers)
        self.lost = self.lost or not isinstance(found, OutOfMemory | BuildFailed)
        return found

    def _answers(self) -> bool:
        """Whether the device still does the least of tasks."""
        try:
            with self.watch:
                spot = cl.Buffer(self.context, cl.mem_flags.READ_WRITE, 8)
                cl.enqueue_copy(self.queue, spot, np.zeros(1), is_blocking=True)
        except (cl.Error, MemoryError):
            return False
        return True


def of_bytes(size_bytes: int) -> str:
    """Return a size as people write it."""
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if size_bytes >= 10**power:
            size = size_bytes / 10**power
            return f"{size:,.0f} {unit}" if size >= 100 else f"{size:.3g} {unit}"
    return f"{size_bytes} bytes"


def _note_release(counters: Counters, size_bytes: int) -> None:
    counters.buffers_released += 1
    counters.bytes_released += size_bytes


def found_devices() -> list[tuple[cl.Device, DeviceInfo]]:
    """Return every device of every driver, CPUs and GPUs alike; none where there is no driver.

    They come in the order of their ids, whatever order the drivers are found in.
    """
    found: list[tuple[cl.Device, DeviceInfo]] = []
    counts: dict[str, int] = {}
    try:
        platforms = cl.get_platforms()
    except cl.Error:
        # The loader's way to say that there is no driver.
        return found
    named = [(platform_slug(p.name, p.vendor), p.name, p.version, p) for p in platforms]
    for slug, _, _, platform in sorted(named, key=lambda known: known[:3]):
        for device in _devices_of(platform):
            number = counts.get(slug, 0)
            counts[slug] = number + 1
            found.append((device, _describe(device, platform, f"{slug}:{number}")))
    return found


def platform_slug(name: str, vendor: str) -> str:
    """Return what ids call a platform."""
    for text in (name, vendor):
        for known, slug in _VENDORS.items():
            if re.match(known, text.strip(), re.IGNORECASE):
                return slug
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "opencl"


def _devices_of(platform: cl.Platform) -> list[cl.Device]:
    try:
        return list(platform.get_devices())
    except cl.Error:
        # A driver without a device says so by an error.
        return []


def _describe(device: cl.Device, platform: cl.Platform, id: str) -> DeviceInfo:
    kinds = {cl.device_type.CPU: "cpu", cl.device_type.GPU: "gpu"}
    kind = next((name for bit, name in kinds.items() if device.type & bit), "accelerator")
    return DeviceInfo(
        id=id,
        name=device.name.strip(),
        platform=platform.name.strip(),
        type=kind,
        driver=device.driver_version.strip(),
        float64="cl_khr_fp64" in device.extensions.split(),
        compute_units=int(device.max_compute_units),
        memory_bytes=int(device.global_mem_size),
    )


@attrs.define(eq=False)
class DeviceStorage:
    """A shared variable's numbers in a buffer of a device.

    Attributes
    ----------
    buffer
        Where they are. Another shape takes another buffer, the same shape the same one.
    """

    runtime: Runtime
    dtype: str
    shape: Shape
    buffer: cl.Buffer

    @classmethod
    def holding(cls, runtime: Runtime, value: np.ndarray, name: str) -> DeviceStorage:
        """Return storage that starts with `value`; messages call it `name`."""
        value = np.ascontiguousarray(value).reshape(value.shape)
        buffer = runtime.allocate(value.nbytes, name)
        runtime.upload(buffer, value)
        return cls(runtime, value.dtype.name, value.shape, buffer)

    def read(self) -> np.ndarray:
        """Return a copy of the numbers in host memory, after all that was enqueued."""
        return self.runtime.download(self.buffer, self.shape, self.dtype)

    def write(self, value: np.ndarray) -> None:
        """Replace the numbers, after all that was enqueued."""
        value = np.ascontiguousarray(value, self.dtype).reshape(value.shape)
        if value.shape != self.shape:
            self.buffer = self.runtime.allocate(value.nbytes, "a shared variable")
            self.shape = value.shape
        self.runtime.upload(self.buffer, value)

"""One device's context, queue, programs and buffers.

Responsible for all calls to the driver but launching kernels, and for turning its errors into ours;
knows nothing of plans.
"""

from __future__ import annotations

import re
import warnings
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import attrs
import numpy as np

from workbench.core.errors import DeviceError
from workbench.engine.backends.base import Counters, DeviceInfo
from workbench.engine.backends.opencl.codegen.arguments import Kernel
from workbench.engine.backends.opencl.codegen.program import program_text
from workbench.engine.backends.opencl.driver import cl
from workbench.engine.backends.opencl.kernel_cache import unlocked_folder
from workbench.engine.graph.types import Shape

#: Multiply and add may be contracted, nothing else about floats is relaxed. Warnings about
#: generated text are of no use to anyone, and some compilers print them past us.
OPTIONS = "-cl-mad-enable -w"

_NO_MEMORY = {
    cl.status_code.MEM_OBJECT_ALLOCATION_FAILURE,
    cl.status_code.OUT_OF_RESOURCES,
    cl.status_code.OUT_OF_HOST_MEMORY,
    cl.status_code.INVALID_BUFFER_SIZE,
}
_VENDORS = {
    "portable computing language": "pocl",
    "intel": "intel",
    "nvidia": "nvidia",
    "amd": "amd",
    "apple": "apple",
}


@contextmanager
def driver_errors(doing: str, on: str) -> Iterator[None]:
    """Turn errors of the driver into a `DeviceError` that says what was being done where."""
    try:
        yield
    except cl.Error as error:
        raise device_error(error, doing, on) from error
    except MemoryError as error:
        raise _out_of_memory(doing, on) from error


def device_error(error: cl.Error, doing: str, on: str) -> DeviceError:
    """Return our error for one of the driver's."""
    if error.code in _NO_MEMORY:
        return _out_of_memory(doing, on)
    return DeviceError(f"{on} failed while {doing}: {error}.", "Try another device.")


def _out_of_memory(doing: str, on: str) -> DeviceError:
    return DeviceError(
        f"{on} ran out of memory while {doing}.",
        "Use a smaller batch, less data, or another device.",
    )


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
        #: The program that each kernel is in, by the kernel's name.
        self._programs: dict[str, cl.Program] = {}
        with driver_errors("being opened", info.id):
            self.context = cl.Context([device])
            if profiling:
                properties = cl.command_queue_properties.PROFILING_ENABLE
                self.queue = cl.CommandQueue(self.context, device, properties)
            else:
                self.queue = cl.CommandQueue(self.context, device)

    def build(self, kernels: Sequence[Kernel]) -> None:
        """Build those of the kernels that have not been built yet, in one program.

        One program compiles faster than several, as each repeats the built-ins.

        Raises
        ------
        DeviceError
            One does not build; the message carries the first lines of the compiler's log.
        """
        new = list({k.name: k for k in kernels if k.name not in self._programs}.values())
        if not new:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                program = cl.Program(self.context, program_text(new)).build(
                    OPTIONS, cache_dir=unlocked_folder()
                )
            except cl.Error as error:
                raise self._build_error(error) from error
        self.counters.programs_compiled += 1
        self._programs.update((kernel.name, program) for kernel in new)

    def kernel(self, kernel: Kernel) -> cl.Kernel:
        """Return a built kernel with arguments of its own."""
        return cl.Kernel(self._programs[kernel.name], kernel.name)

    def _build_error(self, error: cl.Error) -> DeviceError:
        if error.code != cl.status_code.BUILD_PROGRAM_FAILURE:
            return device_error(error, "building kernels", self.info.id)
        lines = [line.strip() for line in str(error).splitlines()]
        telling = [line for line in lines if re.search(r"\berror\b", line, re.IGNORECASE)]
        said = " | ".join(telling[:3] or lines[:3])
        return DeviceError(
            f"A kernel does not build on {self.info.id}: {said}",
            "Please report this with the device's name and driver.",
        )

    def allocate(self, size_bytes: int, what: str) -> cl.Buffer:
        """Return a new buffer; one without contents has room for one number all the same."""
        flags = cl.mem_flags.READ_WRITE
        with driver_errors(f"allocating {size_bytes:,} bytes for {what}", self.info.id):
            buffer = _Buffer(self.context, flags, max(size_bytes, 8))
        self.counters.buffers_allocated += 1
        weakref.finalize(buffer, _note_release, self.counters).atexit = False
        return buffer

    def upload(self, buffer: cl.Buffer, array: np.ndarray) -> None:
        """Copy an array into a buffer, after all that was enqueued; wait for it."""
        if array.size == 0:
            return
        with driver_errors("copying to the device", self.info.id):
            cl.enqueue_copy(self.queue, buffer, array, is_blocking=True)
        self.counters.bytes_to_device += array.nbytes

    def download(self, buffer: cl.Buffer, shape: Shape, dtype: str) -> np.ndarray:
        """Return the start of a buffer as an array, after all that was enqueued."""
        array = np.empty(shape, dtype)
        if array.size:
            with driver_errors("copying from the device", self.info.id):
                cl.enqueue_copy(self.queue, array, buffer, is_blocking=True)
            self.counters.bytes_from_device += array.nbytes
        return array

    def finish(self) -> None:
        """Wait until all that was enqueued is done."""
        with driver_errors("running kernels", self.info.id):
            self.queue.finish()


def _note_release(counters: Counters) -> None:
    counters.buffers_released += 1


def found_devices() -> list[tuple[cl.Device, DeviceInfo]]:
    """Return every device of every driver, CPUs and GPUs alike; none where there is no driver."""
    found: list[tuple[cl.Device, DeviceInfo]] = []
    counts: dict[str, int] = {}
    try:
        platforms = cl.get_platforms()
    except cl.Error:
        # The loader's way to say that there is no driver.
        return found
    for platform in platforms:
        slug = platform_slug(platform.name, platform.vendor)
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
    def holding(cls, runtime: Runtime, value: np.ndarray) -> DeviceStorage:
        """Return storage that starts with `value`."""
        value = np.ascontiguousarray(value).reshape(value.shape)
        buffer = runtime.allocate(value.nbytes, "a shared variable")
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

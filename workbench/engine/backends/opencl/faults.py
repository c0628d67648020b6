"""What a driver's errors mean, and what is to be done about them.

Responsible for turning them into ours; knows neither plans nor how a device is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from workbench.core.errors import BuildFailed, DeviceError, DeviceLost, OutOfMemory
from workbench.core.paths import cache_folder
from workbench.engine.backends.opencl.codegen.arguments import Kernel
from workbench.engine.backends.opencl.driver import cl

_NO_MEMORY = {
    cl.status_code.MEM_OBJECT_ALLOCATION_FAILURE,
    cl.status_code.OUT_OF_HOST_MEMORY,
    cl.status_code.INVALID_BUFFER_SIZE,
}
#: What drivers say once a device is no longer there, or has been reset under its context. The last
#: is NVIDIA's word for a kernel that was killed.
_GONE = {
    cl.status_code.DEVICE_NOT_AVAILABLE,
    cl.status_code.EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST,
    cl.status_code.INVALID_COMMAND_QUEUE,
    cl.status_code.INVALID_CONTEXT,
    cl.status_code.INVALID_DEVICE,
    -9999,
}
#: What to do about something that does not fit.
NO_ROOM = "Use a smaller batch, less data, or another device."

#: Lines of a compiler's log that a message quotes.
_LINES = 2
_LINE_LENGTH = 160


def device_fault(
    error: cl.Error, doing: str, on: str, answers: Callable[[], bool] = lambda: True
) -> DeviceError:
    """Return our error for one of the driver's.

    Parameters
    ----------
    error
        What the driver said.
    doing, on
        What was being done, and the id of the device.
    answers
        Tells whether the device still does the least of tasks: drivers say "out of resources" both
        of a device that is full and of one that is gone.
    """
    code, said = error.code, str(error).strip().partition("\n")[0]
    if code in _GONE or (code == cl.status_code.OUT_OF_RESOURCES and not answers()):
        return DeviceLost(
            f"{on} was lost while {doing} ({said}).",
            "Train again to open it anew, or choose another device.",
        )
    if code in _NO_MEMORY or code == cl.status_code.OUT_OF_RESOURCES:
        return no_memory(doing, on)
    return DeviceError(f"{on} failed while {doing}: {said}.", "Try another device.")


def no_memory(doing: str, on: str) -> OutOfMemory:
    """Return the error for a driver that found no memory."""
    return OutOfMemory(f"{on} ran out of memory while {doing}.", NO_ROOM)


def build_fault(kernels: Sequence[Kernel], log: str, on: str) -> BuildFailed:
    """Return the error for kernels that do not build; the compiler's whole log goes to a file.

    Parameters
    ----------
    kernels
        What was to be built; the first is to blame if there are several.
    log
        What the compiler said.
    on
        The id of the device.
    """
    kernel = kernels[0]
    path = _keep(kernel.name, "\n".join([log, *(kernel.text for kernel in kernels)]))
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"\berror\b", line, re.IGNORECASE)]
    # Where the text lay for a moment is of no use to anybody.
    short = [re.sub(r"\S+\.cl:(\d+)", r"line \1", line) for line in (telling or lines)[:_LINES]]
    said = " | ".join(line[:_LINE_LENGTH] for line in short)
    where = f" The compiler's whole log is in {path}." if path else ""
    return BuildFailed(
        f"The kernel of {kernel.label or kernel.name!r} does not build on {on}: {said}",
        f"Use another device; it is a fault of the workbench or of the driver.{where}",
        layer_of(kernel.label),
    )


def layer_of(label: str) -> int | None:
    """Return which layer, from 0, a label names, if it names one alone."""
    layers = set(re.findall(r"\bin layer (\d+)\b", label))
    return int(layers.pop()) - 1 if len(layers) == 1 else None


def _keep(name: str, text: str) -> Path | None:
    """Write a log; return where it is, or None where the disk does not take it."""
    path = cache_folder() / "logs" / f"{name}.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError:
        return None
    return path

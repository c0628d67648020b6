"""Which devices this machine has, and how to open one.

Responsible for ids and the default; knows of each backend only how to list and to open.
"""

from __future__ import annotations

import os

from workbench.core.errors import UnknownDevice
from workbench.engine.backends.base import Device, DeviceInfo
from workbench.engine.backends.opencl.device import list_opencl, open_opencl
from workbench.engine.backends.reference import INFO as REFERENCE
from workbench.engine.backends.reference import ReferenceDevice


def devices() -> list[DeviceInfo]:
    """Return every device: OpenCL's in the order of their drivers, then ``reference``."""
    return [*list_opencl(), REFERENCE]


def default_device() -> str:
    """Return the id that ``WORKBENCH_DEVICE`` names, else the first device's."""
    return os.environ.get("WORKBENCH_DEVICE") or devices()[0].id


def open_device(id: str | None = None) -> Device:
    """Return a device, opened.

    Parameters
    ----------
    id
        Such as ``pocl:0`` or ``reference``; None for what ``WORKBENCH_DEVICE`` names, else the
        first OpenCL device, else ``reference``.

    Raises
    ------
    UnknownDevice
        This machine has no device of that id; the message lists those that it has.
    DeviceError
        The device does not open.
    """
    known = [info.id for info in devices()]
    wanted = id or default_device()
    if wanted not in known:
        raise UnknownDevice(
            f"There is no device {wanted!r} on this machine.", f"Known: {', '.join(known)}."
        )
    return ReferenceDevice() if wanted == REFERENCE.id else open_opencl(wanted)

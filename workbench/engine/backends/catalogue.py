"""Which devices this machine has, which of them is the default, and how to open one.

Responsible for ids and the default; knows of each backend only how to list and to open.
"""

from __future__ import annotations

import os

from workbench.core.errors import UnknownDevice
from workbench.engine.backends.base import Device, DeviceInfo
from workbench.engine.backends.opencl.device import list_opencl, open_opencl
from workbench.engine.backends.reference import INFO as REFERENCE
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.backends.verdicts import preferred


def devices() -> list[DeviceInfo]:
    """Return every device: OpenCL's in the order of their ids, then ``reference``."""
    return [*list_opencl(), REFERENCE]


def named_device() -> str | None:
    """Return the id that ``WORKBENCH_DEVICE`` names, or None."""
    return os.environ.get("WORKBENCH_DEVICE") or None


def default_device() -> str:
    """Return the id of the device that is used where none is named.

    It is the one that ``WORKBENCH_DEVICE`` names, else the fastest OpenCL device that is known to
    compute right, else the first that is not known to compute wrong, else ``reference``.
    """
    return named_device() or next((info.id for info in preferred(list_opencl())), REFERENCE.id)


def device_info(id: str) -> DeviceInfo:
    """Return what is to be told of a device.

    Raises
    ------
    UnknownDevice
        This machine has no device of that id; the message lists those that it has.
    """
    known = {info.id: info for info in devices()}
    if id not in known:
        raise UnknownDevice(
            f"There is no device {id!r} on this machine.", f"Known: {', '.join(known)}."
        )
    return known[id]


def open_device(id: str | None = None, *, profile: bool = False) -> Device:
    """Return a device, opened.

    Parameters
    ----------
    id
        Such as ``pocl:0`` or ``reference``; None for the default.
    profile
        Whether the device notes how long each kernel takes, for `Device.launches`.

    Raises
    ------
    UnknownDevice
        This machine has no device of that id.
    DeviceError
        The device does not open.
    """
    wanted = device_info(id or default_device()).id
    if wanted == REFERENCE.id:
        return ReferenceDevice(profile=profile)
    return open_opencl(wanted, profile=profile)

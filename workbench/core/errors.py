"""Typed errors whose text a person can act on.

Responsible for the error classes and their exit status; knows nothing of how they are shown.
"""

from __future__ import annotations


class WorkbenchError(Exception):
    """A failure that the program explains in a sentence or two.

    Parameters
    ----------
    message
        What went wrong and where, quoting what was received.
    hint
        What to do about it; empty when there is nothing to advise.
    layer
        Index of the layer at fault in its network, counted from 0, or None.
    """

    exit_status = 1

    def __init__(self, message: str, hint: str = "", layer: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.layer = layer

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class InputError(WorkbenchError):
    """Wrong use or bad input: the person can mend it (exit status 2)."""

    exit_status = 2


class SpecError(InputError):
    """A network, training run or data choice that cannot be: zero units, a rate that is NaN."""


class DataError(InputError):
    """A dataset or image that is missing, damaged, or does not fit."""


class ModelFileError(InputError):
    """A model file that is missing, damaged, refused, or does not fit."""


class SaveError(InputError):
    """A file could not be written; what was there before is intact."""


class GraphError(InputError):
    """An expression whose types, shapes or derivative do not work out."""


class NotSupported(GraphError):
    """Something the language does not offer, with the way round where there is one."""


class DeviceError(WorkbenchError):
    """A device failed at work; the classes below say how, where that is known."""


class OutOfMemory(DeviceError):
    """Something does not fit into a device's memory; the device itself is sound."""


class BuildFailed(DeviceError):
    """A device's compiler refused a kernel; the device itself is sound."""


class DeviceLost(DeviceError):
    """A device has gone, or its driver has given it up; what it held is lost."""


class DeviceStuck(DeviceError):
    """A device does not answer, and was given up."""


class UntrustedDevice(DeviceError):
    """A device was found to compute wrong and may not be used unless someone insists."""


class UnknownDevice(InputError):
    """A device was asked for that this machine does not have, or that lacks what is needed."""


class DivergedError(WorkbenchError):
    """Training met a value that is not finite and stopped there."""

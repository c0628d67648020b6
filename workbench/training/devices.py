"""Devices as a run gets them: checked once, and refused where they compute wrong.

Responsible for when a device is checked and whether it may be used; knows neither how it is checked
nor who asks.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

import attrs

from workbench.core.errors import DeviceError, DeviceLost, OutOfMemory, UntrustedDevice
from workbench.engine.backends.base import Device, DeviceInfo
from workbench.engine.backends.catalogue import devices, named_device, open_device
from workbench.engine.backends.verdicts import Verdict, keep, stored
from workbench.training.trust import Progress, check

Opener = Callable[[str | None], Device]


@attrs.frozen
class Admitted:
    """A device that may be used, open.

    Parameters
    ----------
    device
        What computes.
    verdict
        What is known of it.
    note
        What whoever uses it should hear; empty where there is nothing to say.
    """

    device: Device
    verdict: Verdict
    note: str = ""


@attrs.frozen
class Admission:
    """Decides which devices may be used.

    Parameters
    ----------
    progress
        Told how far a check is, which takes seconds.
    around
        Entered while a device is checked, with the device.
    open
        Opens a device.
    """

    progress: Progress
    around: Callable[[Device], AbstractContextManager[object]]
    open: Opener = open_device

    def admit(self, id: str | None, untrusted: bool = False) -> Admitted:
        """Return a device to compute on, checked if nothing is known of it yet.

        Parameters
        ----------
        id
            Such as ``pocl:0``. Where none is named, here or by ``WORKBENCH_DEVICE``, every OpenCL
            device that was never checked is, and the best one is taken; one that computes wrong
            never is.
        untrusted
            Whether the device is used even if it computes wrong.

        Raises
        ------
        UntrustedDevice
            The device that was named computes wrong.
        UnknownDevice, DeviceError
            There is no such device, or it does not open.
        """
        named = id or named_device()
        if named is None:
            for info in devices():
                with suppress(OutOfMemory, DeviceLost):
                    self.judge(info)
        device = self.open(named)
        info, verdict = device.info, self.judge(device.info)
        if verdict.trust == "trusted":
            alone = named is None and info.type == "reference"
            return Admitted(device, verdict, _loneliness() if alone else "")
        wrong = f"{info.id} ({info.name}) computes wrong: {verdict.faults}."
        if verdict.trust == "refused" and not untrusted:
            raise UntrustedDevice(wrong, "Use another device, or a newer driver.")
        return Admitted(device, verdict, wrong)

    def judge(self, info: DeviceInfo, again: bool = False) -> Verdict:
        """Return what is known of a device; check it if nothing is, or `again`."""
        verdict = stored(info)
        if verdict is None or (again and info.type != "reference"):
            verdict = self._check(info)
            keep(info, verdict)
        return verdict

    def _check(self, info: DeviceInfo) -> Verdict:
        try:
            # One of its own: what runs count is theirs.
            device = self.open(info.id)
            with self.around(device):
                return check(device, self.progress)
        except (OutOfMemory, DeviceLost):
            # No verdict: it may be otherwise the next time.
            raise
        except DeviceError as error:
            return Verdict("refused", failure=str(error))


def _loneliness() -> str:
    """Return why NumPy computes although nobody has asked for it."""
    reason = "computes right here" if len(devices()) > 1 else "was found"
    return f"No OpenCL device {reason}: NumPy computes, as the device 'reference', slowly."

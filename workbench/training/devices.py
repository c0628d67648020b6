"""Which devices may compute: what is needed of one is compared with NumPy first.

Responsible for when a device is asked what, and for whether it may be used; knows neither how
answers are judged nor who asks.

A device has to be right in what it is wanted for before it computes it: a *trial* says what that
is. All else can be asked later. Where nobody says what a device is wanted for, it is all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import attrs

from workbench.core.errors import (
    DeviceError,
    DeviceLost,
    DeviceStuck,
    OutOfMemory,
    UntrustedDevice,
)
from workbench.engine.backends.base import Device, DeviceInfo
from workbench.engine.backends.catalogue import device_info, devices, named_device, open_device
from workbench.engine.backends.reference import INFO as REFERENCE
from workbench.engine.backends.verdicts import Finding, Verdict, keep, preferred, stored
from workbench.training.trial import Trial
from workbench.training.trust import Progress, ask, speed, unknown

#: What a device may fail with that says nothing of how it computes: it may be otherwise next time.
_PASSING = (OutOfMemory, DeviceLost, DeviceStuck)

#: Makes what a device is wanted for; None where it is wanted for nothing yet.
TrialMaker = Callable[[], Trial | None]


@attrs.frozen
class Admitted:
    """A device that may be used.

    Parameters
    ----------
    info
        What computes.
    verdict
        What is known of it.
    note
        What whoever uses it should hear; empty where there is nothing to say.
    """

    info: DeviceInfo
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
    open: Callable[[str], Device] = open_device

    def admit(
        self, id: str | None, untrusted: bool = False, trial: TrialMaker | None = None
    ) -> Admitted:
        """Return a device to compute on, which was asked what it is wanted for.

        Parameters
        ----------
        id
            Such as ``pocl:0``. Where none is named, here or by ``WORKBENCH_DEVICE``, it is the
            fastest OpenCL device that computes right.
        untrusted
            Whether the device is used even if it computes wrong.
        trial
            Makes what it is wanted for; None for anything.

        Raises
        ------
        UntrustedDevice
            The device that was named computes wrong.
        UnknownDevice, DeviceError
            There is no such device, or it fails.
        """
        named = id or named_device()
        if named is None:
            return self._best(trial)
        info = device_info(named)
        admitted = admitted_by(info, self.judge(info, trial))
        if admitted.verdict.trust == "refused" and not untrusted:
            raise UntrustedDevice(admitted.note, "Use another device, or a newer driver.")
        return admitted

    def judge(
        self, info: DeviceInfo, trial: TrialMaker | None = None, again: bool = False
    ) -> Verdict:
        """Return what is known of a device once it was asked what it is wanted for.

        Parameters
        ----------
        trial
            Makes what that is; None for anything.
        again
            Whether it is asked anew what it was asked before.
        """
        known = stored(info)
        if known is None or (again and info != REFERENCE):
            known = unknown(info)
        if info == REFERENCE or known.trust == "refused":
            return known
        if trial is None:
            verdict = self._ask(info, known) if known.unasked else known
            own = None
        else:
            wanted = trial()
            if wanted is None:
                return known
            verdict, own = known, known.finding(wanted.family, wanted.precision)
            if own is None and known.unasked:
                verdict, own = self._try(info, known, wanted)
        if verdict != known:
            keep(info, verdict)
        # What is wrong with one network says nothing of others.
        return attrs.evolve(verdict, trust="refused") if own and own.wrong else verdict

    def ask_more(self, info: DeviceInfo) -> Verdict:
        """Ask a device one more of the questions that are left; return what is known then."""
        verdict = self._ask(info, stored(info) or unknown(info), most=1)
        keep(info, verdict)
        return verdict

    def _best(self, trial: TrialMaker | None) -> Admitted:
        """Return the fastest device that computes right; NumPy where there is none."""
        failure: DeviceError | None = None
        for info in self._by_speed():
            try:
                verdict = self.judge(info, trial)
            except _PASSING as error:
                failure = failure or error
                continue
            if verdict.trust == "trusted":
                return Admitted(info, verdict)
        if failure is not None:
            raise failure
        reason = "computes right here" if len(devices()) > 1 else "was found"
        return Admitted(
            REFERENCE,
            self.judge(REFERENCE),
            f"No OpenCL device {reason}: NumPy computes, as the device 'reference', slowly.",
        )

    def _by_speed(self) -> list[DeviceInfo]:
        """Return the OpenCL devices that are not known to compute wrong, the fastest first."""
        found = preferred(devices())
        for info in found if len(found) > 1 else ():
            known = stored(info) or unknown(info)
            if not known.gflops:
                with suppress(DeviceError), self._opened(info) as device:
                    keep(info, attrs.evolve(known, gflops=speed(device)))
        return preferred(devices())

    def _try(
        self, info: DeviceInfo, known: Verdict, trial: Trial
    ) -> tuple[Verdict, Finding | None]:
        """Let a device do what it is wanted for; if it does that wrong, ask it everything else."""
        self.progress(f"checking {info.id}", 0, 0)
        try:
            with self._opened(info) as device:
                found = trial.compare(device)
        except _PASSING:
            raise
        except DeviceError as error:
            verdict = self._ask(info, known)
            keep(info, verdict)
            if verdict.trust == "refused":
                return verdict, None
            # The device is sound: it is something about what it is wanted for.
            raise error from None
        if found.wrong:
            known = self._ask(info, known)
        return known.having(found), found

    def _ask(self, info: DeviceInfo, known: Verdict, most: int | None = None) -> Verdict:
        try:
            with self._opened(info) as device:
                return ask(device, known, self.progress, most)
        except _PASSING:
            raise
        except DeviceError as error:
            return Verdict("refused", known.findings, known.gflops, str(error))

    @contextmanager
    def _opened(self, info: DeviceInfo) -> Iterator[Device]:
        # One of its own: what runs count is theirs.
        device = self.open(info.id)
        with self.around(device):
            yield device


def admitted_by(info: DeviceInfo, verdict: Verdict) -> Admitted:
    """Return a device with what there is to say of it."""
    wrong = f"{info.id} ({info.name}) computes wrong: {verdict.faults}."
    return Admitted(info, verdict, "" if verdict.trust == "trusted" else wrong)

"""Who may compute: a device is checked once, refused where it is wrong, and used if one insists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workbench.core.errors import BuildFailed, DeviceError, UntrustedDevice
from workbench.engine.backends import catalogue, verdicts
from workbench.engine.backends.base import Device
from workbench.engine.backends.opencl.device import list_opencl
from workbench.engine.backends.verdicts import Finding, Trust, Verdict
from workbench.training import devices
from workbench.training.devices import Admission

INFOS = list_opencl()[:1]
pytestmark = pytest.mark.skipif(not INFOS, reason="no OpenCL driver")


def verdict(trust: Trust) -> Verdict:
    wrong = ("NN", "TN") if trust != "trusted" else ()
    return Verdict(trust, (Finding("products", "float32", 0.5 if wrong else 1e-7, "NN", wrong),))


class Desk:
    """An admission whose check says what it is told to, and what it was asked."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.says: Verdict | DeviceError = verdict("trusted")
        self.checked: list[str] = []
        self.watched: list[str] = []
        self.admission = Admission(lambda *_: None, self._around)
        patch.setattr(devices, "check", self._check)

    @contextmanager
    def _around(self, device: Device) -> Iterator[None]:
        self.watched.append(device.info.id)
        yield

    def _check(self, device: Device, _: object) -> Verdict:
        self.checked.append(device.info.id)
        if isinstance(self.says, DeviceError):
            raise self.says
        return self.says


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a desk on a machine with one OpenCL device of which nothing is known."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(catalogue, "list_opencl", lambda: INFOS)
    return Desk(monkeypatch)


def test_the_first_use_checks_and_the_next_does_not(desk: Desk) -> None:
    (info,) = INFOS
    for _ in range(2):
        admitted = desk.admission.admit(info.id)
        assert (admitted.device.info, admitted.verdict) == (info, verdict("trusted"))
        assert admitted.note == ""
        assert admitted.device.counters.kernels_launched == 0
    assert desk.checked == desk.watched == [info.id]


def test_the_default_device_is_checked_and_taken(desk: Desk) -> None:
    admitted = desk.admission.admit(None)
    assert (admitted.device.info, admitted.note) == (INFOS[0], "")
    assert desk.checked == [INFOS[0].id]


def test_another_program_is_checked_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.admission.admit(None)
    monkeypatch.setattr(verdicts, "_sources", lambda: "others")
    desk.says = verdict("refused")
    assert desk.admission.admit(None).device.info.id == "reference"
    assert len(desk.checked) == 2


@pytest.mark.parametrize("trust", ["limited", "refused"])
def test_what_computes_wrong_is_not_taken_unasked(desk: Desk, trust: Trust) -> None:
    desk.says = verdict(trust)
    for _ in range(2):
        admitted = desk.admission.admit(None)
        assert admitted.device.info.id == catalogue.default_device() == "reference"
        assert "No OpenCL device computes right here: NumPy computes" in admitted.note
    assert desk.checked == [INFOS[0].id]


def test_where_there_is_no_driver_numpy_computes_and_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (catalogue, devices):
        monkeypatch.setattr(place, "devices", lambda: [catalogue.REFERENCE])
    monkeypatch.setattr(catalogue, "list_opencl", list)
    admitted = desk.admission.admit(None)
    assert admitted.device.info.id == "reference"
    assert "No OpenCL device was found: NumPy computes" in admitted.note
    assert desk.checked == []


def test_whoever_names_the_reference_is_told_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk.admission.admit("reference").note == ""
    monkeypatch.setenv("WORKBENCH_DEVICE", "reference")
    assert desk.admission.admit(None).note == ""
    assert desk.checked == []


def test_a_refused_device_is_refused_until_somebody_insists(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (info,) = INFOS
    desk.says = verdict("refused")
    with pytest.raises(UntrustedDevice) as caught:
        desk.admission.admit(info.id)
    error = caught.value
    assert isinstance(error, DeviceError)
    assert error.exit_status == 1
    assert f"{info.id} ({info.name}) computes wrong: products in float32 (NN, TN" in error.message
    assert "another device" in error.hint
    monkeypatch.setenv("WORKBENCH_DEVICE", info.id)
    with pytest.raises(UntrustedDevice):
        desk.admission.admit(None)
    admitted = desk.admission.admit(info.id, untrusted=True)
    assert admitted.device.info == info
    assert "computes wrong" in admitted.note
    assert desk.checked == [info.id]


def test_a_limited_device_is_used_where_it_is_named(desk: Desk) -> None:
    desk.says = verdict("limited")
    admitted = desk.admission.admit(INFOS[0].id)
    assert admitted.device.info == INFOS[0]
    assert "computes wrong: products in float32 (NN, TN; error 0.5)" in admitted.note


def test_a_device_that_fails_at_the_check_is_refused(desk: Desk) -> None:
    desk.says = BuildFailed("A kernel does not build.", "Report it.")
    with pytest.raises(UntrustedDevice, match="computes wrong: A kernel does not build"):
        desk.admission.admit(INFOS[0].id)


def test_a_check_can_be_repeated(desk: Desk) -> None:
    (info,) = INFOS
    desk.says = verdict("refused")
    assert desk.admission.judge(info).trust == "refused"
    desk.says = verdict("trusted")
    assert desk.admission.judge(info).trust == "refused"
    assert desk.admission.judge(info, again=True).trust == "trusted"
    assert desk.admission.judge(info).trust == "trusted"
    assert desk.admission.judge(catalogue.REFERENCE, again=True).trust == "trusted"
    assert desk.checked == [info.id] * 2

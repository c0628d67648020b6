"""Who may compute: a device is asked what it is wanted for, once, and refused where it is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import attrs
import pytest

from tests.asking import QUESTIONS, Asking, asking, first_question
from workbench.core.errors import (
    BuildFailed,
    DeviceError,
    DeviceLost,
    DeviceStuck,
    OutOfMemory,
    UnknownDevice,
    UntrustedDevice,
)
from workbench.engine.backends import catalogue, verdicts
from workbench.engine.backends.base import Device
from workbench.engine.backends.catalogue import REFERENCE
from workbench.engine.backends.opencl.device import list_opencl
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.backends.verdicts import Question, Verdict
from workbench.training import devices
from workbench.training.devices import Admission
from workbench.training.trial import Trial

__all__ = ["asking"]

INFOS = list_opencl()[:1]
pytestmark = pytest.mark.skipif(not INFOS, reason="no OpenCL driver")

#: What is wanted of a device where nobody says for what; and what for one network.
EVERYTHING = list(QUESTIONS)
TRIAL: list[Question] = [("trial", "float32")]


def network(name: str = "a") -> Trial:
    return Trial(f"network {name}", "float32", dict, lambda *_: iter(()))


class Desk:
    """An admission, and who was watched at the check."""

    def __init__(self, asking: Asking) -> None:
        self.asking = asking
        self.watched: list[str] = []
        self.fails: dict[str, DeviceError] = {}
        self.admission = Admission(lambda *_: None, self._around, self._open)
        self.admit = self.admission.admit
        self.judge = self.admission.judge

    @contextmanager
    def _around(self, device: Device) -> Iterator[None]:
        self.watched.append(device.info.id)
        yield

    def _open(self, id: str) -> Device:
        if id in self.fails:
            raise self.fails[id]
        device = ReferenceDevice()
        device.info = catalogue.device_info(id)  # type: ignore[misc]
        return device


@pytest.fixture
def desk(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a desk on a machine with one OpenCL device of which nothing is known."""
    monkeypatch.setattr(catalogue, "list_opencl", lambda: INFOS)
    return Desk(asking)


def test_the_first_use_checks_and_the_next_does_not(desk: Desk, asking: Asking) -> None:
    (info,) = INFOS
    for _ in range(2):
        admitted = desk.admit(info.id)
        assert (admitted.info, admitted.note) == (info, "")
        assert (admitted.verdict.trust, admitted.verdict.unasked) == ("trusted", ())
        assert [(f.family, f.precision) for f in admitted.verdict.findings] == EVERYTHING
    assert asking.asked == EVERYTHING
    assert desk.watched == [info.id]


def test_the_default_device_is_checked_and_taken(desk: Desk, asking: Asking) -> None:
    admitted = desk.admit(None)
    assert (admitted.info, admitted.note) == (INFOS[0], "")
    assert asking.asked == EVERYTHING


def test_another_program_is_checked_anew(
    desk: Desk, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.admit(None)
    monkeypatch.setattr(verdicts, "_sources", lambda: "others")
    asking.wrong = {"updates": ("TN",)}
    assert desk.admit(None).info == REFERENCE
    assert asking.asked == EVERYTHING * 2


@pytest.mark.parametrize("family", ["updates", "moves"])
def test_what_computes_wrong_is_not_taken_unasked(desk: Desk, asking: Asking, family: str) -> None:
    asking.wrong = {family: ("TN",)}
    for _ in range(2):
        admitted = desk.admit(None)
        assert admitted.info.id == catalogue.default_device() == "reference"
        assert "No OpenCL device computes right here: NumPy computes" in admitted.note
    assert asking.asked == EVERYTHING


def test_where_there_is_no_driver_numpy_computes_and_says_so(
    desk: Desk, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (catalogue, devices):
        monkeypatch.setattr(place, "devices", lambda: [REFERENCE])
    monkeypatch.setattr(catalogue, "list_opencl", list)
    admitted = desk.admit(None, trial=network)
    assert admitted.info == REFERENCE
    assert "No OpenCL device was found: NumPy computes" in admitted.note
    assert asking.asked == []


def test_whoever_names_the_reference_is_told_nothing(
    desk: Desk, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk.admit("reference", trial=network).note == ""
    monkeypatch.setenv("WORKBENCH_DEVICE", "reference")
    assert desk.admit(None).note == ""
    assert asking.asked == []


def test_a_device_that_is_not_there_is_told_before_anything_is_made(desk: Desk) -> None:
    def never() -> Trial:
        pytest.fail("data would be loaded for it")

    with pytest.raises(UnknownDevice, match="no device 'nothing:7'"):
        desk.admit("nothing:7", trial=never)


def test_a_refused_device_is_refused_until_somebody_insists(
    desk: Desk, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    (info,) = INFOS
    asking.wrong = {"updates": ("TN",)}
    with pytest.raises(UntrustedDevice) as caught:
        desk.admit(info.id)
    error = caught.value
    assert isinstance(error, DeviceError)
    assert error.exit_status == 1
    assert error.message.startswith(first_question(info))
    assert "another device" in error.hint
    monkeypatch.setenv("WORKBENCH_DEVICE", info.id)
    with pytest.raises(UntrustedDevice):
        desk.admit(None)
    admitted = desk.admit(info.id, untrusted=True)
    assert admitted.info == info
    assert "computes wrong" in admitted.note
    assert asking.asked == EVERYTHING


def test_a_limited_device_is_used_where_it_is_named(desk: Desk, asking: Asking) -> None:
    asking.wrong = {"moves": ("slice",)}
    admitted = desk.admit(INFOS[0].id)
    assert (admitted.info, admitted.verdict.trust) == (INFOS[0], "limited")
    assert "computes wrong: moves in float32 (slice; error 0.5)" in admitted.note


def test_a_device_that_fails_at_the_check_is_refused(desk: Desk, asking: Asking) -> None:
    asking.fails = {"updates": BuildFailed("A kernel does not build.", "Report it.")}
    with pytest.raises(UntrustedDevice, match="computes wrong: A kernel does not build"):
        desk.admit(INFOS[0].id)
    assert desk.judge(INFOS[0]).trust == "refused"


@pytest.mark.parametrize("trial", [None, network])
@pytest.mark.parametrize("kind", [OutOfMemory, DeviceLost, DeviceStuck])
def test_what_may_be_otherwise_the_next_time_is_no_verdict(
    desk: Desk, kind: type[DeviceError], trial: object
) -> None:
    (info,) = INFOS
    desk.fails = {info.id: kind("Not now.")}
    for id in (info.id, None):
        with pytest.raises(kind):
            desk.admit(id, trial=trial)  # type: ignore[arg-type]
    desk.fails = {}
    assert desk.admit(None, trial=trial).info == info  # type: ignore[arg-type]


def test_a_device_that_does_not_open_is_refused(desk: Desk) -> None:
    (info,) = INFOS
    desk.fails = {info.id: DeviceError("It does not open.")}
    with pytest.raises(UntrustedDevice, match="It does not open"):
        desk.admit(info.id, trial=network)
    assert desk.admit(None, trial=network).info == REFERENCE


def test_a_check_can_be_repeated(desk: Desk, asking: Asking) -> None:
    (info,) = INFOS
    asking.wrong = {"updates": ("TN",)}
    assert desk.judge(info).trust == "refused"
    asking.wrong = {}
    assert desk.judge(info).trust == "refused"
    assert desk.judge(info, again=True).trust == "trusted"
    assert desk.judge(info).trust == "trusted"
    assert desk.judge(REFERENCE, again=True).trust == "trusted"
    assert asking.asked == EVERYTHING * 2


# For one network ----------------------------------------------------------------------------------


def test_only_what_is_wanted_is_asked_and_each_network_once(desk: Desk, asking: Asking) -> None:
    (info,) = INFOS
    for name in ("a", "b", "a", "b"):
        admitted = desk.admit(info.id, trial=partial(network, name))
        assert (admitted.verdict.trust, admitted.note) == ("trusted", "")
        assert admitted.verdict.unasked == QUESTIONS
    assert asking.asked == TRIAL * 2
    # In another precision it is another question.
    desk.admit(info.id, trial=lambda: attrs.evolve(network("a"), precision="float64"))
    assert asking.asked == [*TRIAL * 2, ("trial", "float64")]


def test_what_is_left_is_asked_later_and_once(desk: Desk, asking: Asking) -> None:
    (info,) = INFOS
    desk.admit(info.id, trial=network)
    assert desk.admission.ask_more(info).unasked == QUESTIONS[1:]
    assert asking.asked == [*TRIAL, QUESTIONS[0]]
    verdict = desk.judge(info)
    assert asking.asked == [*TRIAL, *QUESTIONS]
    assert (verdict.unasked, [f.family for f in verdict.findings]) == (
        (),
        ["network a", "updates", "updates", "moves"],
    )
    # A device that was asked everything is asked nothing more for a network.
    desk.admit(info.id, trial=partial(network, "c"))
    assert len(asking.asked) == 4


def test_a_network_that_is_computed_wrong_lets_everything_be_asked(
    desk: Desk, asking: Asking
) -> None:
    (info,) = INFOS
    asking.off, asking.wrong = True, {"updates": ("TN",)}
    with pytest.raises(UntrustedDevice) as caught:
        desk.admit(info.id, trial=network)
    assert caught.value.message.startswith(first_question(info))
    assert asking.asked == TRIAL + EVERYTHING
    assert desk.judge(info).trust == "refused"


@pytest.mark.parametrize("wrong", [{}, {"moves": ("slice",)}])
def test_a_network_that_alone_is_computed_wrong_is_refused_alone(
    desk: Desk, asking: Asking, wrong: dict[str, tuple[str, ...]]
) -> None:
    (info,) = INFOS
    asking.off, asking.wrong = True, wrong
    for _ in range(2):
        with pytest.raises(UntrustedDevice, match=r"network a in float32 \(0.weight; error 0.5\)"):
            desk.admit(info.id, trial=network)
        assert desk.admit(None, trial=network).info == REFERENCE
    assert asking.asked == TRIAL + EVERYTHING
    assert "0.weight" in desk.admit(info.id, untrusted=True, trial=network).note
    other = desk.admit(info.id, trial=partial(network, "b"))
    assert other.verdict.trust == ("limited" if wrong else "trusted")


def test_a_network_whose_kernels_do_not_build_is_at_fault_itself(
    desk: Desk, asking: Asking
) -> None:
    (info,) = INFOS
    asking.fails = {"trial": BuildFailed("A kernel does not build.", "", 2)}
    for id in (info.id, None):
        with pytest.raises(BuildFailed) as caught:
            desk.admit(id, trial=network)
        assert caught.value.layer == 2
        asking.fails = {}
        assert desk.admit(info.id, trial=network).verdict.trust == "trusted"
        verdicts.keep(info, Verdict("trusted", unasked=QUESTIONS))
        asking.fails = {"trial": BuildFailed("A kernel does not build.", "", 2)}


# Several devices ----------------------------------------------------------------------------------


@pytest.fixture
def many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a desk with three devices, of which the second is the fastest, then the third."""
    infos = [attrs.evolve(INFOS[0], id=f"some:{number}") for number in range(3)]
    monkeypatch.setattr(catalogue, "list_opencl", lambda: infos)
    monkeypatch.setattr(
        devices, "speed", lambda device: {"some:1": 90.0, "some:2": 50.0}.get(device.info.id, 10.0)
    )
    return desk


def test_the_fastest_is_asked_alone(many: Desk) -> None:
    assert many.admit(None, trial=network).info.id == "some:1"
    assert many.admit(None, trial=network).info.id == "some:1"
    assert many.asking.asked == TRIAL
    # Each was timed, once.
    assert many.watched == ["some:0", "some:1", "some:2", "some:1"]


def test_the_next_one_is_taken_where_the_fastest_is_wrong_or_gone(many: Desk) -> None:
    assert many.admit(None, trial=network).info.id == "some:1"
    verdicts.keep(catalogue.device_info("some:1"), Verdict("refused", gflops=90.0))
    assert many.admit(None, trial=network).info.id == "some:2"
    many.fails = {"some:2": DeviceLost("It is gone.")}
    assert many.admit(None, trial=partial(network, "b")).info.id == "some:0"
    assert many.asking.asked == TRIAL * 3

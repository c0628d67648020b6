"""What a device was not asked before a run, the engine asks while there is nothing else to do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import attrs
import pytest

from tests.asking import QUESTIONS, Asking, asking, first_question
from tests.training.served import Served
from workbench.core.errors import OutOfMemory
from workbench.data.dataset import Dataset
from workbench.engine.backends.base import Device
from workbench.engine.backends.opencl.device import list_opencl
from workbench.engine.backends.reference import ReferenceDevice
from workbench.spec.data import DataSpec
from workbench.spec.network import NetworkSpec
from workbench.spec.training import TrainingSpec
from workbench.training import engine_loop
from workbench.training.commands import Prepare, Shutdown, Start, Stop
from workbench.training.events import (
    DeviceAdmitted,
    DeviceChecking,
    Prepared,
    RunFailed,
    Snapshot,
    Stopped,
)

__all__ = ["asking"]

INFOS = list_opencl()[:1]
pytestmark = pytest.mark.skipif(not INFOS, reason="no OpenCL driver")

TRIAL = ("trial", "float64")


class Engine(Served):
    """The loop; NumPy computes in the place of every device."""

    def __init__(self, dataset: Dataset) -> None:
        self.may_load = threading.Event()
        self.may_load.set()
        self._dataset = dataset
        super().__init__(self._load, _opened)

    def _load(self, *_: object) -> Dataset:
        assert self.may_load.wait(10)
        return self._dataset

    def left(self) -> int:
        """Return how many questions are left at the next word about the device."""
        return len(self.wait_for(DeviceAdmitted).verdict.unasked)


def _opened(id: str | None) -> Device:
    device = ReferenceDevice()
    device.info = next(info for info in INFOS if info.id == id)  # type: ignore[misc]
    return device


@pytest.fixture
def engine(
    asking: Asking, stripes: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    monkeypatch.setattr(engine_loop, "_QUIET_S", 0.01)
    engine = Engine(stripes())
    yield engine
    asking.may_end.set()
    engine.send(Shutdown())
    engine.thread.join(10)
    assert not engine.thread.is_alive()


@pytest.fixture
def prepare(tanh: NetworkSpec, training: TrainingSpec) -> Prepare:
    return Prepare(tanh, training, DataSpec("stripes"), INFOS[0].id)


@pytest.fixture
def endless(tanh: NetworkSpec, training: TrainingSpec) -> Start:
    training = attrs.evolve(training, epochs=1_000_000)
    return Start(tanh, training, DataSpec("stripes"), INFOS[0].id)


def test_while_nothing_is_done_everything_is_asked(
    engine: Engine, asking: Asking, prepare: Prepare
) -> None:
    engine.send(prepare)
    assert [engine.left() for _ in range(4)] == [3, 2, 1, 0]
    assert asking.asked == [TRIAL, *QUESTIONS]
    # Only what somebody waits for is said to be checked.
    assert [type(event) for event in engine.seen].count(DeviceChecking) == 1
    assert {event.note for event in engine.seen if isinstance(event, DeviceAdmitted)} == {""}
    # The next session finds it all.
    engine.send(attrs.evolve(prepare, training=attrs.evolve(prepare.training, batch=6)))
    engine.wait_for(Prepared)
    assert len(asking.asked) == 4
    assert engine.lifeline.device is not None
    assert engine.lifeline.at_hand is not None
    assert engine.lifeline.device is engine.lifeline.at_hand.session.device


def test_a_command_waits_for_one_question_only(
    engine: Engine, asking: Asking, prepare: Prepare
) -> None:
    engine.send(prepare)
    engine.wait_for(Prepared)
    asking.may_end.clear()
    while asking.asked[-1] != QUESTIONS[0]:
        time.sleep(0.001)
    engine.send(attrs.evolve(prepare, id=7))
    asking.may_end.set()
    engine.seen.clear()
    assert engine.wait_for(Prepared).id == 7
    told = [event for event in engine.seen if isinstance(event, DeviceAdmitted)]
    assert [len(event.verdict.unasked) for event in told] == [2]
    assert asking.asked == [TRIAL, QUESTIONS[0]]
    assert [engine.left() for _ in range(2)] == [1, 0]


def test_a_session_that_is_replaced_at_once_is_not_asked_for(
    engine: Engine, asking: Asking, prepare: Prepare, endless: Start
) -> None:
    engine.may_load.clear()
    for command in (prepare, prepare, endless):
        engine.send(command)
    engine.may_load.set()
    engine.wait_for(Snapshot)
    told = [event for event in engine.seen if isinstance(event, DeviceAdmitted)]
    assert [event.verdict.is_known for event in told] == [False, True]
    assert [type(event) for event in engine.seen].count(DeviceChecking) == 1
    assert asking.asked == [TRIAL]


def test_nothing_is_asked_while_a_run_goes_on(
    engine: Engine, asking: Asking, endless: Start
) -> None:
    engine.send(endless)
    for _ in range(5):
        engine.wait_for(Snapshot)
    assert asking.asked == [TRIAL]
    engine.send(Stop())
    engine.wait_for(Stopped)
    assert [engine.left() for _ in range(3)] == [2, 1, 0]


def test_a_device_that_turns_out_wrong_is_told_and_refused_from_then_on(
    engine: Engine, asking: Asking, prepare: Prepare, endless: Start
) -> None:
    asking.wrong = {"updates": ("TN",)}
    engine.send(prepare)
    assert engine.left() == 3
    told = engine.wait_for(DeviceAdmitted)
    assert told.verdict.trust == "refused"
    assert told.note.startswith(first_question(INFOS[0]))
    engine.send(endless)
    failed = engine.wait_for(RunFailed)
    assert failed.kind == "UntrustedDevice"
    assert failed.message == told.note
    # What is refused is asked no more.
    assert asking.asked == [TRIAL, QUESTIONS[0]]
    assert told.verdict.unasked
    assert not engine_loop._is_askable(told.verdict)
    engine.send(attrs.evolve(endless, untrusted=True))
    engine.wait_for(Snapshot)


def test_what_is_wrong_but_not_needed_is_told_and_all_else_is_asked(
    engine: Engine, asking: Asking, prepare: Prepare
) -> None:
    asking.wrong = {"moves": ("slice",)}
    engine.send(prepare)
    assert [engine.left() for _ in range(4)] == [3, 2, 1, 0]
    (*_, last) = engine.seen
    assert isinstance(last, DeviceAdmitted)
    assert last.verdict.trust == "limited"
    assert "moves in float32 (slice" in last.note


def test_a_device_that_has_no_room_for_questions_now_is_left_alone(
    engine: Engine, asking: Asking, prepare: Prepare
) -> None:
    asking.fails = {"updates": OutOfMemory("It is full.")}
    engine.send(prepare)
    engine.wait_for(Prepared)
    while asking.asked[-1] != QUESTIONS[0]:
        time.sleep(0.001)
    asking.fails = {}
    engine.send(attrs.evolve(prepare, id=7))
    assert [engine.left() for _ in range(4)] == [3, 2, 1, 0]
    assert asking.asked == [TRIAL, QUESTIONS[0], *QUESTIONS]
    assert not any(isinstance(event, RunFailed) for event in engine.seen)

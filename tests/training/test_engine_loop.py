"""The engine thread serves one queue from its start to its end, whatever fails in between."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import attrs
import numpy as np
import pytest

from tests.failing import FailingDevice
from tests.training.served import Served
from workbench.core.errors import BuildFailed, DataError, DeviceError, OutOfMemory
from workbench.data.dataset import Dataset, Progress
from workbench.engine.backends.base import Device
from workbench.nn.optimizers.sgd import SGD
from workbench.spec.data import DataSpec
from workbench.spec.network import NetworkSpec
from workbench.spec.training import TrainingSpec
from workbench.training.commands import (
    Fetch,
    Pause,
    Predict,
    Prepare,
    Resume,
    Shutdown,
    Start,
    Step,
    Stop,
)
from workbench.training.events import (
    DataLoaded,
    Fetched,
    Finished,
    Paused,
    Predicted,
    Prepared,
    Preparing,
    RequestFailed,
    RunFailed,
    Snapshot,
    Started,
    Stopped,
)
from workbench.training.model_files import position_of
from workbench.training.session import Session


class Engine(Served):
    """The loop with one device and datasets of stripes, some of them broken."""

    def __init__(self, stripes: Callable[..., Dataset], device: Device) -> None:
        self.loads = 0
        self.opens: list[str | None] = []
        self.device = device
        self._stripes = stripes
        super().__init__(self._load, self._open)

    def _load(self, spec: DataSpec, progress: Progress) -> Dataset:
        if spec.dataset == "broken":
            raise ZeroDivisionError("inside a dataset")
        if spec.dataset == "exit":
            raise SystemExit("an extension wants to leave")
        if spec.dataset == "missing":
            raise DataError("There is no dataset.", "Name another.")
        self.loads += 1
        progress("reading", 1, 2)
        return self._stripes()

    def _open(self, id: str | None) -> Device:
        self.opens.append(id)
        return self.device


@pytest.fixture
def engine(stripes: Callable[..., Dataset], device: Device) -> Iterator[Engine]:
    engine = Engine(stripes, device)
    yield engine
    engine.send(Shutdown())
    engine.thread.join(10)
    assert not engine.thread.is_alive()


@pytest.fixture
def start(tanh: NetworkSpec, training: TrainingSpec) -> Start:
    return Start(tanh, training, DataSpec("stripes"))


@pytest.fixture
def endless(start: Start) -> Start:
    return attrs.evolve(start, training=attrs.evolve(start.training, epochs=1_000_000))


IMAGE = np.zeros((1, 4, 5), np.uint8)


def test_one_run_after_another_on_data_read_once(engine: Engine, start: Start) -> None:
    for _ in range(2):
        engine.send(start)
        assert engine.wait_for(Started).device.id == "reference"
        assert engine.wait_for(Finished).step == 12
    assert engine.loads == 1


def test_loading_tells_its_progress(engine: Engine, start: Start) -> None:
    engine.send(start)
    assert engine.wait_for(Preparing) == Preparing("reading", 1, 2)


def test_the_test_split_is_told_once_for_data_that_is_read_once(
    engine: Engine, start: Start, stripes: Callable[..., Dataset]
) -> None:
    engine.send(start)
    loaded = engine.wait_for(DataLoaded)
    test = stripes().test
    np.testing.assert_array_equal(loaded.test_inputs, test.inputs)
    np.testing.assert_array_equal(loaded.test_targets, test.targets)
    assert not loaded.test_inputs.flags.writeable
    engine.wait_for(Finished)
    engine.send(start)
    engine.wait_for(Finished)
    assert not [event for event in engine.seen if isinstance(event, DataLoaded)][1:]


def test_requests_are_answered_before_during_and_after(engine: Engine, endless: Start) -> None:
    engine.send(Predict(IMAGE, 1))
    assert engine.wait_for(RequestFailed).id == 1
    engine.send(endless)
    engine.wait_for(Snapshot)
    engine.send(Predict(IMAGE, 2))
    assert engine.wait_for(Predicted).id == 2
    engine.send(Stop())
    stopped = engine.wait_for(Stopped)
    engine.send(Predict(IMAGE, 3))
    predicted = engine.wait_for(Predicted)
    assert (predicted.id, predicted.step) == (3, stopped.step)


def test_steering_an_idle_engine_does_nothing(engine: Engine, start: Start) -> None:
    engine.send(Stop())
    engine.send(Pause())
    engine.send(start)
    assert engine.wait_for(Finished).step == 12


def test_a_start_takes_the_place_of_a_run(engine: Engine, start: Start, endless: Start) -> None:
    engine.send(endless)
    engine.wait_for(Snapshot)
    engine.send(start)
    engine.wait_for(Stopped)
    assert engine.wait_for(Finished).step == 12


def test_shutdown_ends_a_run_that_is_paused(engine: Engine, endless: Start) -> None:
    engine.send(endless)
    engine.send(Pause())
    engine.wait_for(Paused)
    engine.send(Shutdown())
    engine.thread.join(10)
    assert not engine.thread.is_alive()


@pytest.mark.parametrize(
    ("dataset", "kind", "words"),
    [
        ("missing", "DataError", "no dataset"),
        ("broken", "ZeroDivisionError", "inside a dataset"),
        ("exit", "SystemExit", "wants to leave"),
    ],
)
def test_a_failure_is_told_and_the_engine_lives_on(
    engine: Engine, start: Start, dataset: str, kind: str, words: str
) -> None:
    engine.send(attrs.evolve(start, data=DataSpec(dataset)))
    failed = engine.wait_for(RunFailed)
    assert failed.kind == kind
    assert words in failed.message
    assert failed.hint
    engine.send(start)
    assert engine.wait_for(Finished).step == 12


def test_a_diverging_run_is_told_and_its_good_parameters_serve_on(
    engine: Engine, endless: Start, relu: NetworkSpec
) -> None:
    spec = attrs.evolve(endless.training, optimizer=SGD(1e20), precision="float32")
    engine.send(attrs.evolve(endless, network=relu, training=spec))
    failed = engine.wait_for(RunFailed)
    assert failed.kind == "DivergedError"
    engine.send(Predict(IMAGE, 1))
    assert np.isfinite(engine.wait_for(Predicted).outputs).all()


def test_a_run_that_diverged_goes_on_from_where_it_was_good(
    engine: Engine, endless: Start, relu: NetworkSpec
) -> None:
    spec = attrs.evolve(endless.training, optimizer=SGD(1e20), precision="float32")
    engine.send(attrs.evolve(endless, network=relu, training=spec))
    history = engine.wait_for(Started).history
    engine.wait_for(RunFailed)
    beyond = len(history.points()["step"])
    slower = attrs.evolve(spec, optimizer=SGD(0.1))
    engine.send(attrs.evolve(endless, network=relu, training=slower, go_on=True, paused=True))
    began = engine.wait_for(Started)
    # What was drawn stays as it was; the history that goes on ends at the parameters.
    assert len(history.points()["step"]) == beyond > began.step
    assert len(began.history.points()["step"]) == began.step
    engine.send(Step(5))
    engine.wait_for(Paused)
    steps = began.history.points()["step"]
    np.testing.assert_array_equal(steps, np.arange(began.step + 5))


def test_a_lost_device_takes_no_parameters_with_it(engine: Engine, endless: Start) -> None:
    engine.device = failing = FailingDevice()
    engine.send(endless)
    engine.wait_for(Snapshot)
    failing.lost = True
    failed = engine.wait_for(RunFailed)
    assert (failed.kind, failed.message) == ("DeviceLost", "The device was lost.")
    assert "The parameters are those after " in failed.hint
    engine.send(Predict(IMAGE, 1))
    assert engine.wait_for(RequestFailed).message == "The device was lost."
    engine.send(Fetch(2))
    kept = engine.wait_for(Fetched).model
    engine.device = FailingDevice()
    engine.send(attrs.evolve(endless, go_on=True, paused=True))
    began = engine.wait_for(Started)
    # For the question, which was in vain, and for the run.
    assert len(engine.opens) == 3
    assert began.step == len(began.history.points()["step"]) == kept.position["step"]
    engine.send(Fetch(3))
    again = engine.wait_for(Fetched).model
    for name, value in kept.parameters.items():
        np.testing.assert_array_equal(again.parameters[name], value)
    engine.send(Resume())
    engine.wait_for(Snapshot)


def test_a_device_that_is_lost_while_it_rests_is_opened_anew_for_a_question(
    engine: Engine, start: Start
) -> None:
    engine.device = failing = FailingDevice()
    engine.send(start)
    assert engine.wait_for(Finished).step == 12
    engine.send(Predict(IMAGE, 1))
    before = engine.wait_for(Predicted).outputs
    failing.lost = True
    engine.send(Fetch(2))
    assert engine.wait_for(Fetched).model.position["step"] == 12
    engine.device = FailingDevice()
    engine.send(Predict(IMAGE, 3))
    predicted = engine.wait_for(Predicted)
    np.testing.assert_array_equal(predicted.outputs, before)
    assert (predicted.step, len(engine.opens)) == (12, 2)


def test_training_goes_on_after_a_device_was_lost_while_it_rested(
    engine: Engine, start: Start
) -> None:
    engine.device = failing = FailingDevice()
    engine.send(start)
    engine.wait_for(Finished)
    failing.lost = True
    engine.device = FailingDevice()
    longer = attrs.evolve(start.training, epochs=6)
    engine.send(attrs.evolve(start, training=longer, go_on=True))
    assert engine.wait_for(Started).step == 12
    assert engine.wait_for(Finished).step == 18


@pytest.mark.parametrize("error", [OutOfMemory, BuildFailed])
def test_a_device_that_is_sound_is_not_opened_anew(
    engine: Engine, start: Start, error: type[DeviceError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error("It does not go.", "Do without.", 1)

    with monkeypatch.context() as patch:
        patch.setattr(Session, "advance", fail)
        engine.send(start)
        failed = engine.wait_for(RunFailed)
    assert failed == RunFailed(error.__name__, "It does not go.", "Do without.", 1)
    engine.send(start)
    assert engine.wait_for(Finished).step == 12
    assert len(engine.opens) == 1


def test_a_question_that_fails_ends_no_run(
    engine: Engine, endless: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise ZeroDivisionError("inside a layer")

    monkeypatch.setattr(Session, "predict", explode)
    engine.send(endless)
    engine.wait_for(Snapshot)
    engine.send(Predict(IMAGE, 1))
    failed = engine.wait_for(RequestFailed)
    assert (failed.id, "inside a layer" in failed.message) == (1, True)
    engine.wait_for(Snapshot)


def test_a_prepared_network_answers_without_a_run(engine: Engine, start: Start) -> None:
    engine.send(Prepare(start.network, start.training, start.data, id=7))
    prepared = engine.wait_for(Prepared)
    assert (type(prepared), prepared.step, prepared.steps, prepared.id) == (Prepared, 0, 12, 7)
    engine.send(Predict(IMAGE, 1))
    assert engine.wait_for(Predicted).step == 0
    engine.send(Fetch(2))
    fetched = engine.wait_for(Fetched)
    assert fetched.id == 2
    engine.send(
        attrs.evolve(start, parameters={k: 2 * v for k, v in fetched.model.parameters.items()})
    )
    engine.wait_for(Finished)


def test_a_fetched_model_goes_on_as_the_run_does(engine: Engine, start: Start) -> None:
    engine.send(attrs.evolve(start, paused=True))
    engine.send(Step(5))
    engine.wait_for(Paused)
    engine.send(Fetch(1))
    model = engine.wait_for(Fetched).model
    assert model.position["step"] == len(model.history["points.step"]) == 5
    engine.send(Resume())
    engine.wait_for(Finished)
    engine.send(Fetch(2))
    whole = engine.wait_for(Fetched).model
    position = position_of(model)
    saved = {"parameters": model.parameters, "position": position, "history": model.history}
    engine.send(attrs.evolve(start, **saved))
    assert engine.wait_for(Started).step == 5
    engine.wait_for(Finished)
    engine.send(Fetch(3))
    again = engine.wait_for(Fetched).model
    for name, value in whole.parameters.items():
        np.testing.assert_array_equal(again.parameters[name], value)
    for name in ("points.log_likelihood", "epochs.validation_log_likelihood"):
        np.testing.assert_array_equal(again.history[name], whole.history[name])


def test_a_start_may_go_on_from_the_session_at_hand(
    engine: Engine, start: Start, relu: NetworkSpec
) -> None:
    engine.send(start)
    engine.wait_for(Finished)
    longer = attrs.evolve(start.training, epochs=6)
    engine.send(attrs.evolve(start, training=longer, go_on=True, id=3))
    began = engine.wait_for(Started)
    assert (began.step, began.steps, began.id) == (12, 18, 3)
    assert engine.wait_for(Finished).step == len(began.history.points()["step"]) == 18
    # Another network has nothing to go on from.
    engine.send(attrs.evolve(start, network=relu, go_on=True))
    assert engine.wait_for(Started).step == 0


def test_a_start_that_fails_leaves_the_network_at_hand(engine: Engine, start: Start) -> None:
    engine.send(start)
    engine.wait_for(Finished)
    engine.send(attrs.evolve(start, training=attrs.evolve(start.training, batch=1000)))
    assert "1000" in engine.wait_for(RunFailed).message
    engine.send(Predict(IMAGE, 1))
    assert engine.wait_for(Predicted).step == 12


def _count_predictions(monkeypatch: pytest.MonkeyPatch) -> queue.Queue[int]:
    rows: queue.Queue[int] = queue.Queue()
    real = Session.predict

    def predict(session: Session, images: np.ndarray) -> np.ndarray:
        rows.put(len(images))
        return real(session, images)

    monkeypatch.setattr(Session, "predict", predict)
    return rows


def test_a_session_that_waits_has_its_kernels_built(
    engine: Engine, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted = _count_predictions(monkeypatch)
    engine.send(Prepare(start.network, start.training, start.data))
    engine.wait_for(Prepared)
    assert predicted.get(timeout=10) == 1


def test_what_is_waited_for_comes_before_kernels_that_nobody_asked_for(
    engine: Engine,
    start: Start,
    stripes: Callable[..., Dataset],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    predicted = _count_predictions(monkeypatch)
    all_sent = threading.Event()

    def later() -> Dataset:
        assert all_sent.wait(10)
        return stripes()

    engine._stripes = later
    engine.send(Prepare(start.network, start.training, start.data))
    engine.send(start)
    all_sent.set()
    engine.wait_for(Finished)
    assert predicted.empty()

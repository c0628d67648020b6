"""A run tells all that happens, obeys its commands, and goes back when it diverges."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

import attrs
import numpy as np
import pytest

from workbench.core.errors import DivergedError
from workbench.data.dataset import Dataset, Split
from workbench.engine.backends.base import Device
from workbench.nn.layers.dense import Dense
from workbench.nn.optimizers.sgd import SGD
from workbench.spec.network import NetworkSpec
from workbench.spec.training import TrainingSpec
from workbench.training.commands import (
    Command,
    CommandQueue,
    Pause,
    Predict,
    Probe,
    Resume,
    SetRate,
    Shutdown,
    Step,
    Stop,
)
from workbench.training.evaluator import Evaluation
from workbench.training.events import (
    EpochEnded,
    Event,
    Finished,
    Paused,
    Predicted,
    Probed,
    RequestFailed,
    Resumed,
    Snapshot,
    Started,
    Stopped,
)
from workbench.training.history import History
from workbench.training.session import Session
from workbench.training.trainer import Trainer

MakeSession = Callable[..., Session]
E = TypeVar("E", bound=Event)


def commanded(*commands: Command) -> CommandQueue:
    sent: CommandQueue = queue.SimpleQueue()
    for command in commands:
        sent.put(command)
    return sent


def of(kind: type[E], events: list[Event]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def until(kind: type[E], events: Iterator[Event]) -> E:
    return next(event for event in events if isinstance(event, kind))


def test_a_run_tells_all_of_it(make_session: MakeSession) -> None:
    session = make_session()
    trainer = Trainer(session, commanded())
    events = list(trainer.run())
    started, finished = events[0], events[-1]
    assert isinstance(started, Started)
    assert (started.step, started.steps, started.epoch, started.epochs) == (0, 12, 1, 4)
    assert started.parameters == 20 * 7 + 7 + 7 * 3 + 3
    assert started.device.id == "reference"
    assert isinstance(finished, Finished)
    assert finished.step == 12
    snapshots = of(Snapshot, events)
    assert snapshots[-1].progress == 1.0
    figures = np.concatenate([s.log_likelihood for s in snapshots])
    points = trainer.history.points()
    np.testing.assert_array_equal(figures, points["log_likelihood"])
    assert points["step"].tolist() == list(range(12))
    assert points["epoch"].tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    assert np.all(np.diff(points["elapsed_s"]) >= 0)
    assert started.history is trainer.history


def test_an_epoch_is_summed_up_over_its_rows(make_session: MakeSession) -> None:
    session = make_session(epochs=1)
    trainer = Trainer(session, commanded())
    (ended,) = of(EpochEnded, list(trainer.run()))
    record, points = ended.record, trainer.history.points()
    for name in ("log_likelihood", "accuracy"):
        mean = np.average(points[name], weights=[7, 7, 6])
        assert getattr(record, name) == pytest.approx(mean, rel=1e-14)
    validation = session.evaluate("validation")
    assert record.validation_log_likelihood == validation.log_likelihood
    assert record.validation_accuracy == validation.accuracy
    assert (record.epoch, record.step) == (1, 3)
    assert record.samples_per_second == pytest.approx(20 / record.seconds)


def test_a_resumed_run_ends_as_an_uninterrupted_one(
    make_session: MakeSession, digest: Callable[[Session], str]
) -> None:
    straight = Trainer(make_session(), commanded())
    list(straight.run())
    session = make_session()
    first = Trainer(session, commanded(Step(4)))
    events = first.run()
    until(Paused, events)
    saved = session.parameters(), session.position, first.history.to_arrays()
    assert saved[1].step == 4
    second = Trainer(
        make_session(parameters=saved[0], position=saved[1]),
        commanded(),
        History.from_arrays(saved[2]),
    )
    list(second.run())
    assert digest(second.session) == digest(straight.session)
    timed = {"elapsed_s", "seconds", "samples_per_second"}
    for name, column in straight.history.to_arrays().items():
        if name.partition(".")[2] not in timed:
            np.testing.assert_array_equal(second.history.to_arrays()[name], column)


def test_without_validation(make_session: MakeSession) -> None:
    trainer = Trainer(make_session(), commanded(), validate=False)
    records = [event.record for event in of(EpochEnded, list(trainer.run()))]
    assert [r.validation_log_likelihood for r in records] == [None] * 4


def test_pause_step_resume(make_session: MakeSession) -> None:
    commands = commanded(Pause())
    events = Trainer(make_session(), commands).run()
    assert until(Paused, events).step == 0
    commands.put(Step(2))
    made = []
    for event in events:
        if isinstance(event, Paused):
            break
        made.append(event)
    assert sum(len(s.log_likelihood) for s in of(Snapshot, made)) == 2
    commands.put(Step())
    assert until(Paused, events).step == 3
    commands.put(Resume())
    rest = list(events)
    assert of(Resumed, rest) == [Resumed(3)]
    assert isinstance(rest[-1], Finished)
    assert rest[-1].step == 12


def test_stepping_over_the_end_finishes(make_session: MakeSession) -> None:
    events = list(Trainer(make_session(), commanded(Step(100))).run())
    assert isinstance(events[-1], Finished)


def test_stop_ends_the_run_before_another_burst(make_session: MakeSession) -> None:
    commands = commanded()
    session = make_session(epochs=1_000_000)
    events = Trainer(session, commands).run()
    for _ in range(50):
        snapshot = until(Snapshot, events)
    commands.put(Stop("enough"))
    rest = list(events)
    assert not of(Snapshot, rest)
    assert rest[-1] == Stopped(snapshot.step, "enough")
    assert session.position.step == snapshot.step


def test_stop_from_another_thread_is_obeyed_at_once(make_session: MakeSession) -> None:
    commands = commanded()
    trainer = Trainer(make_session(epochs=1_000_000), commands)
    seen: list[Event] = []
    running = threading.Event()

    def run() -> None:
        for event in trainer.run():
            seen.append(event)
            running.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert running.wait(10)
    commands.put(Stop())
    thread.join(10)
    assert not thread.is_alive()
    assert isinstance(seen[-1], Stopped)


def test_stop_and_requests_while_paused(make_session: MakeSession) -> None:
    commands = commanded(Pause())
    session = make_session()
    events = Trainer(session, commands).run()
    until(Paused, events)
    images = session.dataset.test.inputs[:2]
    commands.put(Predict(images, id=7))
    predicted = until(Predicted, events)
    assert (predicted.id, predicted.step) == (7, 0)
    np.testing.assert_array_equal(predicted.outputs, session.predict(images))
    assert not predicted.outputs.flags.writeable
    commands.put(Stop())
    assert list(events) == [Stopped(0, "stopped")]


def test_of_waiting_requests_the_newest_is_answered(make_session: MakeSession) -> None:
    images = np.zeros((1, 4, 5), np.uint8)
    requests = [Predict(images, 1), Probe(0, 2), Predict(images, 3), Probe(2, 4)]
    events = list(Trainer(make_session(), commanded(*requests)).run())
    assert [event.id for event in of(Predicted, events)] == [3]
    assert [(event.id, event.layer) for event in of(Probed, events)] == [(4, 2)]
    assert isinstance(events[-1], Finished)


def test_a_request_behind_the_last_iteration_is_answered(make_session: MakeSession) -> None:
    commands = commanded()
    answers = []
    for event in Trainer(make_session(), commands).run():
        if isinstance(event, Snapshot):
            commands.put(Probe(0, event.step))
        if isinstance(event, Probed):
            answers.append(event.id)
    assert answers[-1] == 12


def test_a_request_that_fails_harms_nobody(make_session: MakeSession) -> None:
    sent = commanded(Predict(np.zeros((1, 9, 9), np.uint8), 1), Probe(9, 2))
    events = list(Trainer(make_session(), sent).run())
    failed = of(RequestFailed, events)
    assert [event.id for event in failed] == [1, 2]
    assert "(9, 9)" in failed[0].message
    assert isinstance(events[-1], Finished)


def test_a_rate_set_while_training(make_session: MakeSession) -> None:
    trainer = Trainer(make_session(), commanded(Step(2), Resume(), SetRate(0.125)))
    list(trainer.run())
    assert set(trainer.history.points()["rate"].tolist()) == {0.125}


def test_a_command_for_somebody_else_is_handed_over(make_session: MakeSession) -> None:
    trainer = Trainer(make_session(), commanded(Shutdown()))
    events = list(trainer.run())
    assert isinstance(events[-1], Stopped)
    assert trainer.handover == Shutdown()


@pytest.mark.parametrize("keep_s", [0.0, 1.0])
def test_divergence_stops_the_run_at_the_last_good_parameters(
    make_session: MakeSession, relu: NetworkSpec, monkeypatch: pytest.MonkeyPatch, keep_s: float
) -> None:
    monkeypatch.setattr("workbench.training.trainer.KEEP_S", keep_s)
    session = make_session(relu, optimizer=SGD(1e20), precision="float32", epochs=100)
    trainer = Trainer(session, commanded(), validate=False)
    with pytest.raises(DivergedError, match="log-likelihood became") as caught:
        list(trainer.run())
    points = trainer.history.points()
    assert np.isfinite(points["log_likelihood"]).all()
    step = int(points["step"][-1]) + 1
    assert f"after {step} iterations, in epoch {step // 3 + 1} of 100" in caught.value.message
    assert "1e+20" in caught.value.hint
    assert session.position.step < step
    assert all(np.isfinite(p).all() for p in session.parameters().values())
    # The parameters are those that gave the log-likelihood of their step.
    expected = float(points["log_likelihood"][session.position.step])
    assert session.advance(1).log_likelihood[0] == expected


def test_a_divergence_that_only_the_validation_shows(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session()
    evaluate = session.evaluate

    def spoilt(split: str) -> Evaluation:
        return attrs.evolve(evaluate(split), log_likelihood=-math.inf)

    monkeypatch.setattr(session, "evaluate", spoilt)
    with pytest.raises(DivergedError, match="validation log-likelihood became -inf after 3 iter"):
        list(Trainer(session, commanded()).run())


@pytest.mark.parametrize("stopped", [False, True])
def test_parameters_that_the_very_last_update_spoilt(
    device: Device, training: TrainingSpec, stopped: bool
) -> None:
    row = Split(np.ones((1, 4)), np.array([[1e10]]))
    data = Dataset("far", row, row, row)
    network = NetworkSpec((4,), (Dense(1),))
    spec = attrs.evolve(
        training, objective="squared_error", optimizer=SGD(1e300), batch=1, epochs=1 + stopped
    )
    session = Session(network, spec, data, device)
    first, commands = session.parameters(), commanded()

    def run() -> None:
        for event in Trainer(session, commands, validate=False).run():
            if stopped and isinstance(event, Snapshot):
                commands.put(Stop())

    with pytest.raises(DivergedError, match=r"'0\.weight' is not finite after 1 iterations"):
        run()
    assert session.position.step == 0
    np.testing.assert_array_equal(session.parameters()["0.weight"], first["0.weight"])

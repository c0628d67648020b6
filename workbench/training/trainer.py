"""Runs a session from its position to its end, as a generator of events.

Responsible for when iterations are made, commands obeyed and requests answered; knows nothing of
what an iteration computes, and of nobody who watches.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from typing import NoReturn, TypeVar

import numpy as np

from workbench.core.errors import DeviceError, DivergedError, WorkbenchError
from workbench.nn.shapes import walk
from workbench.training.commands import (
    Command,
    CommandQueue,
    Fetch,
    Inbox,
    Pause,
    Prepare,
    Probe,
    Request,
    Resume,
    SetRate,
    Shutdown,
    Step,
    Stop,
)
from workbench.training.events import (
    EpochEnded,
    Event,
    Fetched,
    Finished,
    Paused,
    Predicted,
    Prepared,
    Probed,
    RequestFailed,
    Resumed,
    Snapshot,
    Started,
    Stopped,
)
from workbench.training.history import EpochRecord, History, Iterations
from workbench.training.model_files import model_file
from workbench.training.position import Position
from workbench.training.session import SLOTS, Kept, Session

_log = logging.getLogger(__name__)

P = TypeVar("P", bound=Prepared)

#: Seconds that a burst of iterations is meant to take: commands wait no longer.
BURST_S = 0.020

#: Seconds between copies of the parameters to go back to after a divergence.
KEEP_S = 1.0


class Trainer:
    """Trains a session.

    Between two events the caller may use the session itself: the trainer waits meanwhile.

    Parameters
    ----------
    session
        What is trained, from where it stands.
    commands
        Steers the run; the trainer takes from it while it runs.
    history
        What is appended to; an empty one unless a saved run goes on.
    validate
        Whether the validation split is measured after each epoch.
    paused
        Whether to wait before the first iteration.

    Attributes
    ----------
    handover
        The `Prepare`, `Start` or `Shutdown` that ended the run, for whoever runs the trainer.
    """

    def __init__(
        self,
        session: Session,
        commands: CommandQueue,
        history: History | None = None,
        validate: bool = True,
        paused: bool = False,
    ) -> None:
        self.session = session
        self.history = history or History()
        self.handover: Command | None = None
        self._inbox = Inbox(commands)
        self._validate = validate
        self._paused = paused
        self._steps_wanted = 0
        self._stopped = False
        self._burst = 1
        self._epoch_made = (0, 0.0)
        session.keep()
        self._kept_at = -math.inf
        self._began = 0.0

    def run(self) -> Iterator[Event]:
        """Yield what happens until the run is finished or stopped.

        Raises
        ------
        DivergedError
            A log-likelihood or parameter was not finite. The parameters are then the last that
            were known to be good.
        DeviceError
            The device failed. The parameters are then the last that were copied from it; the error
            keeps its class.
        """
        session = self.session
        past = self.history.points()["elapsed_s"]
        self._began = time.perf_counter() - (float(past[-1]) if len(past) else 0.0)
        yield opened(Started, session, self.history)
        try:
            yield from self._go()
        except DeviceError as error:
            hint, trained = error.hint, session.position.step > 0
            session.withdraw()
            if trained:
                kept = session.position.step
                hint = f"{hint} The parameters are those after {kept} iterations.".strip()
            raise type(error)(error.message, hint, error.layer) from error

    def _go(self) -> Iterator[Event]:
        session = self.session
        while True:
            steering = self._take()
            for request in self._inbox.requests():
                yield answer(session, self.history, request)
            for command in steering:
                yield from self._obey(command)
            if self._stopped:
                return
            if self._done:
                self._check_parameters()
                yield Finished(session.position.step, self._elapsed_s)
                return
            if not self._waiting:
                yield from self._train()

    @property
    def _done(self) -> bool:
        return self.session.position.epoch >= self.session.training.epochs

    @property
    def _waiting(self) -> bool:
        return self._paused and not self._steps_wanted

    @property
    def _elapsed_s(self) -> float:
        return time.perf_counter() - self._began

    def _take(self) -> list[Command]:
        """Take the commands that have come; while paused wait for one, off the run's clock."""
        before = time.perf_counter()
        wait = self._waiting and not self._done
        steering = self._inbox.take(wait)
        if wait:
            self._began += time.perf_counter() - before
        if steering and isinstance(steering[-1], Prepare | Shutdown):
            self.handover = steering[-1]
        return steering

    def _obey(self, command: Command) -> Iterator[Event]:
        step = self.session.position.step
        if isinstance(command, Pause):
            if not self._waiting:
                yield Paused(step)
            self._paused, self._steps_wanted = True, 0
        elif isinstance(command, Resume):
            if self._paused:
                yield Resumed(step)
            self._paused, self._steps_wanted = False, 0
        elif isinstance(command, Step):
            self._paused, self._steps_wanted = True, self._steps_wanted + command.count
        elif isinstance(command, SetRate):
            self.session.rate = command.rate
        elif isinstance(command, Stop | Prepare | Shutdown):
            self._stopped = True
            self._check_parameters()
            reason = command.reason if isinstance(command, Stop) else "another command came"
            yield Stopped(step, reason)

    def _train(self) -> Iterator[Event]:
        """Make one burst of iterations and report it, and the epoch if it ended with it."""
        session = self.session
        count = min(self._burst, session.left_in_epoch)
        if self._paused:
            count = min(count, self._steps_wanted)
        at = session.position
        due = time.perf_counter() - self._kept_at > KEEP_S
        copy = session.parameters() if due else None
        began = time.perf_counter()
        made = session.advance(count)
        seconds = time.perf_counter() - began
        self._epoch_made = (self._epoch_made[0] + count, self._epoch_made[1] + seconds)
        self._burst = max(1, min(2 * count, SLOTS, int(BURST_S * count / max(seconds, 1e-9))))
        failed = np.flatnonzero(~np.isfinite(made.log_likelihood))
        sound = made[: failed[0]] if len(failed) else made
        if copy is not None and len(sound):
            # The first log-likelihood of the burst is that of the copy, so the copy is good.
            session.kept, self._kept_at = Kept(copy, at), time.perf_counter()
        if len(sound):
            yield self._snapshot(at, sound, self._rows(count) / seconds)
        if len(failed):
            value = float(made.log_likelihood[failed[0]])
            self._diverge(f"The log-likelihood became {value}", at.step + len(sound), at.epoch)
        if self._paused:
            self._steps_wanted -= count
        if session.position.epoch > at.epoch:
            yield self._end_epoch(at.epoch)
        if self._waiting:
            yield Paused(session.position.step)

    def _snapshot(self, at: Position, made: Iterations, samples_per_second: float) -> Snapshot:
        session, elapsed_s = self.session, self._elapsed_s
        self.history.add_points(at.step, at.epoch + 1, elapsed_s, made)
        return Snapshot(
            step=at.step + len(made),
            steps=session.steps,
            epoch=at.epoch + 1,
            epochs=session.training.epochs,
            elapsed_s=elapsed_s,
            samples_per_second=samples_per_second,
            rate=float(made.rate[-1]),
            log_likelihood=made.log_likelihood,
            accuracy=made.accuracy,
        )

    def _end_epoch(self, epoch: int) -> EpochEnded:
        """Measure the validation split and sum up the epoch, counted from 0."""
        session = self.session
        validation = session.evaluate("validation") if self._validate else None
        step = session.position.step
        if validation is not None and not math.isfinite(validation.log_likelihood):
            self._diverge(
                f"The validation log-likelihood became {validation.log_likelihood}", step, epoch
            )
        log_likelihood, accuracy = self._epoch_means(epoch + 1)
        made, seconds = self._epoch_made
        self._epoch_made = (0, 0.0)
        record = EpochRecord(
            epoch=epoch + 1,
            step=step,
            log_likelihood=log_likelihood,
            accuracy=None if math.isnan(accuracy) else accuracy,
            validation_log_likelihood=None if validation is None else validation.log_likelihood,
            validation_accuracy=None if validation is None else validation.accuracy,
            seconds=seconds,
            samples_per_second=self._rows(made) / seconds,
            elapsed_s=self._elapsed_s,
            rate=session.rate,
        )
        self.history.add_epoch(record)
        return EpochEnded(record)

    def _rows(self, iterations: int) -> float:
        """Return the training rows in so many iterations, on average."""
        return iterations * self.session.examples / self.session.iterations_per_epoch

    def _epoch_means(self, epoch: int) -> tuple[float, float]:
        """Return log-likelihood and accuracy over the rows of the epoch that has just ended.

        They come from the history, so that an epoch that was interrupted and resumed is whole.
        """
        session, points = self.session, self.history.points()
        own = points["epoch"][-session.iterations_per_epoch :] == epoch
        rows = np.full(len(own), float(session.batch))
        rows[-1] = session.examples - (session.iterations_per_epoch - 1) * session.batch
        rows = rows[own]
        log_likelihood, accuracy = (
            math.fsum(points[name][-len(own) :][own] * rows) / math.fsum(rows)
            for name in ("log_likelihood", "accuracy")
        )
        return log_likelihood, accuracy

    def _check_parameters(self) -> None:
        """Keep the parameters; raise DivergedError if the last update spoilt one.

        No figure shows that yet.
        """
        session = self.session
        found = Kept(session.parameters(), session.position)
        for name, value in found.parameters.items():
            if not np.isfinite(value).all():
                at = session.position
                self._diverge(f"Parameter {name!r} is not finite", at.step, at.epoch)
        session.kept = found

    def _diverge(self, what: str, step: int, epoch: int) -> NoReturn:
        """Go back to the last good parameters and raise; the epoch is counted from 0."""
        rate = self.session.rate
        self.session.restore()
        raise DivergedError(
            f"{what} after {step} iterations, in epoch {epoch + 1} of "
            f"{self.session.training.epochs}; training has stopped.",
            f"Use a lower rate than {rate:g}. "
            f"The parameters are again those after {self.session.position.step} iterations.",
        )


def opened(kind: type[P], session: Session, history: History) -> P:
    """Return the event that tells of a session as it stands."""
    return kind(
        device=session.device.info,
        precision=session.training.precision,
        step=session.position.step,
        steps=session.steps,
        epoch=session.position.epoch + 1,
        epochs=session.training.epochs,
        iterations_per_epoch=session.iterations_per_epoch,
        examples=session.examples,
        parameters=sum(step.parameter_count for step in walk(session.network)),
        history=history,
        network=session.network,
    )


def unforeseen(error: BaseException) -> tuple[str, str]:
    """Return a sentence and a hint for an error that nobody foresaw; the log has the details."""
    return (
        f"An unforeseen failure: {type(error).__name__}: {error}.",
        "This is a fault of the workbench or an extension; its log has the details.",
    )


def answer(session: Session, history: History, request: Request) -> Event:
    """Return the answer to a request; one that cannot be answered does no harm."""
    step = session.position.step
    try:
        if isinstance(request, Fetch):
            return Fetched(request.id, model_file(session, None, history))
        if isinstance(request, Probe):
            return Probed(request.id, step, request.layer, session.probe(request.layer))
        outputs = session.predict(request.inputs)
    except WorkbenchError as error:
        return RequestFailed(request.id, error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - whatever a question meets, the run goes on
        _log.exception("a question was not answered")
        return RequestFailed(request.id, *unforeseen(error))
    outputs.setflags(write=False)
    return Predicted(request.id, step, outputs)

"""The loop of the engine thread: idle or training, it serves one queue of commands.

Responsible for opening what a run needs and for turning every failure into an event; knows nothing
of windows.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping

import attrs
import numpy as np

from workbench.core.errors import WorkbenchError
from workbench.data.dataset import Dataset, Progress
from workbench.data.loading import load
from workbench.engine.backends.base import Device, DeviceInfo
from workbench.engine.backends.catalogue import open_device
from workbench.engine.backends.verdicts import Verdict
from workbench.spec.data import DataSpec
from workbench.training.commands import (
    Command,
    CommandQueue,
    Fetch,
    Inbox,
    Prepare,
    Request,
    Shutdown,
    Start,
)
from workbench.training.devices import Admission, admitted_by
from workbench.training.events import (
    DataLoaded,
    DeviceAdmitted,
    DeviceChecking,
    Event,
    Prepared,
    Preparing,
    RequestFailed,
    RunFailed,
    Started,
)
from workbench.training.history import History
from workbench.training.lifeline import AtHand, Lifeline
from workbench.training.session import Session
from workbench.training.trainer import Trainer, answer, opened, unforeseen
from workbench.training.trial import Trial, training_trial

_log = logging.getLogger(__name__)

#: Seconds without a command before a device is asked one question more that nobody waits for: while
#: it is, a command waits for it, for up to a few seconds.
_QUIET_S = 1.0


def serve(
    commands: CommandQueue,
    publish: Callable[[Event], None],
    load: Callable[[DataSpec, Progress], Dataset] = load,
    open_device: Callable[[str | None], Device] = open_device,
    lifeline: Lifeline | None = None,
) -> None:
    """Obey commands until `Shutdown`; the body of the one thread that uses devices.

    Parameters
    ----------
    commands
        What is asked; while nothing is, the loop sleeps on it.
    publish
        Is told everything that happens, in this thread; it must not block.
    load, open_device
        Where datasets and devices come from.
    lifeline
        Told what is worked with, for whoever watches from another thread.
    """
    _Engine(commands, publish, load, open_device, lifeline or Lifeline()).serve()


class _Engine:
    def __init__(
        self,
        commands: CommandQueue,
        publish: Callable[[Event], None],
        load: Callable[[DataSpec, Progress], Dataset],
        open_device: Callable[[str | None], Device],
        lifeline: Lifeline,
    ) -> None:
        self._commands = commands
        self._publish = publish
        self._load = load
        self._open_device = open_device
        self._lifeline = lifeline
        self._inbox = Inbox(commands)
        self._next: Command | None = None
        self._devices: dict[str, Device] = {}
        #: The device of the session, as it was told of last.
        self._admitted: DeviceAdmitted | None = None
        self._data: tuple[DataSpec, Dataset] | None = None
        self._session: Session | None = None
        #: By which the session was opened.
        self._opened_by: Prepare | None = None
        self._history = History()

    def serve(self) -> None:
        while not isinstance(self._next, Shutdown):
            try:
                self._obey()
            except WorkbenchError as error:
                kind = type(error).__name__
                self._publish(RunFailed(kind, error.message, error.hint, error.layer))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the thread lives on
                _log.exception("the engine failed")
                self._publish(RunFailed(type(error).__name__, *unforeseen(error)))
        if self._session is not None:
            self._session.close()
        # Nobody is to be rescued any more, and what a session holds on the device goes with it.
        self._lifeline.at_hand = None

    def _obey(self) -> None:
        """Train if that comes next, else wait for commands."""
        command, self._next = self._next, None
        if isinstance(command, Prepare):
            session = self._open(command)
            if isinstance(command, Start):
                paused = command.paused
                trainer = Trainer(session, self._commands, self._history, paused=paused)
                self._train(trainer, command.id)
            else:
                prepared = opened(Prepared, session, self._history)
                self._publish(attrs.evolve(prepared, id=command.id))
                self._warm(session)
            return
        admitted = self._admitted
        if admitted is not None and not _is_askable(admitted.verdict):
            admitted = None
        steering = self._inbox.take(wait=True, most_s=_QUIET_S if admitted else None)
        # Prepare, Start and Shutdown are always the last; the others steer a run; there is none.
        self._next = steering[-1] if steering else None
        requests = self._inbox.requests()
        for request in requests:
            self._publish(self._answer(request))
        if admitted is not None and not (steering or requests):
            self._ask_more(admitted)

    def _answer(self, request: Request) -> Event:
        if self._session is None or self._opened_by is None:
            return RequestFailed(request.id, "There is no network yet.", "Train one.")
        if self._session.device.lost and not isinstance(request, Fetch):
            try:
                self._open(attrs.evolve(self._opened_by, go_on=True))
            except WorkbenchError as error:
                return RequestFailed(request.id, error.message, error.hint)
        return answer(self._session, self._history, request)

    def _warm(self, session: Session) -> None:
        """Build the kernels that read one drawing, unless there is something else to do.

        With empty caches that takes seconds, and the first stroke should not wait for them.
        """
        assert self._data is not None
        if self._commands.empty():
            with contextlib.suppress(WorkbenchError):  # whoever asks will be told
                session.predict(self._data[1].test.inputs[:1])

    def _train(self, trainer: Trainer, id: int) -> None:
        try:
            for event in trainer.run():
                if isinstance(event, Started):
                    event = attrs.evolve(event, id=id)
                self._publish(event)
        finally:
            # However the run ended, what ended it is still to be obeyed.
            self._next = trainer.handover

    def _admit(self, wanted: Prepare) -> Device:
        """Return the device that is wanted, which was asked what it is wanted for."""

        def trial() -> Trial | None:
            dataset = self._load_data(wanted)
            if not isinstance(wanted, Start) and not self._commands.empty():
                return None  # There is something else to do, and a session alone computes nothing.
            scale = wanted.data.pixel_scale
            return training_trial(wanted.network, wanted.training, lambda: dataset, scale)

        admission = self._admission(self._progress, DeviceChecking)
        found = admission.admit(wanted.device, wanted.untrusted, trial)
        device = self._devices.get(found.info.id)
        if device is None or device.lost:
            # What is lost is lost for good; it may be there again under its name.
            device = self._devices[found.info.id] = self._open_device(found.info.id)
        self._tell(DeviceAdmitted(found.info, found.verdict, found.note))
        return device

    def _ask_more(self, admitted: DeviceAdmitted) -> None:
        """Ask the device at hand one question more, as there is nothing else to do."""
        admission = self._admission(lambda *_: None, None)
        try:
            found = admitted_by(admitted.device, admission.ask_more(admitted.device))
            self._tell(DeviceAdmitted(found.info, found.verdict, found.note))
        except WorkbenchError:
            # Not now, for want of memory perhaps; whoever opens the next session goes on.
            self._admitted = None
        if self._session is not None:
            self._lifeline.device = self._session.device

    def _admission(
        self, progress: Progress, tell: Callable[[DeviceInfo], Event] | None
    ) -> Admission:
        @contextlib.contextmanager
        def told(device: Device) -> Iterator[None]:
            self._lifeline.device = device
            if tell is not None:
                self._publish(tell(device.info))
            yield

        return Admission(progress, told, self._open_device)

    def _tell(self, admitted: DeviceAdmitted) -> None:
        if admitted != self._admitted:
            self._admitted = admitted
            self._publish(admitted)

    def _progress(self, what: str, done: int, total: int) -> None:
        self._publish(Preparing(what, done, total))

    def _open(self, wanted: Prepare) -> Session:
        """Return the session that is wanted; it is the one at hand from now on."""
        device = self._admit(wanted)
        dataset = self._load_data(wanted)
        parameters: Mapping[str, np.ndarray] | None = wanted.parameters
        position = wanted.position
        history = History.from_arrays(wanted.history or {})
        before = self._session
        if wanted.go_on and before is not None and before.network == wanted.network:
            kept = before.keep()
            parameters, history = kept.parameters, self._history
            position = attrs.evolve(kept.position, rate=None)
        # Nothing lies on the device before a session is used, so the old one stays until it is
        # certain that there is a new one.
        session = Session(
            wanted.network,
            wanted.training,
            dataset,
            device,
            wanted.data.pixel_scale,
            parameters,
            position,
        )
        # A run that diverged has figures beyond the parameters that were kept.
        self._history = history.until(session.position.step)
        self._session, self._opened_by = session, wanted
        self._lifeline.device = device
        self._lifeline.at_hand = AtHand(session, self._history, wanted.data)
        if before is not None:
            before.close()
        return session

    def _load_data(self, wanted: Prepare) -> Dataset:
        """Return the data that are wanted, which are those at hand from now on."""
        if self._data is None or self._data[0] != wanted.data:
            dataset = self._load(wanted.data, self._progress)
            self._data = (wanted.data, dataset)
            self._publish(DataLoaded(dataset.test.inputs, dataset.test.targets))
        return self._data[1]


def _is_askable(verdict: Verdict) -> bool:
    """Whether there is something left to ask whose answer matters."""
    return bool(verdict.unasked) and verdict.trust != "refused"

"""What is asked of the engine on behalf of the document, and where its run stands.

Responsible for when a run begins anew and when it goes on, and for the network that can be asked
while nothing is trained; knows no widget and no file.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TypeVar

import attrs
from PySide6.QtCore import QObject, QTimer, Signal

from workbench.core.errors import SpecError
from workbench.gui.document import Document
from workbench.gui.state import DocumentState
from workbench.io.model_file import ModelFile
from workbench.nn.shapes import check
from workbench.spec.training import check_rate
from workbench.training.commands import (
    Command,
    Pause,
    Prepare,
    Resume,
    SetRate,
    Start,
    Step,
    Stop,
)
from workbench.training.events import (
    EpochEnded,
    Event,
    Fetched,
    Finished,
    Paused,
    Prepared,
    Resumed,
    RunFailed,
    Snapshot,
    Started,
    Stopped,
)
from workbench.training.model_files import position_of

P = TypeVar("P", bound=Prepare)

#: Milliseconds without an edit after which an untrained network is prepared.
_REST_MS = 250

#: Milliseconds after the last key before a run goes on with the rate that was typed: on the way to
#: 1e-3 stands 1.
_RATE_REST_MS = 1000


class Phase(enum.Enum):
    """Where a run stands, as far as the window has heard."""

    IDLE = enum.auto()
    STARTING = enum.auto()
    RUNNING = enum.auto()
    PAUSED = enum.auto()


class RunControl(QObject):
    """Steers the engine.

    Parameters
    ----------
    document
        What is trained.
    send
        Puts a command into the engine's queue.
    refused
        Returns what stands in a form and is not part of the document, as a sentence; or nothing.

    Attributes
    ----------
    phase
        Where the run stands.
    step
        Updates that the parameters of the session at hand have taken, as far as heard.

    Signals
    -------
    phase_changed()
        `phase` is another one.
    message_raised(str, str)
        Why something was not asked of the engine: a sentence and a hint.
    """

    phase_changed = Signal()
    message_raised = Signal(str, str)

    def __init__(
        self,
        document: Document,
        send: Callable[[Command], None],
        refused: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._send = send
        self._refused = refused
        self.phase = Phase.IDLE
        self.step = 0
        #: Counts the documents, so that a session can be told to be of the present one.
        self._number = 0
        self._held = -1
        self._opened: ModelFile | None = None
        self._sent = document.state
        #: Devices that a person uses although they compute wrong.
        self._insisted: set[str | None] = set()
        #: What the parameters at hand were trained by; None while they are not trained.
        self._trained_by: DocumentState | None = None
        self._epochs_done = 0
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._prepare)
        self._rate_rest = QTimer(self, singleShot=True, interval=_RATE_REST_MS)
        self._rate_rest.timeout.connect(self._send_rate)
        document.state_changed.connect(self._on_document_state_changed)

    @property
    def opened(self) -> ModelFile | None:
        """The model that was opened, while the engine does not hold it yet."""
        return self._opened

    @property
    def holds_document(self) -> bool:
        """Whether the session at hand is one of this document."""
        return self._held == self._number

    @property
    def goes_on(self) -> bool:
        """Whether training now would go on from the parameters at hand.

        Rate, schedule and epochs may change along the way; anything else begins a new run.
        """
        return self._is_same_run and self._epochs_done < self._document.state.training.epochs

    @property
    def _is_same_run(self) -> bool:
        before, now = self._trained_by, self._document.state
        if before is None or (before.network, before.data) != (now.network, now.data):
            return False
        changeable = {
            name: getattr(now.training, name) for name in ("optimizer", "schedule", "epochs")
        }
        return attrs.evolve(before.training, **changeable) == now.training

    def begin(self, model: ModelFile | None) -> None:
        """Ask for a session of the document, which is another one from now on.

        Parameters
        ----------
        model
            What it was opened from; None for a fresh network.
        """
        if self.phase is not Phase.IDLE:
            self.stop()
        self._number += 1
        self._opened, self._trained_by, self._epochs_done = model, None, 0
        if model is not None:
            position = position_of(model)
            self._epochs_done = position.epoch
            if position.step:
                self._trained_by = self._document.state
        self._prepare()

    def train(self) -> None:
        """Begin a run, or go on with one."""
        if self.phase is Phase.PAUSED:
            self._send(Resume())
        elif self.phase is Phase.IDLE:
            self._start()

    def pause(self) -> None:
        """Let the run wait."""
        self._send(Pause())

    def advance(self) -> None:
        """Make one iteration, then wait."""
        if self.phase is Phase.PAUSED or (self.phase is Phase.IDLE and self._start(paused=True)):
            self._send(Step())

    def toggle(self) -> None:
        """Train if nothing goes on, else pause."""
        if self.phase in (Phase.IDLE, Phase.PAUSED):
            self.train()
        else:
            self.pause()

    def stop(self) -> None:
        """End the run."""
        self._send(Stop())

    def restart(self) -> None:
        """Go back to the parameters that training begins with."""
        if self.phase is Phase.IDLE:
            self._opened, self._trained_by, self._epochs_done = None, None, 0
            self._prepare()

    def insist(self) -> None:
        """Use the document's device although it computes wrong, until the program ends."""
        self._insisted.add(self._document.state.device)
        self._prepare()

    def rest(self) -> None:
        """Ask for nothing more by itself."""
        self._rest.stop()
        self._rate_rest.stop()

    def take_snapshot(self, snapshot: Snapshot) -> None:
        """Note how far the parameters have come."""
        self.step = snapshot.step

    def take_event(self, event: Event) -> None:
        """Note where the run stands."""
        if isinstance(event, Prepared):
            self._held, self.step = event.id, event.step
            if self.holds_document:
                self._opened = None
                self._epochs_done = event.epoch - 1
        if isinstance(event, Started):
            if self.holds_document:
                self._trained_by = self._sent
            self._enter(Phase.RUNNING)
        elif isinstance(event, Fetched) and self.phase is Phase.IDLE:
            # A run that diverged went back, further than any snapshot told.
            self.step = event.model.position["step"]
        elif isinstance(event, EpochEnded):
            self._epochs_done = event.record.epoch
        elif isinstance(event, Paused):
            self._enter(Phase.PAUSED)
        elif isinstance(event, Resumed):
            self._enter(Phase.RUNNING)
        elif isinstance(event, Finished | Stopped | RunFailed):
            self._enter(Phase.IDLE)
            self._on_document_state_changed(self._document.state)

    def _enter(self, phase: Phase) -> None:
        if phase is not self.phase:
            self.phase = phase
            self.phase_changed.emit()

    def _start(self, paused: bool = False) -> bool:
        """Ask for a run; return whether there can be one."""
        refused = self._refused()
        if refused:
            self.message_raised.emit(refused, "Mend or undo the entry before training.")
            return False
        if self._is_same_run and not self.goes_on:
            self.message_raised.emit(
                f"All {self._epochs_done} epochs are done.",
                "Raise Epochs to train on, or choose Training, Start over to begin anew.",
            )
            return False
        try:
            check(self._document.state.network)
        except SpecError as error:
            self.message_raised.emit(error.message, error.hint)
            return False
        self._rest.stop()
        start = self._session(Start, self.goes_on)
        self._send(attrs.evolve(start, paused=paused))
        self._enter(Phase.STARTING)
        return True

    def _prepare(self) -> None:
        """Ask for a session, so that the network can be asked before it is trained."""
        self._rest.stop()
        state = self._document.state
        before = self._trained_by
        if self.holds_document and before is not None and before.network != state.network:
            return  # What was learnt stays until the edited network is trained.
        try:
            check(state.network)
        except SpecError:
            return  # The layer's card says why.
        self._send(self._session(Prepare, before is not None))

    def _session(self, kind: type[P], go_on: bool) -> P:
        """Return the command for a session of the document as it is now."""
        state, model = self._document.state, self._opened
        self._sent = state
        command = kind(
            state.network,
            state.training,
            state.data,
            state.device,
            id=self._number,
            untrusted=state.device in self._insisted,
        )
        if self.holds_document:
            command = attrs.evolve(command, go_on=go_on)
        elif model is not None and model.network == state.network and (go_on or kind is Prepare):
            command = attrs.evolve(
                command,
                parameters=model.parameters,
                position=position_of(model),
                history=model.history,
            )
        return command

    def _on_document_state_changed(self, state: DocumentState) -> None:
        if self.phase is Phase.IDLE:
            if _session_of(state) != _session_of(self._sent):
                self._rest.start()
        elif state.training.optimizer != self._sent.training.optimizer:
            optimizer = state.training.optimizer
            only_rate = attrs.evolve(self._sent.training.optimizer, rate=optimizer.rate)
            if optimizer == only_rate:
                self._rate_rest.start()

    def _send_rate(self) -> None:
        """Let the run go on with another rate, unless its precision does not hold it."""
        rate = self._document.state.training.optimizer.rate
        try:
            check_rate(rate, self._sent.training.precision)
        except SpecError as error:
            self.message_raised.emit(error.message, error.hint)
        else:
            self._send(SetRate(rate))


def _session_of(state: DocumentState) -> tuple[object, ...]:
    """Return what a session that only waits depends on."""
    training = state.training
    return state.network, state.data, state.device, training.precision, training.seed

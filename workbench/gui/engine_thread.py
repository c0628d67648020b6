"""The engine thread: the one thread that uses devices, as the window sees it.

Responsible for starting, ending and replacing it, and for bringing what it publishes to the
window's thread; knows nothing of what is shown.
"""

from __future__ import annotations

import logging
import queue

import attrs
from PySide6.QtCore import QDeadlineTimer, QObject, QThread, Signal, Slot

from workbench.core.errors import DeviceStuck
from workbench.engine.backends.base import Device
from workbench.engine.backends.catalogue import default_device, devices, open_device
from workbench.io import ModelFile
from workbench.training.commands import Command, CommandQueue, Shutdown, Stop
from workbench.training.engine_loop import serve
from workbench.training.events import Event, RunFailed, Snapshot
from workbench.training.lifeline import Lifeline
from workbench.training.mailbox import Mailbox
from workbench.training.trainer import unforeseen

_log = logging.getLogger(__name__)


class _Engine(QObject):
    """Lives in an engine thread; its signals are delivered in the window's."""

    event_published = Signal(object)
    devices_found = Signal(object)

    def __init__(self, snapshots: Mailbox[Snapshot], given_up: list[_GivenUp]) -> None:
        super().__init__()
        self.commands: CommandQueue = queue.SimpleQueue()
        self.snapshots = snapshots
        self.lifeline = Lifeline()
        self._given_up = given_up

    @Slot()
    def serve(self) -> None:
        """Obey commands until `Shutdown`."""
        try:
            self.devices_found.emit(devices())
        except Exception as error:  # noqa: BLE001 - drivers are anybody's code
            _log.exception("the devices were not found")
            self._publish(RunFailed(type(error).__name__, *unforeseen(error)))
        serve(self.commands, self._publish, open_device=self._open, lifeline=self.lifeline)
        self.thread().quit()

    def _publish(self, event: Event) -> None:
        # A signal for each of the many snapshots would flood the window's queue.
        if isinstance(event, Snapshot):
            self.snapshots.put(event)
        else:
            self.event_published.emit(event)

    def _open(self, id: str | None) -> Device:
        wanted = id or default_device()
        if any(given_up.holds(wanted) for given_up in self._given_up):
            raise DeviceStuck(
                f"{wanted} did not answer and was given up.",
                "Choose another device; this one can be used again after a new start.",
            )
        return open_device(id)


@attrs.frozen(eq=False)
class _GivenUp:
    """A thread that waits for a device, perhaps for ever, and what it must not lose meanwhile."""

    device_id: str
    thread: QThread
    engine: _Engine

    def holds(self, device_id: str) -> bool:
        """Whether it still waits for this device."""
        return self.device_id == device_id and self.thread.isRunning()


class EngineThread(QObject):
    """Runs the engine's loop from its construction until `stop`.

    Attributes
    ----------
    snapshots
        Where the newest snapshot waits for whoever has time to look.

    Signals
    -------
    event_published(object)
        An event that is no snapshot; connect bound methods only.
    devices_found(object)
        The list of `DeviceInfo` of this machine; soon after the start, and after each giving up.
    """

    event_published = Signal(object)
    devices_found = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.snapshots: Mailbox[Snapshot] = Mailbox()
        self._given_up: list[_GivenUp] = []
        self._thread, self._engine = self._made()

    def start(self) -> None:
        """Let the loop begin, once everybody is connected."""
        self._thread.start()

    def send(self, command: Command) -> None:
        """Put a command into the engine's queue."""
        self._engine.commands.put(command)

    @property
    def lifeline(self) -> Lifeline:
        """What can be known of the engine without asking it."""
        return self._engine.lifeline

    def give_up(self) -> ModelFile | None:
        """Leave the engine to a device that does not answer, and begin with another engine.

        Returns
        -------
        ModelFile or None
            What is known of the session that the engine had, if it had one.
        """
        old, lifeline = self._engine, self.lifeline
        old.event_published.disconnect(self.event_published)
        old.devices_found.disconnect(self.devices_found)
        # What it has to say, should it ever come back, nobody listens to; then it ends.
        old.snapshots = Mailbox()
        for command in (Stop("the device was given up"), Shutdown()):
            old.commands.put(command)
        self._given_up.append(_GivenUp(lifeline.device_id, self._thread, old))
        self._thread, self._engine = self._made()
        self.start()
        return lifeline.rescue()

    def stop(self, deadline: QDeadlineTimer) -> bool:
        """End the run and the loop; return whether they have ended before the deadline."""
        if self._thread.isRunning():
            self.send(Stop("the window closes"))
            self.send(Shutdown())
        threads = [self._thread, *(given_up.thread for given_up in self._given_up)]
        return all(thread.wait(deadline) for thread in threads if thread.isRunning())

    def _made(self) -> tuple[QThread, _Engine]:
        thread = QThread()
        thread.setObjectName("engine")
        engine = _Engine(self.snapshots, self._given_up)
        engine.moveToThread(thread)
        engine.event_published.connect(self.event_published)
        engine.devices_found.connect(self.devices_found)
        thread.started.connect(engine.serve)
        return thread, engine

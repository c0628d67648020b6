"""The engine thread: the one thread that uses devices, as the window sees it.

Responsible for starting and ending it, and for bringing what it publishes to the window's thread;
knows nothing of what is shown.
"""

from __future__ import annotations

import logging
import queue

from PySide6.QtCore import QDeadlineTimer, QObject, QThread, Signal, Slot

from workbench.engine.backends.catalogue import devices
from workbench.training.commands import Command, CommandQueue, Shutdown, Stop
from workbench.training.engine_loop import serve
from workbench.training.events import Event, RunFailed, Snapshot
from workbench.training.mailbox import Mailbox
from workbench.training.trainer import unforeseen

_log = logging.getLogger(__name__)


class _Engine(QObject):
    """Lives in the engine thread; its signals are delivered in the window's."""

    event_published = Signal(object)
    devices_found = Signal(object)

    def __init__(self, commands: CommandQueue, snapshots: Mailbox[Snapshot]) -> None:
        super().__init__()
        self._commands = commands
        self._snapshots = snapshots

    @Slot()
    def serve(self) -> None:
        """Obey commands until `Shutdown`."""
        try:
            self.devices_found.emit(devices())
        except Exception as error:  # noqa: BLE001 - drivers are anybody's code
            _log.exception("the devices were not found")
            self._publish(RunFailed(type(error).__name__, *unforeseen(error)))
        serve(self._commands, self._publish)
        self.thread().quit()

    def _publish(self, event: Event) -> None:
        # A signal for each of the many snapshots would flood the window's queue.
        if isinstance(event, Snapshot):
            self._snapshots.put(event)
        else:
            self.event_published.emit(event)


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
        The list of `DeviceInfo` of this machine; once, soon after the start.
    """

    event_published = Signal(object)
    devices_found = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._commands: CommandQueue = queue.SimpleQueue()
        self.snapshots: Mailbox[Snapshot] = Mailbox()
        self._thread = QThread()
        self._thread.setObjectName("engine")
        self._engine = _Engine(self._commands, self.snapshots)
        self._engine.moveToThread(self._thread)
        self._engine.event_published.connect(self.event_published)
        self._engine.devices_found.connect(self.devices_found)
        self._thread.started.connect(self._engine.serve)

    def start(self) -> None:
        """Let the loop begin, once everybody is connected."""
        self._thread.start()

    def send(self, command: Command) -> None:
        """Put a command into the engine's queue."""
        self._commands.put(command)

    def stop(self, deadline: QDeadlineTimer) -> bool:
        """End the run and the loop; return whether they have ended before the deadline."""
        if not self._thread.isRunning():
            return True
        self.send(Stop("the window closes"))
        self.send(Shutdown())
        return self._thread.wait(deadline)

"""The engine's loop in a thread of its own, as tests talk to it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from workbench.data.dataset import Dataset
from workbench.engine.backends.base import Device
from workbench.training.commands import Command, CommandQueue
from workbench.training.engine_loop import serve
from workbench.training.events import Event
from workbench.training.lifeline import Lifeline

E = TypeVar("E", bound=Event)


class Served:
    """The loop, begun; datasets and devices come from `load` and `open_device`.

    Attributes
    ----------
    seen
        The events that were waited for or passed over meanwhile.
    """

    def __init__(
        self, load: Callable[..., Dataset], open_device: Callable[[str | None], Device]
    ) -> None:
        self._commands: CommandQueue = queue.SimpleQueue()
        self._events: queue.Queue[Event] = queue.Queue()
        self.seen: list[Event] = []
        self.lifeline = Lifeline()
        self.thread = threading.Thread(
            target=serve,
            args=(self._commands, self._events.put, load, open_device, self.lifeline),
        )
        self.thread.start()

    def send(self, command: Command) -> None:
        """Put a command into the queue."""
        self._commands.put(command)

    def wait_for(self, kind: type[E]) -> E:
        """Return the next event of a kind; fails if ten seconds bring none."""
        deadline = time.monotonic() + 10
        while True:
            event = self._events.get(timeout=deadline - time.monotonic())
            self.seen.append(event)
            if isinstance(event, kind):
                return event

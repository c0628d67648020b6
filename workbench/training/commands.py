"""What may be asked of the engine thread, and the one queue by which it is asked.

Responsible for the commands and the order in which they are taken; knows nothing of what carries
them out.
"""

from __future__ import annotations

import queue

import attrs
import numpy as np

from workbench.spec.data import DataSpec
from workbench.spec.network import NetworkSpec
from workbench.spec.training import TrainingSpec
from workbench.training.position import Position, check_rate


class Command:
    """Anything that may be put into the queue."""


#: The one way to a running or idle engine. `put` may be called from any thread and from signal
#: handlers.
CommandQueue = queue.SimpleQueue[Command]


@attrs.frozen
class Pause(Command):
    """Wait after the present burst."""


@attrs.frozen
class Resume(Command):
    """Go on after a pause."""


@attrs.frozen
class Step(Command):
    """Pause, and make `count` iterations first."""

    count: int = attrs.field(default=1, validator=attrs.validators.ge(1))


@attrs.frozen
class Stop(Command):
    """End the run after the present burst; `reason` is told on."""

    reason: str = "stopped"


@attrs.frozen
class SetRate(Command):
    """Use another learning rate from the next burst on."""

    rate: float = attrs.field(validator=check_rate)


@attrs.frozen(eq=False)
class Predict(Command):
    """Ask for the network's outputs; the newest request wins.

    Parameters
    ----------
    inputs
        Rows as the dataset has them: images as uint8 of shape (n, height, width), or float rows.
    id
        Returned with the answer.
    """

    inputs: np.ndarray
    id: int = 0


@attrs.frozen
class Probe(Command):
    """Ask for the parameters of layer number `layer`, from 0; the newest request wins."""

    layer: int
    id: int = 0


@attrs.frozen
class Fetch(Command):
    """Ask for all that a model file holds, as it is between two iterations."""

    id: int = 0


#: Commands that are answered, at any time.
Request = Predict | Probe | Fetch


@attrs.frozen(eq=False)
class Prepare(Command):
    """Open a session and wait, so that its network can be asked; a run under way is stopped first.

    Parameters
    ----------
    network, training, data
        What to train, how, and on what.
    device
        Id of the device, or None for the default one.
    parameters, position, history
        What a saved model goes on from; None for a fresh start.
    go_on
        Go on from the session at hand instead, if it has the same network; the rate is that of
        `training`.
    id
        Returned with the event that tells of the session.
    untrusted
        Use the device even if it was found to compute wrong.
    """

    network: NetworkSpec
    training: TrainingSpec
    data: DataSpec
    device: str | None = None
    parameters: dict[str, np.ndarray] | None = None
    position: Position | None = None
    history: dict[str, np.ndarray] | None = None
    go_on: bool = False
    id: int = 0
    untrusted: bool = False


@attrs.frozen(eq=False)
class Start(Prepare):
    """Open a session and train; a run under way is stopped first.

    Parameters
    ----------
    paused
        Wait before the first iteration.
    """

    paused: bool = False


@attrs.frozen
class Shutdown(Command):
    """End the engine's loop; a run under way is stopped first."""


class Inbox:
    """Takes commands off the queue: steering ones in order, of requests only the newest.

    Parameters
    ----------
    commands
        The queue; nobody else may take from it.
    """

    def __init__(self, commands: CommandQueue) -> None:
        self._commands = commands
        self._newest: dict[type[Request], Request] = {}

    def take(self, wait: bool, most_s: float | None = None) -> list[Command]:
        """Return the steering commands that have come, and note the requests.

        Nothing behind a `Prepare`, `Start` or `Shutdown` is taken: whoever obeys it takes the rest.

        Parameters
        ----------
        wait
            Block until there is at least one command.
        most_s
            Seconds to wait for it, at most; None for any time.
        """
        steering: list[Command] = []
        while wait or not self._commands.empty():
            try:
                command = self._commands.get(timeout=most_s)
            except queue.Empty:
                break
            wait = False
            if isinstance(command, Request):
                self._newest[type(command)] = command
            else:
                steering.append(command)
                if isinstance(command, Prepare | Shutdown):
                    break
        return steering

    def requests(self) -> list[Request]:
        """Return the newest request of each kind that has not been returned yet."""
        waiting = list(self._newest.values())
        self._newest.clear()
        return waiting

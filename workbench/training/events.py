"""What a run tells whoever watches it.

Responsible for the frozen events that a trainer yields; knows neither how they are made nor who
reads them.

Iterations are named by the number of updates that the parameters had taken: a log-likelihood at
`step` 0 is that of the initial parameters. Epochs are counted from 1, as people do.
"""

from __future__ import annotations

import attrs
import numpy as np

from workbench.engine.backends.base import DeviceInfo
from workbench.engine.backends.verdicts import Verdict
from workbench.io.model_file import ModelFile
from workbench.spec.network import NetworkSpec
from workbench.training.history import EpochRecord, History


class Event:
    """Anything that a run reports."""


@attrs.frozen
class Preparing(Event):
    """Something is done before a run: `done` of `total`, which is 0 where it is unknown."""

    what: str
    done: int
    total: int


@attrs.frozen(eq=False)
class DataLoaded(Event):
    """A dataset is in memory; here is its test split, as whoever watches may show it.

    Parameters
    ----------
    test_inputs
        Images as uint8 of shape (n, height, width), or float rows. Read-only.
    test_targets
        Class numbers as int32 of shape (n,), or float rows. Read-only.
    """

    test_inputs: np.ndarray
    test_targets: np.ndarray


@attrs.frozen
class DeviceChecking(Event):
    """A device is compared with the reference before its first use, which takes seconds."""

    device: DeviceInfo


@attrs.frozen
class DeviceAdmitted(Event):
    """A device computes from now on.

    Parameters
    ----------
    device, verdict
        Which one, and what is known of it.
    note
        What whoever uses it should hear; empty where there is nothing to say.
    """

    device: DeviceInfo
    verdict: Verdict
    note: str


@attrs.frozen(eq=False)
class Prepared(Event):
    """A session is open: its network can be asked from now on.

    Parameters
    ----------
    device
        What computes it.
    precision
        ``float32`` or ``float64``.
    step, steps
        Iterations done already, and how many the whole run has.
    epoch, epochs
        Epoch that comes now, counted from 1, and how many there are.
    iterations_per_epoch, examples, parameters
        Iterations in an epoch, rows of the training split, numbers that are trained.
    history
        Where every figure of the run can be read, from any thread, as it comes.
    id
        That of the command that asked for the session.
    network
        What is asked and trained from now on; None where nobody says.
    """

    device: DeviceInfo
    precision: str
    step: int
    steps: int
    epoch: int
    epochs: int
    iterations_per_epoch: int
    examples: int
    parameters: int
    history: History
    id: int = 0
    network: NetworkSpec | None = None


@attrs.frozen(eq=False)
class Started(Prepared):
    """A run begins, or goes on from where it was."""


@attrs.frozen(eq=False)
class Snapshot(Event):
    """The numbers of one burst of iterations.

    Parameters
    ----------
    step, steps
        Iterations done, and how many the whole run has.
    epoch, epochs
        Epoch of these iterations, counted from 1, and how many there are.
    elapsed_s
        Seconds since the run began, pauses left out; goes on from where a resumed run was.
    samples_per_second
        Training rows a second in this burst.
    rate
        Learning rate of these iterations.
    log_likelihood, accuracy
        One number for each iteration since the last snapshot, the last of them made `step`; each
        was computed before its update. Read-only. Accuracy is NaN where there are no classes, and
        the log-likelihood is then the objective's score: the negative squared error.
    """

    step: int
    steps: int
    epoch: int
    epochs: int
    elapsed_s: float
    samples_per_second: float
    rate: float
    log_likelihood: np.ndarray
    accuracy: np.ndarray

    @property
    def progress(self) -> float:
        """Part of the run that is done, 0 to 1."""
        return self.step / self.steps if self.steps else 1.0


@attrs.frozen
class EpochEnded(Event):
    """An epoch is complete and the validation split has been measured."""

    record: EpochRecord


@attrs.frozen
class Paused(Event):
    """The run waits for a command; yielded again whenever the steps asked for are done."""

    step: int


@attrs.frozen
class Resumed(Event):
    """The run goes on."""

    step: int


@attrs.frozen(eq=False)
class Predicted(Event):
    """The answer to `Predict`: the network's outputs, one row an input, read-only."""

    id: int
    step: int
    outputs: np.ndarray


@attrs.frozen(eq=False)
class Probed(Event):
    """The answer to `Probe`: the layer's parameters by name, read-only; empty if it has none."""

    id: int
    step: int
    layer: int
    parameters: dict[str, np.ndarray]


@attrs.frozen(eq=False)
class Fetched(Event):
    """The answer to `Fetch`: the model as it stands, whatever becomes of the run meanwhile.

    What it was trained on is not said in it (`data` is None): the session does not know where its
    data come from.
    """

    id: int
    model: ModelFile


@attrs.frozen
class RequestFailed(Event):
    """A request could not be answered; the run itself goes on."""

    id: int
    message: str
    hint: str


@attrs.frozen
class Stopped(Event):
    """The run was stopped by a command, after `step` iterations."""

    step: int
    reason: str


@attrs.frozen
class Finished(Event):
    """The run is complete."""

    step: int
    elapsed_s: float


@attrs.frozen
class RunFailed(Event):
    """The run ended on an error, told as a person can act on it.

    Parameters
    ----------
    kind
        The class of the error, for example ``DivergedError``.
    message, hint
        What happened and where; what to do.
    layer
        Index of the layer at fault, from 0, or None.
    """

    kind: str
    message: str
    hint: str = ""
    layer: int | None = None

"""Runs an experiment from its specs and gathers the figures that its document prints.

Responsible for what is measured and when; knows nothing of how figures are shown.
"""

from __future__ import annotations

import math
import queue
from collections.abc import Callable

import attrs
import numpy as np

from workbench.data.dataset import Dataset
from workbench.engine.backends.base import Device
from workbench.spec.experiment import Experiment
from workbench.training.commands import CommandQueue
from workbench.training.events import EpochEnded, Event, Started
from workbench.training.metrics import f1, precision, recall
from workbench.training.session import Session
from workbench.training.trainer import Trainer


@attrs.frozen
class ClassFigures:
    """What an experiment with classes measures.

    Parameters
    ----------
    log_likelihood
        One number an epoch (with full batches: an iteration), computed before the updates.
    average_probability
        Of the correct class: ``exp(log_likelihood)``.
    test_error_percent, test_accuracy
        On the whole test split, after the last iteration.
    first_ten_test_predictions
        Classes given to the first ten rows of the test split.
    precision, recall, f1
        By class, on the test split.
    """

    log_likelihood: list[float]
    average_probability: list[float]
    test_error_percent: float
    test_accuracy: float
    first_ten_test_predictions: list[int]
    precision: list[float]
    recall: list[float]
    f1: list[float]


@attrs.frozen
class ValueFigures:
    """What an experiment without classes measures.

    Parameters
    ----------
    weights
        All parameters in one row, after each epoch.
    output
        The network's output for the first training row, before each epoch.
    """

    weights: list[list[float]]
    output: list[float]


def unwatched(event: Event) -> None:
    """Take an event and do nothing."""


def run_experiment(
    experiment: Experiment,
    dataset: Dataset,
    device: Device,
    commands: CommandQueue | None = None,
    watch: Callable[[Event], None] = unwatched,
) -> ClassFigures | ValueFigures:
    """Train as the experiment says and measure.

    Parameters
    ----------
    experiment
        The specs.
    dataset
        The data that the experiment's data spec chooses.
    device
        What computes.
    commands
        By which the run can be stopped; the figures are then those up to there.
    watch
        Is told every event.

    Raises
    ------
    SpecError
        The specs do not go together.
    DivergedError
        A log-likelihood was not finite.
    """
    session = Session(
        experiment.network, experiment.training, dataset, device, experiment.data.pixel_scale
    )
    trainer = Trainer(session, commands or queue.SimpleQueue(), validate=False)
    if dataset.classes:
        return _run_classes(session, trainer, watch)
    return _run_values(session, trainer, watch)


def _run_classes(
    session: Session, trainer: Trainer, watch: Callable[[Event], None]
) -> ClassFigures:
    for event in trainer.run():
        watch(event)
    test = session.evaluate("test")
    right = int(np.trace(test.confusion))
    log_likelihood = trainer.history.epochs()["log_likelihood"].tolist()
    return ClassFigures(
        log_likelihood=log_likelihood,
        average_probability=[math.exp(value) for value in log_likelihood],
        test_error_percent=100 * (len(test.predictions) - right) / len(test.predictions),
        test_accuracy=right / len(test.predictions),
        first_ten_test_predictions=test.predictions[:10].tolist(),
        precision=precision(test.confusion).tolist(),
        recall=recall(test.confusion).tolist(),
        f1=f1(test.confusion).tolist(),
    )


def _run_values(session: Session, trainer: Trainer, watch: Callable[[Event], None]) -> ValueFigures:
    row = session.dataset.train.inputs[:1]
    weights: list[list[float]] = []
    output: list[float] = []
    for event in trainer.run():
        watch(event)
        if isinstance(event, Started | EpochEnded):
            output.append(float(session.predict(row)[0, 0]))
        if isinstance(event, EpochEnded):
            parameters = session.parameters().values()
            weights.append(np.concatenate([p.ravel() for p in parameters]).tolist())
    return ValueFigures(weights, output[: len(weights)])

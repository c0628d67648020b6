"""``workbench tutorial``: the experiments that the workbench grew from, and their tables.

Responsible for which figures each document prints; the experiments are spec files and run as every
other training does.
"""

from __future__ import annotations

import argparse
import queue
from functools import cache, partial
from typing import Any

import attrs
import numpy as np

from workbench.cli.choices import data_spec, load_extensions
from workbench.cli.console import Console, print_json, print_table
from workbench.cli.device_choice import choose_device
from workbench.cli.guarding import guarded
from workbench.cli.measures import by_class, print_by_class
from workbench.cli.program import INTERRUPTED
from workbench.cli.watching import stopping_on_interrupt, watched
from workbench.data.loading import load
from workbench.spec.library import find_experiment
from workbench.training.commands import CommandQueue
from workbench.training.events import EpochEnded, Stopped
from workbench.training.session import Session
from workbench.training.trainer import Trainer
from workbench.training.trial import training_trial


def run(options: argparse.Namespace) -> int:
    """Run the experiment that the options name; return the exit status."""
    with Console() as console:
        load_extensions(console)
        experiment = find_experiment(options.name)
        training = experiment.training
        if options.precision:
            training = attrs.evolve(training, precision=options.precision)
        data = data_spec(options, experiment.data)
        network, scale = experiment.network, data.pixel_scale
        dataset = cache(partial(load, data, console.progress))
        trial = partial(training_trial, network, training, dataset, scale)
        device = choose_device(options, console, trial)
        session = Session(network, training, dataset(), device, scale)
        table = _run_neuron if options.name == "neuron" else _run_classifier
        with guarded(device, console):
            figures = table(session, console)
    if figures is None:
        return INTERRUPTED
    if options.json:
        # Where the classes have a precision, that is what the tutorial means by the word.
        dtype = "dtype" if "precision" in figures else "precision"
        receipt = {"device": device.info.id, dtype: training.precision}
        print_json(figures | receipt | {"kernels_launched": session.counters.kernels_launched})
    else:
        print(f"{experiment.about}\n")
        _print(figures)
    return 0


def _run_neuron(session: Session, console: Console) -> dict[str, Any] | None:
    """Return the neuron's output before each iteration and its weights after it."""
    row = session.dataset.train.inputs[:1]
    weights: list[np.ndarray] = []
    output = [float(session.predict(row).item())]
    commands: CommandQueue = queue.SimpleQueue()
    with stopping_on_interrupt(commands):
        for event in watched(Trainer(session, commands, validate=False).run(), console):
            if isinstance(event, EpochEnded):
                (weight,) = session.parameters().values()
                weights.append(weight.ravel())
                output.append(float(session.predict(row).item()))
            if isinstance(event, Stopped):
                return None
    return {"weights": weights, "output": output[:-1]}


def _run_classifier(session: Session, console: Console) -> dict[str, Any] | None:
    """Return the log-likelihood as training went on, and the measures on the test split."""
    commands: CommandQueue = queue.SimpleQueue()
    trainer = Trainer(session, commands, validate=False)
    with stopping_on_interrupt(commands):
        for event in watched(trainer.run(), console):
            if isinstance(event, Stopped):
                return None
    log_likelihood = trainer.history.epochs()["log_likelihood"]
    test = session.evaluate("test")
    figures: dict[str, Any] = {
        "log_likelihood": log_likelihood,
        "average_probability": np.exp(log_likelihood),
        "test_error_percent": test.error_percent,
        "first_ten_test_predictions": test.predictions[:10],
    }
    if session.training.batch != "full":
        figures |= {"test_accuracy": test.accuracy, **by_class(test)}
    return figures


def _print(figures: dict[str, Any]) -> None:
    if "weights" in figures:
        rows = range(len(figures["weights"]))
        print_table(
            {
                "iteration": [str(i) for i in rows],
                "output": [f"{value:.8f}" for value in figures["output"]],
                "weights": [np.array2string(w, precision=8) for w in figures["weights"]],
            }
        )
        return
    print_table(
        {
            "iteration": [str(i) for i in range(len(figures["log_likelihood"]))],
            "log-likelihood": [f"{value:.12g}" for value in figures["log_likelihood"]],
            "average probability": [f"{value:.12g}" for value in figures["average_probability"]],
        }
    )
    print(f"\nTest error: {figures['test_error_percent']:.2f} %")
    print("First ten predictions:", *figures["first_ten_test_predictions"])
    if "f1" in figures:
        print()
        print_by_class(figures)

"""``workbench train``: a network is trained, saved and measured.

Responsible for the order of these steps; the session, the trainer and the model file do the work.
"""

from __future__ import annotations

import argparse
import queue
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path

import attrs

from workbench.cli.choices import STARTER, data_spec, load_extensions, training_spec
from workbench.cli.console import Console, print_json
from workbench.cli.device_choice import choose_device
from workbench.cli.guarding import guarded, with_rescue
from workbench.cli.outputs import writable
from workbench.cli.program import INTERRUPTED
from workbench.cli.watching import stopping_on_interrupt, watched
from workbench.core.errors import DeviceError
from workbench.data.loading import load
from workbench.io import save_model
from workbench.spec.data import DataSpec
from workbench.spec.library import find_network
from workbench.training.commands import CommandQueue
from workbench.training.evaluator import Evaluation
from workbench.training.events import EpochEnded, Stopped
from workbench.training.history import EpochRecord
from workbench.training.model_files import model_file
from workbench.training.run_log import RunLog
from workbench.training.session import Session
from workbench.training.trainer import Trainer
from workbench.training.trial import training_trial


@attrs.frozen
class _Result:
    """What a run came to."""

    epochs: list[EpochRecord]
    stopped: bool
    test: Evaluation | None


def run(options: argparse.Namespace) -> int:
    """Train as the options say; return the exit status."""
    with Console() as console:
        load_extensions(console)
        network = find_network(options.network or STARTER)
        training, data = training_spec(options), data_spec(options)
        save, log = writable(options.save), writable(options.log)
        dataset = cache(partial(load, data, console.progress))
        trial = partial(training_trial, network, training, dataset, data.pixel_scale)
        device = choose_device(options, console, trial)
        session = Session(network, training, dataset(), device, data.pixel_scale)
        result = _train(session, data, save, log, console)
    if options.json:
        print_json(
            {
                "epochs": [_epoch(record) for record in result.epochs],
                "test_accuracy": result.test.accuracy if result.test else None,
                "test_log_likelihood": result.test.log_likelihood if result.test else None,
                "saved": str(save) if save else None,
                "device": device.info.id,
                "precision": training.precision,
                "kernels_launched": session.counters.kernels_launched,
            }
        )
    else:
        _print(result, save)
    return INTERRUPTED if result.stopped else 0


def _train(
    session: Session, data: DataSpec, save: Path | None, log: Path | None, console: Console
) -> _Result:
    commands: CommandQueue = queue.SimpleQueue()
    trainer = Trainer(session, commands)
    epochs: list[EpochRecord] = []
    stopped = False

    def rescue() -> str:
        step = session.kept.position.step
        if save is None or not step:
            return ""
        save_model(save, model_file(session, data, trainer.history, session.kept))
        return f"Saved {save} as it was after {step} iterations."

    with guarded(session.device, console, rescue):
        try:
            # Ctrl-C stops the run between bursts; what was asked to be saved is saved all the same.
            with stopping_on_interrupt(commands), ExitStack() as files:
                rows = files.enter_context(RunLog(log)) if log else None
                for event in watched(trainer.run(), console):
                    if rows is not None:
                        rows.add(event)
                    if isinstance(event, EpochEnded):
                        epochs.append(event.record)
                    stopped = stopped or isinstance(event, Stopped)
                if save is not None:
                    save_model(save, model_file(session, data, trainer.history))
            return _Result(epochs, stopped, None if stopped else session.evaluate("test"))
        except DeviceError as error:
            raise with_rescue(error, rescue) from error


def _epoch(record: EpochRecord) -> dict[str, float | None]:
    return {
        "log_likelihood": record.log_likelihood,
        "accuracy": record.accuracy,
        "validation_log_likelihood": record.validation_log_likelihood,
        "validation_accuracy": record.validation_accuracy,
        "seconds": record.seconds,
        "samples_per_second": record.samples_per_second,
    }


def _print(result: _Result, save: Path | None) -> None:
    test = result.test
    if test is not None and test.accuracy is not None:
        print(f"Test: log-likelihood {test.log_likelihood:.6f}, accuracy {test.accuracy:.2%}.")
    elif test is not None:
        print(f"Test: score {test.log_likelihood:.6g}.")
    if save is not None:
        print(f"Saved {save}.")

"""``workbench evaluate``: the measures of a saved model on a split of a dataset.

Responsible for how they are shown; the session computes them.
"""

from __future__ import annotations

import argparse
from functools import cache, partial

import attrs

from workbench.cli.choices import data_spec, load_extensions
from workbench.cli.console import Console, print_json, print_table
from workbench.cli.device_choice import choose_device
from workbench.cli.guarding import guarded
from workbench.cli.measures import by_class, print_by_class
from workbench.data.loading import load
from workbench.spec.training import TrainingSpec
from workbench.training.evaluator import Evaluation
from workbench.training.model_files import open_model
from workbench.training.session import Session
from workbench.training.trial import Trial, training_trial


def run(options: argparse.Namespace) -> int:
    """Measure the model that the options name; return the exit status."""
    with Console() as console:
        load_extensions(console)
        model, training = open_model(options.model)
        # All rows count, also where the model was trained on some of them.
        data = attrs.evolve(data_spec(options, model.data), limit=None)
        dataset = cache(partial(load, data, console.progress))

        def measured() -> TrainingSpec:
            # What is measured follows from the data, however the model was trained.
            objective = "log_likelihood" if dataset().classes else "squared_error"
            return attrs.evolve(training, batch="full", objective=objective)

        def trial() -> Trial:
            return training_trial(network, measured(), dataset, scale, trains=False)

        network, scale = model.network, data.pixel_scale
        device = choose_device(options, console, trial)
        session = Session(network, measured(), dataset(), device, scale, model.parameters)
        console.progress(f"evaluating {options.split}", 0, 0)
        with guarded(device, console):
            evaluation = session.evaluate(options.split)
    result = {
        "log_likelihood": evaluation.log_likelihood,
        "accuracy": evaluation.accuracy,
        "error_percent": evaluation.error_percent,
        **by_class(evaluation),
        "confusion": None if evaluation.accuracy is None else evaluation.confusion,
        "device": device.info.id,
        "dtype": training.precision,
        "kernels_launched": session.counters.kernels_launched,
    }
    if options.json:
        print_json(result)
    else:
        _print(evaluation)
    return 0


def _print(evaluation: Evaluation) -> None:
    if evaluation.accuracy is None:
        print(f"Score {evaluation.log_likelihood:.6g}.")
        return
    print(
        f"Log-likelihood {evaluation.log_likelihood:.6f}, accuracy {evaluation.accuracy:.2%}, "
        f"error {evaluation.error_percent:.2f} %.\n"
    )
    print_by_class(by_class(evaluation))
    print("\nTrue class by row, predicted class by column:")
    classes = [str(i) for i in range(len(evaluation.confusion))]
    columns = evaluation.confusion.T.astype(str).tolist()
    print_table({"": classes, **dict(zip(classes, columns, strict=True))})

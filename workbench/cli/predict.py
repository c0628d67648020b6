"""``workbench predict``: what a saved model reads in pictures of digits.

Responsible for how the answers are shown; pictures are prepared and read elsewhere.
"""

from __future__ import annotations

import argparse
import math
from functools import partial
from pathlib import Path

import numpy as np

from workbench.cli.choices import load_extensions
from workbench.cli.console import Console, print_json, print_table
from workbench.cli.device_choice import choose_device
from workbench.cli.guarding import guarded
from workbench.core.errors import DataError
from workbench.data.drawing import SIDE, read_drawing
from workbench.nn.model import Model
from workbench.spec.data import DataSpec
from workbench.training.feed import Feed
from workbench.training.model_files import open_model
from workbench.training.predictor import Predictor
from workbench.training.trial import reading_trial


def run(options: argparse.Namespace) -> int:
    """Read the pictures that the options name; return the exit status."""
    with Console() as console:
        load_extensions(console)
        model, training = open_model(options.model)
        if math.prod(model.network.input) != SIDE * SIDE:
            raise DataError(
                f"The model {options.model!r} takes inputs of shape {model.network.input}.",
                f"Pictures are read by models of {SIDE} x {SIDE} inputs.",
            )
        images = np.stack([read_drawing(Path(name)) for name in options.images])
        scale = (model.data or DataSpec()).pixel_scale
        trial = partial(reading_trial, model.network, training, scale)
        device = choose_device(options, console, trial)
        precision = training.precision
        predictor = Predictor(
            Model.from_spec(model.network, training.seed, precision, model.parameters),
            Feed(model.network.input, precision, scale),
            device,
        )
        console.progress("predicting", 0, 0)
        with guarded(device, console):
            probabilities = predictor.predict(images)
    predictions = [
        {"file": name, "class": int(row.argmax()), "probabilities": row}
        for name, row in zip(options.images, probabilities, strict=True)
    ]
    if options.json:
        print_json(
            {
                "predictions": predictions,
                "device": device.info.id,
                "precision": precision,
                "kernels_launched": device.counters.kernels_launched,
            }
        )
    else:
        _print(options.images, probabilities)
    return 0


def _print(names: list[str], probabilities: np.ndarray) -> None:
    print_table(
        {
            "file": names,
            "class": [str(row.argmax()) for row in probabilities],
            **{f"P({i})": [f"{p:.4f}" for p in column] for i, column in enumerate(probabilities.T)},
        }
    )

"""From options on the command line to specs.

Responsible for the defaults of the command line and for loading extensions; what a value may be is
for the specs to say.
"""

from __future__ import annotations

import argparse
from typing import Any

import attrs

from workbench import plugins
from workbench.cli.console import Console
from workbench.spec.data import DataSpec
from workbench.spec.registries import OPTIMIZERS
from workbench.spec.training import TrainingSpec

#: The network that is trained when none is named.
STARTER = "relu"


def load_extensions(console: Console) -> None:
    """Make everything known that specs and model files may name, the user's own things too."""
    for warning in plugins.load():
        console.message(str(warning))


def training_spec(options: argparse.Namespace) -> TrainingSpec:
    """Return the training run that the options describe."""
    kind = _given(options, "optimizer").get("optimizer", "sgd")
    optimizer = OPTIMIZERS[kind](**_given(options, "rate"))
    chosen = _given(options, "batch", "epochs", "seed", "precision")
    return TrainingSpec(optimizer=optimizer, **chosen)


def data_spec(options: argparse.Namespace, default: DataSpec | None = None) -> DataSpec:
    """Return the choice of data that the options describe, on the ground of another one."""
    return attrs.evolve(default or DataSpec(), **_given(options, "dataset", "limit"))


def _given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Return those options that were typed."""
    values = {name: getattr(options, name, None) for name in names}
    return {name: value for name, value in values.items() if value is not None}

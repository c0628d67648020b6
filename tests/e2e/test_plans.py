"""The kernels of a training step, counted and written down for four networks.

After a change that is meant, write the texts anew with ``WORKBENCH_WRITE_GOLDEN=1`` and read the
difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import attrs
import numpy as np
import pytest

from workbench import plugins
from workbench.data.dataset import Dataset, Split
from workbench.engine.backends.catalogue import open_device
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.backends.reference import ReferenceDevice
from workbench.spec.library import find_experiment
from workbench.training.session import Session

GOLDEN = Path(__file__).parent / "golden"

#: Steps of the plan of one training step. More is slower; fewer is welcome, and goes here.
STEPS = {"neuron": 4, "logistic": 5, "tanh": 9, "relu": 13}
#: Launches of one, as steps that do not wait for one another share them.
LAUNCHES = {"neuron": 4, "logistic": 2, "tanh": 2, "relu": 2}


def toy_data(name: str, rows: int = 110) -> Dataset:
    if name == "neuron":
        row = Split(np.ones((1, 4)), np.full((1, 1), 100.0))
        return Dataset(name, row, row, row, 0)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (rows, 28, 28), dtype=np.uint8)
    split = Split(images, rng.integers(0, 10, len(images)).astype(np.int32))
    return Dataset(name, split, split, split, 10)


@pytest.mark.parametrize("name", STEPS)
def test_the_plan_of_a_training_step(name: str) -> None:
    plugins.load()
    experiment = find_experiment(name)
    session = Session(experiment.network, experiment.training, toy_data(name), ReferenceDevice())
    session.advance(1)
    assert session._step is not None
    (plan,) = session._step.plans
    assert len(plan.steps) == STEPS[name]
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("WORKBENCH_WRITE_GOLDEN"):
        path.write_text(plan.text + "\n", encoding="utf-8")
    assert plan.text + "\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LAUNCHES)
def test_the_launches_of_a_training_step(name: str) -> None:
    plugins.load()
    experiment = find_experiment(name)
    device = open_device("pocl:0")
    assert isinstance(device, OpenCLDevice)
    # More units than rows are worth multiply by columns too, in a launch for each step.
    device.target = attrs.evolve(device.target, compute_units=2)
    session = Session(experiment.network, experiment.training, toy_data(name, 300), device)
    session.advance(1)
    before = device.counters.kernels_launched
    session.advance(1)
    assert device.counters.kernels_launched - before == LAUNCHES[name]


def test_a_ragged_last_batch_has_the_same_kernels() -> None:
    plugins.load()
    experiment = find_experiment("relu")
    session = Session(experiment.network, experiment.training, toy_data("relu"), ReferenceDevice())
    session.advance(2)
    assert session._step is not None
    whole, ragged = session._step.plans
    assert [type(s) for s in whole.steps] == [type(s) for s in ragged.steps]

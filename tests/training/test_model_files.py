"""What a model file is made from, and what a session is made from again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np
import pytest

from workbench.core.errors import ModelFileError
from workbench.data.dataset import Dataset
from workbench.engine.backends.base import Device
from workbench.io import ModelFile, save_model
from workbench.spec.data import DataSpec
from workbench.spec.network import NetworkSpec
from workbench.spec.training import TrainingSpec
from workbench.training.model_files import first_model_file, open_model, position_of
from workbench.training.position import Position
from workbench.training.session import Session


def test_an_untrained_file_holds_what_training_begins_with(
    tanh: NetworkSpec,
    training: TrainingSpec,
    stripes: Callable[..., Dataset],
    device: Device,
    tmp_path: Path,
) -> None:
    made = first_model_file(tanh, training, DataSpec("digits"))
    begun = Session(tanh, training, stripes(), device).parameters()
    save_model(tmp_path / "m.h5", made)
    opened, run = open_model(tmp_path / "m.h5")
    assert (opened.network, run, opened.data) == (tanh, training, DataSpec("digits"))
    assert opened.parameters.keys() == begun.keys()
    for name, value in begun.items():
        np.testing.assert_array_equal(opened.parameters[name], value)
    assert position_of(opened) == Position()


def test_a_file_that_tells_of_no_run_gets_one_in_its_own_precision(
    tanh: NetworkSpec, training: TrainingSpec, tmp_path: Path
) -> None:
    for precision in ("float32", "float64"):
        spec = attrs.evolve(training, precision=precision)
        made = attrs.evolve(first_model_file(tanh, spec, DataSpec()), training=None)
        save_model(tmp_path / "m.h5", made)
        assert open_model(tmp_path / "m.h5")[1] == TrainingSpec(precision=precision)


@pytest.mark.parametrize(
    "position",
    [
        Position(),
        Position(step=7, epoch=2, step_in_epoch=1, rate=0.25),
    ],
)
def test_a_position_returns_as_it_was(tanh: NetworkSpec, position: Position) -> None:
    assert position_of(ModelFile(tanh, {}, position=attrs.asdict(position))) == position


@pytest.mark.parametrize("wrong", [{"step": -1}, {"epoch": "2"}, {"step": 1.5}, {"rate": "fast"}])
def test_a_position_that_cannot_be_is_refused(tanh: NetworkSpec, wrong: dict[str, object]) -> None:
    with pytest.raises(ModelFileError, match="position"):
        position_of(ModelFile(tanh, {}, position=wrong))

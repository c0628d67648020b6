"""The networks and experiments that come along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.core.errors import SpecError
from workbench.core.resources import resource_names
from workbench.nn.initializers import Constant, He, Normal, Zeros
from workbench.nn.layers.dense import Dense
from workbench.nn.shapes import check, parameters_of
from workbench.spec import codec, library
from workbench.spec.experiment import Experiment
from workbench.spec.network import NetworkSpec


@pytest.mark.parametrize("name", resource_names("networks"))
def test_every_network_fits_images(name: str) -> None:
    """Each fits together, reads 28 x 28 digits and says what it is in a sentence."""
    assert check(library.find_network(name), (1, 28, 28))[-1].out_shape == (10,)
    assert library.starter_networks()[name].endswith(".")


@pytest.mark.parametrize("name", resource_names("experiments"))
def test_every_experiment_fits_together(name: str) -> None:
    """Each runs in double precision with a full sentence about it, and reads back the same."""
    experiment = library.find_experiment(name)
    assert experiment.name == name
    assert experiment.about.endswith(".")
    assert experiment.training.precision == "float64"
    assert parameters_of(experiment.network)
    assert codec.experiment_from_json(codec.to_json(experiment)) == experiment


def _dense(experiment: Experiment) -> list[Dense]:
    return [layer for layer in experiment.network.layers if isinstance(layer, Dense)]


def _run(experiment: Experiment) -> tuple[float, int | str, int, int | None]:
    training = experiment.training
    return training.optimizer.rate, training.batch, training.epochs, experiment.data.limit


def test_the_experiments_are_the_documents() -> None:
    """Layers, starts, rates, batches and counts as the tutorials print them."""
    neuron = library.find_experiment("neuron")
    assert neuron.network.input == (4,)
    assert neuron.network.layers == (Dense(1, bias=False, init=Constant((0.1, 0.25, 0.15, 0.3))),)
    assert _run(neuron) == (0.1, "full", 10, None)
    assert neuron.training.objective == "squared_error"

    logistic = library.find_experiment("logistic")
    assert _dense(logistic) == [Dense(10, init=Zeros())]
    assert _run(logistic) == (0.5, "full", 10, None)

    tanh = library.find_experiment("tanh")
    assert _dense(tanh) == [Dense(20, init=Normal(0.01)), Dense(10, init=Zeros())]
    assert _run(tanh) == (0.5, "full", 60, 5000)

    relu = library.find_experiment("relu")
    assert _dense(relu) == [Dense(units, init=Normal(1.0)) for units in (256, 128, 10)]
    assert _run(relu) == (0.01, 100, 1, None)

    assert {e.data.dataset for e in (logistic, tanh, relu)} == {"mnist"}
    assert {e.data.pixel_scale for e in (logistic, tanh, relu)} == {1 / 256}


def test_the_networks_are_the_experiments_with_their_own_start() -> None:
    """Logistic and tanh are the same; relu starts as He says."""
    for name in ("logistic", "tanh"):
        assert library.find_network(name) == library.find_experiment(name).network
    started = [layer for layer in library.find_network("relu").layers if isinstance(layer, Dense)]
    assert started == [Dense(units, init=He()) for units in (256, 128, 10)]


def test_a_network_is_found_by_path(tmp_path: Path) -> None:
    """A file of the user's own; what is wrong in it is named with the file."""
    path = tmp_path / "mine.json"
    network = NetworkSpec((4,), (Dense(3),))
    path.write_text(json.dumps(codec.to_json(network)), encoding="utf-8")
    assert library.find_network(str(path)) == network
    path.write_text('{"format": 1, "input": [4], "layers": [{"layer": "dense", "units": 0}]}')
    with pytest.raises(SpecError, match=r"mine\.json: layer 1 \(dense\): units: got 0") as caught:
        library.find_network(str(path))
    assert caught.value.layer == 0


def test_an_unknown_name_is_refused_with_advice() -> None:
    """The nearest name is proposed, or all are listed."""
    with pytest.raises(SpecError, match=r"no network called 'rleu'\. Did you mean 'relu'"):
        library.find_network("rleu")
    with pytest.raises(SpecError, match=r"no network called 'zzz'\. Known: .*logistic.*\.json"):
        library.find_network("zzz")
    with pytest.raises(SpecError, match=r"no experiment called 'nuron'\. Did you mean 'neuron'"):
        library.find_experiment("nuron")

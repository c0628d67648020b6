"""What one network needs of a device: sound ones pass, each fault is found, rounding is none."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from tests.wrong_kernels import (
    Fault,
    does_not_build,
    inject,
    loses_the_last_of_an_odd_number,
    loses_the_last_row_of_tn,
)
from workbench import plugins
from workbench.core.errors import BuildFailed, SpecError
from workbench.data.dataset import Dataset, Split
from workbench.engine.backends.catalogue import open_device
from workbench.engine.backends.opencl.device import list_opencl, open_opencl
from workbench.engine.backends.verdicts import Finding
from workbench.nn.layers.dense import Dense
from workbench.nn.optimizers.sgd import SGD
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS, OPTIMIZERS
from workbench.spec.training import TrainingSpec
from workbench.training import trial
from workbench.training.session import Session
from workbench.training.trial import Trial, reading_trial, training_trial

IDS = [info.id for info in list_opencl()]
on_every_device = pytest.mark.parametrize(
    "id", IDS or [pytest.param("none", marks=pytest.mark.skip("no OpenCL driver"))]
)
SPEC = TrainingSpec(optimizer=SGD(0.1), batch=64)
SCALE = 1 / 256


def network(activation: str = "tanh") -> NetworkSpec:
    layers = (Dense(33), LAYERS[activation](), Dense(10), LAYERS["softmax"]())
    return NetworkSpec((1, 9, 11), layers)


def data(rows: int = 1000, validation: int = 70) -> Dataset:
    """Return black images, which show no fault."""
    sizes = (rows, validation, 5)
    labels = (np.arange(n, dtype=np.int32) % 10 for n in sizes)
    splits = (Split(np.zeros((len(of), 9, 11), np.uint8), of) for of in labels)
    return Dataset("black", *splits, classes=10)


def wanted(
    training: TrainingSpec = SPEC, activation: str = "tanh", dataset: Dataset | None = None
) -> Trial:
    return training_trial(network(activation), training, lambda: dataset or data(), SCALE)


@on_every_device
@pytest.mark.parametrize(
    ("precision", "batch"), [("float32", 64), ("float32", "full"), ("float64", 250)]
)
def test_a_sound_device_passes(id: str, precision: Any, batch: Any) -> None:
    found = wanted(TrainingSpec(batch=batch, precision=precision)).compare(open_opencl(id))
    assert re.fullmatch("network [0-9a-f]{12}", found.family)
    assert (found.precision, found.wrong) == (precision, ())
    assert 0 < found.worst_error < 100 * np.finfo(precision).eps


@on_every_device
def test_values_that_are_to_be_met_pass(id: str) -> None:
    random = np.random.default_rng(3)
    splits = (Split(random.random((n, 99)), random.random((n, 2))) for n in (50, 20, 20))
    rows = Dataset("rows", *splits)
    linear = NetworkSpec((99,), (Dense(7), LAYERS["relu"](), Dense(2)))
    training = attrs.evolve(SPEC, batch=20, objective="squared_error")
    assert (
        training_trial(linear, training, lambda: rows, SCALE).compare(open_opencl(id)).wrong == ()
    )


@on_every_device
def test_reading_passes(id: str) -> None:
    for activation in ("tanh", "relu", "sigmoid"):
        found = reading_trial(network(activation), SPEC, SCALE).compare(open_opencl(id))
        assert found.wrong == ()
        assert found.worst_error < 1e-5


@on_every_device
@pytest.mark.parametrize(
    ("batch", "rows", "validation"),
    [(64, 1000, 70), (64, 640, 3000), (100, 100, 1000), (100, 150, 2500), ("full", 300, 5)],
)
def test_the_run_itself_needs_no_other_kernel(
    id: str, batch: Any, rows: int, validation: int
) -> None:
    training = attrs.evolve(SPEC, batch=batch)
    dataset = data(rows, validation)
    device = open_opencl(id)
    wanted(training, dataset=dataset).compare(device)
    built = device.counters.programs_compiled
    session = Session(network(), training, dataset, device, SCALE)
    while session.position.epoch == 0:
        session.advance(1)
    session.evaluate("validation")
    assert device.counters.programs_compiled == built
    session.close()


def test_a_trial_leaves_nothing_on_the_device() -> None:
    for id in IDS[:1]:
        device = open_opencl(id)
        wanted().compare(device)
        assert device.counters.buffers_alive == 0


@on_every_device
@pytest.mark.parametrize(
    ("fault", "names"),
    [
        (loses_the_last_row_of_tn, {"0.weight", "2.weight"}),
        (loses_the_last_of_an_odd_number, {"0.bias"}),
    ],
)
def test_a_fault_is_found_and_named(
    id: str, fault: Fault, names: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inject(monkeypatch, fault)
    found = wanted().compare(open_opencl(id))
    assert {name.split()[0] for name in found.wrong} == names
    assert found.op in found.wrong
    assert found.worst_error > 1e-3


@on_every_device
def test_kernels_that_do_not_build_are_told(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, does_not_build)
    with pytest.raises(BuildFailed):
        wanted().compare(open_opencl(id))


def test_what_does_not_go_together_is_told() -> None:
    with pytest.raises(SpecError, match="larger than the 30 rows"):
        wanted(dataset=data(30)).compare(open_device("reference"))


# Rounding -----------------------------------------------------------------------------------------


def apart(
    rounding: float, off: float, draws: int | None = None, precision: str = "float64"
) -> Finding:
    """Return what a trial says where NumPy is as exact as that, and the device is off by so much.

    Parameters
    ----------
    rounding
        By how much the result changes where a parameter changes by its last digit.
    draws
        In how many draws the device is off; None for all.
    """
    asked: list[str] = []

    def numbers(device: Any, parameters: Any, _: Any) -> Any:
        asked.append(device.info.id)
        moved = float(parameters["0.weight"][0] - 1) / np.finfo(precision).eps
        wrong = device.info.id != "reference" and (draws is None or asked.count("off") <= draws)
        yield "result", np.array([1 + rounding * moved + (off if wrong else 0)])

    device = open_device("reference")
    device.info = attrs.evolve(device.info, id="off")  # type: ignore[misc]
    return Trial("network", precision, lambda: {"0.weight": np.ones(1)}, numbers).compare(device)


def test_what_rounding_explains_is_right() -> None:
    assert apart(0, 1e-14).wrong == ()
    assert apart(0, 1e-12).wrong == ("result",)
    # A network in which rounding grows: a device may be off by more, but not by any amount.
    assert apart(1e-12, 1e-12).wrong == ()
    assert apart(1e-12, 1e-10).wrong == ("result",)
    assert apart(0, float("nan")).wrong == ("result",)


def test_what_is_otherwise_with_other_numbers_is_right() -> None:
    assert apart(0, 0.1, draws=1).wrong == ()
    assert apart(0, 0.1, draws=2).worst_error == pytest.approx(0.1)


def test_nothing_is_multiplied_by_nothing() -> None:
    """Where all parameters begin at 0, a wrong product would be as good as a right one."""
    given: list[dict[str, np.ndarray]] = []

    def numbers(_: Any, parameters: Any, __: Any) -> Any:
        given.append(parameters)
        yield "result", np.ones(1)

    first = {"0.weight": np.zeros((3, 2)), "1.weight": np.ones(2)}
    Trial("network", "float32", lambda: first, numbers).compare(open_device("reference"))
    for parameters in given:
        assert np.all(parameters["0.weight"] == given[0]["0.weight"])
        assert parameters["0.weight"].all()
        assert np.all(parameters["1.weight"] == 1)
    assert len(given) == 2


# Names --------------------------------------------------------------------------------------------


def test_the_same_kernels_have_the_same_name() -> None:
    name = wanted().family
    assert name == wanted(TrainingSpec(optimizer=SGD(7.0), batch=64, epochs=9, seed=4)).family
    assert name == wanted(attrs.evolve(SPEC, precision="float64")).family
    # Rows that only follow in further mini-batches change nothing.
    assert name == wanted(dataset=data(1064)).family
    others = {
        wanted(attrs.evolve(SPEC, batch=65)).family,
        wanted(activation="relu").family,
        wanted(dataset=data(1001)).family,
        training_trial(network(), SPEC, data, 1.0).family,
        training_trial(network(), SPEC, data, SCALE, trains=False).family,
        reading_trial(network(), SPEC, SCALE).family,
        reading_trial(network("relu"), SPEC, SCALE).family,
    }
    assert len(others - {name}) == 7


PLUGIN = """
import attrs
from workbench.spec.fields import number
from workbench.nn import expressions as T
from workbench.nn.optimizers.base import Optimizer
from workbench.spec.registries import ACTIVATIONS, OPTIMIZERS

@ACTIVATIONS.add("bent")
def bent(x):
    return T.tanh(x) * 2

@OPTIMIZERS.add("half")
@attrs.frozen
class Half(Optimizer):
    rate: float = number(default=0.1, minimum=0, label="Rate", help="Rate.")

    def updates(self, params, grads, rate):
        return [(p, p + g * T.cast(rate, p.dtype) / 2) for p, g in zip(params, grads)]
"""


@pytest.mark.usefixtures("forget_plugins")
@pytest.mark.parametrize("own", [{"activation": "bent"}, {"optimizer": "half"}])
def test_a_plugin_that_was_edited_has_another_name(
    own: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    monkeypatch.setenv("WORKBENCH_PLUGINS", str(tmp_path))
    assert plugins.load() == []
    training = SPEC
    if "optimizer" in own:
        training = TrainingSpec(optimizer=OPTIMIZERS["half"](), batch=64)
    name: Callable[[], str] = lambda: wanted(training, own.get("activation", "tanh")).family  # noqa: E731
    before = name()
    assert before == name()
    for id in IDS[:1]:
        assert wanted(training, own.get("activation", "tanh")).compare(open_opencl(id)).wrong == ()
    path.write_text(PLUGIN.replace("2", "3"))
    assert name() != before


def test_noise_has_empty_places_and_full_ones() -> None:
    images = trial._bytes((40, 9, 11), np.random.default_rng(1))
    assert images.dtype == np.uint8
    empty = ~images[1:13].any(axis=0)
    assert 0.1 < empty.mean() < 0.4
    assert images[0][empty].any()
    assert 0.4 < (images == 0).mean() < 0.8

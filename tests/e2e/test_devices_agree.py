"""A network that nobody had in mind: every device, fused or not, computes the same run.

How far an epoch may differ in each precision is derived in docs/engine.md.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

from workbench import plugins
from workbench.data.dataset import Dataset, Split
from workbench.engine.backends.catalogue import devices, open_device
from workbench.engine.function import CompileOptions, function
from workbench.nn.model import Model
from workbench.spec.codec import network_from_json
from workbench.spec.registries import OPTIMIZERS
from workbench.spec.training import TrainingSpec
from workbench.training import session as session_module
from workbench.training.session import Session

STEPS = 20
BATCH = 37
#: Five whole mini-batches and a ragged one of 15 to an epoch.
IMAGES = 200

NETWORK = {
    "format": 1,
    "input": [1, 28, 28],
    "layers": [
        {"layer": "dense", "units": 33},
        {"layer": "tanh"},
        {"layer": "dense", "units": 17, "bias": False},
        {"layer": "relu"},
        {"layer": "dense", "units": 10},
        {"layer": "softmax"},
    ],
}

OPENCL = [info.id for info in devices() if info.type != "reference"]


def toy() -> Dataset:
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (IMAGES, 28, 28), dtype=np.uint8)
    split = Split(images, rng.integers(0, 10, IMAGES).astype(np.int32))
    return Dataset("toy", split, split, split, 10)


def run(device: str, fuse: bool) -> dict[str, np.ndarray]:
    """Return the log-likelihood and accuracy of every iteration and the final parameters."""
    plugins.load()
    training = TrainingSpec(
        optimizer=OPTIMIZERS["sgd"](rate=0.3), batch=BATCH, epochs=10, seed=3, precision="float64"
    )
    compiled = functools.partial(function, options=CompileOptions(fuse=fuse))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_module, "function", compiled)
        session = Session(
            network_from_json(NETWORK),
            training,
            toy(),
            open_device(device),
        )
        log_likelihood: list[float] = []
        accuracy: list[float] = []
        while session.position.step < STEPS:
            count = min(session.left_in_epoch, STEPS - session.position.step)
            made = session.advance(count)
            log_likelihood += made.log_likelihood.tolist()
            accuracy += made.accuracy.tolist()
    return {
        "log_likelihood": np.array(log_likelihood),
        "accuracy": np.array(accuracy),
        **session.parameters(),
    }


@functools.cache
def oracle() -> dict[str, np.ndarray]:
    return run("reference", fuse=False)


def assert_same_run(found: dict[str, np.ndarray]) -> None:
    expected = oracle()
    assert len(expected["log_likelihood"]) == STEPS
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-10, err_msg=name)


def test_learning_takes_place() -> None:
    likelihood = oracle()["log_likelihood"]
    assert likelihood[-1] > likelihood[0]


def test_the_reference_fuses_without_changing_the_run() -> None:
    assert_same_run(run("reference", fuse=True))


@pytest.mark.parametrize("fuse", [True, False], ids=["fused", "unfused"])
@pytest.mark.parametrize("device", OPENCL)
def test_opencl_devices_agree_with_the_reference(device: str, fuse: bool) -> None:
    assert_same_run(run(device, fuse))


# One epoch, in each precision ------------------------------------------------------------------

#: Rounding errors of n terms stay below `LAMBDA` sqrt(n) u but for one case in 10^7.
LAMBDA = 6
#: Terms that are added up on the longest way from the images to an update of the first weights.
TERMS = (784 + 33 + 17) + (17 + 10) + BATCH
ITERATIONS = -(-IMAGES // BATCH)


def epoch(device: str, precision: str, nudge: float = 0.0) -> dict[str, np.ndarray]:
    """Return parameters and log-likelihood after an epoch from a start that is off by `nudge`."""
    plugins.load()
    network = network_from_json(NETWORK)
    start = Model.from_spec(network, 3, precision).parameters.items()
    parameters = {name: value.get_value() for name, value in start}
    if nudge:
        signs = np.random.default_rng(1)
        for value in parameters.values():
            value *= 1 + nudge * signs.choice([-1, 1], value.shape)
    rate = OPTIMIZERS["sgd"](rate=0.3)
    training = TrainingSpec(optimizer=rate, batch=BATCH, epochs=1, seed=3, precision=precision)
    session = Session(network, training, toy(), open_device(device), parameters=parameters)
    session.advance(ITERATIONS)
    assert session.position.epoch == 1
    score = np.array(session.evaluate("validation").log_likelihood)
    return {"log_likelihood": score, **session.parameters()}


@functools.cache
def exact() -> dict[str, np.ndarray]:
    return epoch("reference", "float64")


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("device", OPENCL)
def test_an_epoch_agrees_with_the_reference_as_rounding_allows(device: str, precision: str) -> None:
    rounding = 2 * LAMBDA * np.sqrt(TERMS) * np.finfo(precision).eps / 2
    nudged = epoch("reference", "float64", nudge=ITERATIONS * rounding)
    found, expected = epoch(device, precision), epoch("reference", precision)
    for name, value in exact().items():
        tolerance = np.abs(nudged[name] - value).max() + rounding * np.abs(value).max()
        assert tolerance < (1e-3 if precision == "float32" else 1e-12)
        error = np.abs(found[name].astype("float64") - expected[name]).max()
        assert error <= tolerance, name


@pytest.mark.parametrize("device", OPENCL)
def test_an_epoch_repeats_bit_for_bit(device: str) -> None:
    first, second = epoch(device, "float32"), epoch(device, "float32")
    assert {name: value.tobytes() for name, value in first.items()} == {
        name: value.tobytes() for name, value in second.items()
    }

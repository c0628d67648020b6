"""A network that nobody had in mind: every device, fused or not, computes the same run."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from workbench import plugins
from workbench.data.dataset import Dataset, Split
from workbench.engine.backends.catalogue import devices, open_device
from workbench.engine.function import CompileOptions, function
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


def run(device: str, fuse: bool) -> dict[str, np.ndarray]:
    """Return the log-likelihood and accuracy of every iteration and the final parameters."""
    plugins.load()
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (IMAGES, 28, 28), dtype=np.uint8)
    split = Split(images, rng.integers(0, 10, IMAGES).astype(np.int32))
    training = TrainingSpec(
        optimizer=OPTIMIZERS["sgd"](rate=0.3), batch=BATCH, epochs=10, seed=3, precision="float64"
    )
    compiled = functools.partial(function, options=CompileOptions(fuse=fuse))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_module, "function", compiled)
        session = Session(
            network_from_json(NETWORK),
            training,
            Dataset("toy", split, split, split, 10),
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

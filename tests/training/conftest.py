"""A small network on small synthetic images, on the reference device."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from workbench import plugins
from workbench.data.dataset import Dataset, Split
from workbench.engine.backends.base import Device
from workbench.engine.backends.reference import ReferenceDevice
from workbench.nn.initializers import Glorot, Zeros
from workbench.nn.layers.dense import Dense
from workbench.nn.optimizers.sgd import SGD
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS
from workbench.spec.training import TrainingSpec
from workbench.training.session import Session

plugins.load_packages(["workbench.nn"])

_CLASSES = 3


def _split(rows: int, seed: int) -> Split:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, _CLASSES, rows).astype(np.int32)
    images = generator.integers(0, 60, (rows, 4, 5))
    images[np.arange(rows), labels] += 150
    return Split(images.astype(np.uint8), labels)


@pytest.fixture(scope="session")
def stripes() -> Callable[..., Dataset]:
    """Return a maker of images whose stripe tells the class, under noise."""

    def make(train: int = 20, validation: int = 9, test: int = 11) -> Dataset:
        splits = (_split(rows, seed) for seed, rows in enumerate((train, validation, test)))
        return Dataset("stripes", *splits, classes=_CLASSES)

    return make


@pytest.fixture(scope="session")
def logistic() -> NetworkSpec:
    return NetworkSpec((1, 4, 5), (Dense(_CLASSES, init=Zeros()), LAYERS["softmax"]()))


@pytest.fixture(scope="session")
def tanh() -> NetworkSpec:
    hidden = (Dense(7, init=Glorot()), LAYERS["tanh"]())
    return NetworkSpec((1, 4, 5), (*hidden, Dense(_CLASSES), LAYERS["softmax"]()))


@pytest.fixture(scope="session")
def relu() -> NetworkSpec:
    hidden = (Dense(7, init=Glorot()), LAYERS["relu"]())
    return NetworkSpec((1, 4, 5), (*hidden, Dense(_CLASSES), LAYERS["softmax"]()))


@pytest.fixture(scope="session")
def training() -> TrainingSpec:
    """Return a run in which 20 rows go by in batches of 7, the last of three ragged."""
    return TrainingSpec(optimizer=SGD(0.5), batch=7, epochs=4, seed=5, precision="float64")


@pytest.fixture(scope="session")
def device() -> Device:
    return ReferenceDevice()


@pytest.fixture
def make_session(
    device: Device, training: TrainingSpec, tanh: NetworkSpec, stripes: Callable[..., Dataset]
) -> Callable[..., Session]:
    """Return a maker of sessions; arguments that are not named here change the training spec."""

    def make(
        network: NetworkSpec = tanh,
        data: Dataset | None = None,
        parameters: Any = None,
        position: Any = None,
        on: Device = device,
        **changes: Any,
    ) -> Session:
        spec = attrs.evolve(training, **changes)
        data = data or stripes()
        return Session(network, spec, data, on, 1 / 256, parameters, position)

    return make


@pytest.fixture(scope="session")
def digest() -> Callable[[Session], str]:
    """Return a hash of every bit of a session's parameters."""

    def of(session: Session) -> str:
        hashed = hashlib.sha256()
        for name, value in session.parameters().items():
            hashed.update(name.encode() + value.tobytes())
        return hashed.hexdigest()

    return of

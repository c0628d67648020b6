"""What the contenders are given: images, labels, first parameters, the order of an epoch.

Responsible for giving all of them the same; knows no contender.
"""

from __future__ import annotations

import numpy as np

from workbench.bench.work import LENET_FILTERS, LENET_HIDDEN, LENET_SIDE, SEED, Training
from workbench.data.dataset import Split
from workbench.data.loading import load
from workbench.data.order import permutation
from workbench.data.sources import mnist
from workbench.nn.model import Model
from workbench.spec.data import DataSpec
from workbench.spec.network import NetworkSpec

#: What bytes are multiplied by.
SCALE = 1 / 256


def dataset_name() -> str:
    """Return the dataset that is timed: MNIST where it is at hand, else the embedded digits."""
    return "mnist" if mnist.at_hand() else "digits"


def training_images() -> Split:
    """Return the 50,000 training images as bytes, and their labels."""
    return load(DataSpec(dataset_name())).train


def floats(images: np.ndarray) -> np.ndarray:
    """Return images as a library without bytes takes them, one row each, float32."""
    scaled: np.ndarray = images.reshape(len(images), -1) * np.float32(SCALE)
    return scaled


def start(network: NetworkSpec | None) -> dict[str, np.ndarray]:
    """Return the first numbers of every parameter in float32, in the layers' order.

    Parameters
    ----------
    network
        The layers; None for LeNet.

    Shapes
    ------
    weights : (in, out); of LeNet's convolutions (filters, channels, side, side), to be correlated
    biases : (out,)
    """
    if network is None:
        return _lenet_start()
    parameters = Model.from_spec(network, SEED, "float32").parameters
    return {name: value.get_value() for name, value in parameters.items()}


class Batches:
    """The rows of one mini-batch after the other, shuffled anew for each epoch.

    They are those that a run of the workbench takes.
    """

    def __init__(self, work: Training) -> None:
        self._work = work
        self._epoch = self._at = 0

    def __call__(self) -> np.ndarray:
        """Return the rows of the next mini-batch."""
        if self._at == 0:
            order = permutation(SEED, self._epoch, self._work.images)
            # Libraries that index by 32 bits are not asked to convert in each iteration.
            self._order = order.astype(np.int64)
        rows = self._order[self._at : self._at + self._work.batch]
        self._at += self._work.batch
        if self._at >= self._work.images:
            self._epoch, self._at = self._epoch + 1, 0
        return rows


def factors(shapes: tuple[tuple[int, int], tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return two random matrices of these shapes, float32."""
    rng = np.random.default_rng(SEED)
    a, b = (rng.standard_normal(shape, dtype=np.float32) for shape in shapes)
    return a, b


def _lenet_start() -> dict[str, np.ndarray]:
    """Return He's start for LeNet, with biases of 0."""
    first, second = LENET_FILTERS
    side, flat = LENET_SIDE, second * 16
    shapes = {
        "0": ((first, 1, side, side), side * side, first),
        "1": ((second, first, side, side), first * side * side, second),
        "2": ((flat, LENET_HIDDEN), flat, LENET_HIDDEN),
        "3": ((LENET_HIDDEN, 10), LENET_HIDDEN, 10),
    }
    rng = np.random.default_rng(SEED)
    made = {}
    for layer, (shape, fan_in, outputs) in shapes.items():
        weight = rng.standard_normal(shape) * np.sqrt(2 / fan_in)
        made[f"{layer}.weight"] = weight.astype(np.float32)
        made[f"{layer}.bias"] = np.zeros(outputs, np.float32)
    return made

"""The workbench as a contender: what its users get, on one of its devices.

Responsible for bringing the work to sessions and functions; knows no other contender.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator

import attrs
import numpy as np

from workbench import plugins
from workbench.bench.material import SCALE, start
from workbench.bench.work import RATE, SEED, Multiplication, Prediction, Training
from workbench.data.dataset import Dataset, Split
from workbench.data.order import permutation
from workbench.engine.backends.base import Device
from workbench.engine.backends.catalogue import open_device
from workbench.engine.function import Function, function
from workbench.engine.graph.grad import grad
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import SharedVariable, Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it
from workbench.nn.metrics import accuracy
from workbench.nn.model import Model
from workbench.nn.objectives import log_likelihood
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import OPTIMIZERS
from workbench.spec.training import TrainingSpec
from workbench.training.commands import CommandQueue
from workbench.training.events import EpochEnded, Event
from workbench.training.feed import Feed
from workbench.training.predictor import Predictor
from workbench.training.session import SLOTS, Session
from workbench.training.trainer import Trainer

#: More epochs than any measurement takes.
_ENDLESS = 10**6


class Workbench:
    """The workbench on one device.

    Parameters
    ----------
    device
        Its id.
    """

    def __init__(self, device: str) -> None:
        plugins.load_packages(plugins.BUILT_IN)
        self._device = open_device(device)
        self.about = f"workbench on {self._device.info.id} ({self._device.info.name})"

    def train(self, work: Training, split: Split) -> _Run | _LeNet:
        """Prepare a run of the trainer, which reads every iteration's figures back."""
        if work.network is None:
            return _LeNet(work, split, self._device)
        return _Run(work, work.network, split, self._device)

    def predict(self, work: Prediction, split: Split) -> _Predictions:
        """Prepare what the canvas and ``workbench predict`` ask."""
        return _Predictions(work, split, self._device)

    def multiply(self, work: Multiplication, a: np.ndarray, b: np.ndarray) -> _Product:
        """Prepare a function that updates a shared variable."""
        return _Product(work, a, b, self._device)


class _Run:
    """A session and its trainer, as ``workbench train`` makes them."""

    def __init__(self, work: Training, network: NetworkSpec, split: Split, device: Device) -> None:
        training = TrainingSpec(
            optimizer=OPTIMIZERS["sgd"](rate=RATE),
            batch="full" if work.batch == work.images else work.batch,
            epochs=_ENDLESS,
            seed=SEED,
        )
        few = split[:100]
        dataset = Dataset("benchmark", split, few, few, classes=10)
        self._session = Session(network, training, dataset, device, SCALE)
        commands: CommandQueue = queue.SimpleQueue()
        self._events: Iterator[Event] = Trainer(self._session, commands, validate=False).run()

    def run(self, units: int) -> None:
        # With the full batch an epoch is an iteration.
        while units:
            units -= isinstance(next(self._events), EpochEnded)

    def result(self) -> dict[str, np.ndarray]:
        return self._session.parameters()


class _LeNet:
    """LeNet as a function of the language, with the figures that a session reads back."""

    def __init__(self, work: Training, split: Split, device: Device) -> None:
        self._work = work
        self._parameters = {name: shared(v, name=name) for name, v in start(None).items()}
        self._order = shared(np.arange(work.images, dtype=np.int32), "order")
        self._epoch = self._at = 0
        images = shared(split.inputs.reshape(-1, 1, 28, 28), "images")
        labels = shared(split.targets, "labels")
        first, count = (Variable(TensorType("int64"), name=name) for name in ("start", "count"))
        rows = self._order[first : first + count]
        outputs = _lenet(images[rows].astype("float32") * SCALE, self._parameters)
        score = log_likelihood.score(outputs, labels[rows])
        trained: list[SharedVariable] = list(self._parameters.values())
        updates = [
            (value, value + RATE * slope)
            for value, slope in zip(trained, grad(score, trained), strict=True)
        ]
        self._step: Function = function(
            [first, count],
            [score, accuracy(outputs, labels[rows])],
            updates=updates,
            device=device,
            slots=SLOTS,
            name="lenet",
        )

    def run(self, units: int) -> None:
        for done in range(1, units + 1):
            if self._at == 0:
                self._order.set_value(permutation(SEED, self._epoch, self._work.images))
            self._step.enqueue(self._at, min(self._work.batch, self._work.images - self._at))
            self._at += self._work.batch
            ended = self._at >= self._work.images
            if ended:
                self._epoch, self._at = self._epoch + 1, 0
            if ended or done == units or done % SLOTS == 0:
                self._step.collect()

    def result(self) -> dict[str, np.ndarray]:
        return {name: value.get_value() for name, value in self._parameters.items()}


def _lenet(x: Variable, p: dict[str, SharedVariable]) -> Variable:
    """Return class probabilities: two convolutions, each pooled, and two dense layers."""
    for layer in "01":
        sums = T.conv2d(x, p[f"{layer}.weight"], filter_flip=False)
        pooled = T.pool_2d(sums, (2, 2), ignore_border=True)
        x = T.tanh(pooled + T.dimshuffle(p[f"{layer}.bias"], "x", 0, "x", "x"))
    x = T.tanh(T.dot(T.flatten(x, 2), p["2.weight"]) + p["2.bias"])
    return T.softmax(T.dot(x, p["3.weight"]) + p["3.bias"])


class _Predictions:
    def __init__(self, work: Prediction, split: Split, device: Device) -> None:
        model = Model.from_spec(work.network, SEED, "float32")
        self._predictor = Predictor(model, Feed(work.network.input, "float32", SCALE), device)
        self._images = split.inputs
        self._last = np.empty(0)

    def run(self, units: int) -> None:
        for unit in range(units):
            at = unit % len(self._images)
            self._last = self._predictor.predict(self._images[at : at + 1])

    def result(self) -> dict[str, np.ndarray]:
        return {"probabilities": self._last}


@attrs.define(eq=False, init=False)
class _Product:
    _product: SharedVariable
    _run: Function

    def __init__(self, work: Multiplication, a: np.ndarray, b: np.ndarray, device: Device) -> None:
        left, right = shared(a, "a"), shared(b, "b")
        self._product = shared(np.zeros((work.rows, work.columns), np.float32), "product")
        new = T.dot(left.T if work.transposed else left, right)
        self._run = function([], [], updates=[(self._product, new)], device=device, slots=SLOTS)

    def run(self, units: int) -> None:
        for done in range(1, units + 1):
            self._run.enqueue()
            if done == units or done % SLOTS == 0:
                self._run.collect()

    def result(self) -> dict[str, np.ndarray]:
        return {"product": self._product.get_value()}

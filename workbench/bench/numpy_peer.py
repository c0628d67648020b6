"""NumPy as a contender: the steps written by hand, as one who cares for speed writes them.

Responsible for arrays that are made once and written again and again; knows no other contender. It
computes neither log-likelihood nor accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.bench.material import SCALE, Batches, floats, start
from workbench.bench.numpy_lenet import LeNet
from workbench.bench.work import RATE, Multiplication, Prediction, Training
from workbench.data.dataset import Split


class NumPy:
    """NumPy with the linear algebra that it was built with."""

    def __init__(self) -> None:
        self.about = f"NumPy {np.__version__}"

    def train(self, work: Training, split: Split) -> _Training:
        """Prepare training on float images."""
        step = LeNet() if work.network is None else _Dense(work)
        return _Training(work, split, step)

    def predict(self, work: Prediction, split: Split) -> _Predictions:
        """Prepare a forward pass for one image."""
        return _Predictions(work, split)

    def multiply(self, work: Multiplication, a: np.ndarray, b: np.ndarray) -> _Product:
        """Prepare a product into an array that is there."""
        return _Product(a.T if work.transposed else a, b)


class _Training:
    """Mini-batches, or the whole, given to a step."""

    def __init__(self, work: Training, split: Split, step: _Dense | LeNet) -> None:
        self._work, self._step = work, step
        self._images, self._labels = floats(split.inputs), split.targets
        self._batches = Batches(work)

    def run(self, units: int) -> None:
        work = self._work
        whole = work.batch == work.images
        per_unit = -(-work.images // work.batch) if work.unit == "epoch" else 1
        for _ in range(units * per_unit):
            if whole:
                self._step(self._images, self._labels)
            else:
                rows = self._batches()
                self._step(self._images[rows], self._labels[rows])

    def result(self) -> dict[str, np.ndarray]:
        return self._step.parameters()


class _Dense:
    """One iteration of a stack of dense layers with one activation between them."""

    def __init__(self, work: Training) -> None:
        assert work.network is not None
        self._start = start(work.network)
        values = list(self._start.values())
        self._layers = list(zip(values[::2], values[1::2], strict=True))
        self._gradients = [np.empty_like(weight) for weight, _ in self._layers]
        self._hidden = work.hidden
        self._rooms: dict[int, list[np.ndarray]] = {}

    def __call__(self, x: np.ndarray, labels: np.ndarray) -> None:
        hidden = self._forward(x)
        inputs, delta = [x, *hidden[:-1]], softmax(hidden[-1])
        # Minus the derivative of the mean log-likelihood by the logits.
        delta[np.arange(len(x)), labels] -= 1
        delta *= RATE / len(x)
        for number in reversed(range(len(self._layers))):
            weight, bias = self._layers[number]
            gradient = np.matmul(inputs[number].T, delta, out=self._gradients[number])
            below = delta @ weight.T if number else None
            bias -= delta.sum(axis=0)
            weight -= gradient
            if below is not None:
                delta = self._back(below, inputs[number])

    def _forward(self, x: np.ndarray) -> Sequence[np.ndarray]:
        rooms = self._rooms.get(len(x))
        if rooms is None:
            rooms = [np.empty((len(x), len(bias)), np.float32) for _, bias in self._layers]
            self._rooms[len(x)] = rooms
        for number, (weight, bias) in enumerate(self._layers):
            room = rooms[number]
            np.matmul(x, weight, out=room)
            room += bias
            if number < len(rooms) - 1:
                if self._hidden == "tanh":
                    np.tanh(room, out=room)
                else:
                    np.maximum(room, 0, out=room)
            x = room
        return rooms

    def _back(self, below: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """Return the derivative by the sums of a layer from that by its outputs."""
        if self._hidden == "tanh":
            below *= 1 - outputs * outputs
        else:
            below *= outputs > 0
        return below

    def parameters(self) -> dict[str, np.ndarray]:
        return self._start


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits into probabilities, in place."""
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


class _Predictions:
    def __init__(self, work: Prediction, split: Split) -> None:
        values = list(start(work.network).values())
        self._layers = list(zip(values[::2], values[1::2], strict=True))
        self._images = split.inputs
        self._last = np.empty(0)

    def run(self, units: int) -> None:
        for unit in range(units):
            at = unit % len(self._images)
            x = self._images[at : at + 1].reshape(1, -1) * np.float32(SCALE)
            for weight, bias in self._layers[:-1]:
                x = np.maximum(x @ weight + bias, 0)
            weight, bias = self._layers[-1]
            self._last = softmax(x @ weight + bias)

    def result(self) -> dict[str, np.ndarray]:
        return {"probabilities": self._last}


class _Product:
    def __init__(self, a: np.ndarray, b: np.ndarray) -> None:
        self._a, self._b = a, b
        self._room = np.empty((a.shape[0], b.shape[1]), np.float32)

    def run(self, units: int) -> None:
        for _ in range(units):
            np.matmul(self._a, self._b, out=self._room)

    def result(self) -> dict[str, np.ndarray]:
        return {"product": self._room}

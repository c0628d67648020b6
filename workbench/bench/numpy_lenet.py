"""One iteration of LeNet in NumPy.

Responsible for convolutions as products of laid-out windows, channels last; knows no other
contender.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from workbench.bench.material import start
from workbench.bench.work import LENET_FILTERS, LENET_SIDE, RATE

#: Rows and columns that are left where the dense layers begin.
_LEFT = 4


class LeNet:
    """LeNet with its parameters as this layout likes them."""

    def __init__(self) -> None:
        values = start(None)
        self._weights = [values[f"{layer}.weight"] for layer in range(4)]
        self._biases = [values[f"{layer}.bias"] for layer in range(4)]
        for layer in (0, 1):
            # (filters, channels, side, side) -> (side * side * channels, filters)
            by_place = self._weights[layer].transpose(2, 3, 1, 0)
            self._weights[layer] = by_place.reshape(-1, by_place.shape[-1]).copy()
        flat = self._weights[2].reshape(LENET_FILTERS[1], _LEFT * _LEFT, -1)
        self._weights[2] = flat.transpose(1, 0, 2).reshape(self._weights[2].shape).copy()

    def __call__(self, x: np.ndarray, labels: np.ndarray) -> None:
        """Take one step up the log-likelihood of these images, one row each."""
        n = len(x)
        image = x.reshape(n, 28, 28, 1)
        columns, pools, pooled = [], [], []
        for layer in (0, 1):
            columns.append(_laid_out(image))
            side = image.shape[1] - LENET_SIDE + 1
            sums = (columns[-1] @ self._weights[layer]).reshape(n, side // 2, 2, side // 2, 2, -1)
            greatest = sums.max(axis=(2, 4), keepdims=True)
            pools.append(sums == greatest)
            image = np.tanh(greatest[:, :, 0, :, 0] + self._biases[layer])
            pooled.append(image)
        flat = image.reshape(n, -1)
        hidden = np.tanh(flat @ self._weights[2] + self._biases[2])
        delta = _probabilities(hidden @ self._weights[3] + self._biases[3])
        delta[np.arange(n), labels] -= 1
        delta *= RATE / n
        below = (delta @ self._weights[3].T) * (1 - hidden * hidden)
        self._descend(3, hidden, delta)
        delta = (below @ self._weights[2].T) * (1 - flat * flat)
        self._descend(2, flat, below)
        for layer in (1, 0):
            delta = delta.reshape(pooled[layer].shape)
            spread = (pools[layer] * delta[:, :, None, :, None]).reshape(len(columns[layer]), -1)
            if layer:
                laid_out = spread @ self._weights[layer].T
                below = _folded(laid_out, pooled[0].shape) * (1 - pooled[0] * pooled[0])
            self._weights[layer] -= columns[layer].T @ spread
            self._biases[layer] -= delta.sum(axis=(0, 1, 2))
            delta = below

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the parameters by name, in the layout of all contenders."""
        weights = list(self._weights)
        for layer, channels in ((0, 1), (1, LENET_FILTERS[0])):
            by_place = weights[layer].reshape(LENET_SIDE, LENET_SIDE, channels, -1)
            weights[layer] = by_place.transpose(3, 2, 0, 1)
        flat = weights[2].reshape(_LEFT * _LEFT, LENET_FILTERS[1], -1)
        weights[2] = flat.transpose(1, 0, 2).reshape(weights[2].shape)
        found = {f"{layer}.weight": value for layer, value in enumerate(weights)}
        return found | {f"{layer}.bias": value for layer, value in enumerate(self._biases)}

    def _descend(self, layer: int, inputs: np.ndarray, delta: np.ndarray) -> None:
        self._weights[layer] -= inputs.T @ delta
        self._biases[layer] -= delta.sum(axis=0)


def _laid_out(image: np.ndarray) -> np.ndarray:
    """Return each window as a row: (n * places, side * side * channels)."""
    windows = sliding_window_view(image, (LENET_SIDE, LENET_SIDE), axis=(1, 2))
    # (n, rows, columns, channels, side, side) -> channels last
    by_place = windows.transpose(0, 1, 2, 4, 5, 3)
    return by_place.reshape(-1, LENET_SIDE * LENET_SIDE * image.shape[-1])


def _folded(rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return what windows hold of each place of an image, summed up: laying out, transposed."""
    n, side, _, channels = shape
    places = side - LENET_SIDE + 1
    windows = rows.reshape(n, places, places, LENET_SIDE, LENET_SIDE, channels)
    image = np.zeros(shape, np.float32)
    for i in range(LENET_SIDE):
        for j in range(LENET_SIDE):
            image[:, i : i + places, j : j + places] += windows[:, :, :, i, j]
    return image


def _probabilities(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))

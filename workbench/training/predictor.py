"""A network's outputs for rows that come from outside.

Responsible for prediction on a device; knows no dataset and no training.
"""

from __future__ import annotations

import numpy as np

from workbench.engine.backends.base import Device
from workbench.engine.function import Function, function
from workbench.nn.model import Model
from workbench.training.feed import Feed

#: Rows in one run where there are many; what remains goes one by one: two plans serve any count.
CHUNK = 1000


class Predictor:
    """Computes the outputs of a model, always with its present parameters.

    Parameters
    ----------
    model, feed, device
        What computes, how rows become its input, and where.
    """

    def __init__(self, model: Model, feed: Feed, device: Device) -> None:
        self._model = model
        self._feed = feed
        self._device = device
        self._functions: dict[str, Function] = {}

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Return the outputs for each row; behind a softmax these are probabilities.

        Shapes
        ------
        rows : (n, ...), uint8 to be scaled or floating-point numbers to be taken as they are
        returned : (n, outputs)

        Raises
        ------
        DataError
            The rows do not fit the network.
        """
        rows = self._feed.arrange(rows)
        compiled = self._function(rows.dtype.name)
        many = len(rows) - len(rows) % CHUNK
        parts = [rows[i : i + CHUNK] for i in range(0, many, CHUNK)]
        parts += [rows[i : i + 1] for i in range(many, len(rows))]
        return np.concatenate([compiled(part) for part in parts] or [compiled(rows)])

    def _function(self, dtype: str) -> Function:
        if dtype not in self._functions:
            rows = self._feed.variable(dtype, "rows")
            outputs = self._model.output(self._feed.expression(rows))
            self._functions[dtype] = function([rows], outputs, device=self._device, name="predict")
        return self._functions[dtype]

"""How well a network does on a whole split.

Responsible for figures that come out the same, bit for bit, whenever they are computed again; knows
nothing of training.
"""

from __future__ import annotations

import math

import attrs
import numpy as np

from workbench.engine.backends.base import Device
from workbench.engine.function import function
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import SharedVariable, Variable
from workbench.nn.model import Model
from workbench.nn.objectives import Objective
from workbench.training.feed import Feed
from workbench.training.metrics import confusion_matrix

#: Rows in one run. Never chosen by speed or memory: the sums, and so the last bits, depend on it.
CHUNK = 1000

#: Runs between two collections of their results.
_SLOTS = 64


@attrs.frozen(eq=False)
class Evaluation:
    """What a network does on a split.

    Parameters
    ----------
    log_likelihood
        Mean over the rows; for other objectives the mean score.
    predictions
        Class of each row as int32; where there are no classes, the outputs of each row.
    confusion
        Counts by true class (rows) and predicted class (columns); empty where there are no classes.
    """

    log_likelihood: float
    predictions: np.ndarray
    confusion: np.ndarray

    @property
    def accuracy(self) -> float | None:
        """Part of the rows whose class is right; None where there are no classes."""
        if not self.confusion.size:
            return None
        return int(np.trace(self.confusion)) / len(self.predictions)

    @property
    def error_percent(self) -> float | None:
        """Percentage of the rows whose class is wrong; None where there are no classes."""
        if not self.confusion.size:
            return None
        right = int(np.trace(self.confusion))
        return 100 * (len(self.predictions) - right) / len(self.predictions)


class Evaluator:
    """Evaluates a model, always with its present parameters, on one split that lies on the device.

    Parameters
    ----------
    model, feed, device
        What computes, how rows become its input, and where.
    objective
        The score.
    inputs, targets
        The split as it lies on the device.
    labels
        The targets in host memory.
    classes
        Number of classes; 0 where the targets are numbers.
    """

    def __init__(
        self,
        model: Model,
        feed: Feed,
        device: Device,
        objective: Objective,
        split: tuple[SharedVariable, SharedVariable],
        labels: np.ndarray,
        classes: int,
    ) -> None:
        self._labels = labels
        self._classes = classes
        start, count = (Variable(TensorType("int64"), name=name) for name in ("start", "count"))
        inputs, targets = (shared[start : start + count] for shared in split)
        outputs = model.output(feed.expression(inputs))
        score = objective(outputs, targets)
        found = outputs.argmax(axis=1) if classes else outputs
        self._run = function(
            [start, count], [score, found], device=device, slots=_SLOTS, name="evaluate"
        )

    def evaluate(self) -> Evaluation:
        """Return the figures of the whole split."""
        n = len(self._labels)
        whole = n // CHUNK
        scores: list[float] = []
        found: list[np.ndarray] = []
        bursts = [range(i, min(i + _SLOTS, whole)) for i in range(0, whole, _SLOTS)]
        for burst in bursts:
            for chunk in burst:
                self._run.enqueue(chunk * CHUNK, CHUNK)
            self._gather(CHUNK, scores, found)
        if n % CHUNK:
            self._run.enqueue(whole * CHUNK, n % CHUNK)
            self._gather(n % CHUNK, scores, found)
        predictions = np.concatenate(found)
        if self._classes:
            predictions = predictions.astype(np.int32)
            confusion = confusion_matrix(self._labels, predictions, self._classes)
        else:
            confusion = np.zeros((0, 0), np.int64)
        return Evaluation(math.fsum(scores) / n, predictions, confusion)

    def _gather(self, rows: int, scores: list[float], found: list[np.ndarray]) -> None:
        """Wait for the runs of so many rows each; the sums are combined exactly, in any order."""
        means, values = self._run.collect()
        scores += [rows * float(mean) for mean in means]
        found += list(values)

"""Every figure of a run, kept in columns that only grow.

Responsible for losing nothing and for views that readers in other threads may hold; knows neither
trainer nor file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import DataError

#: Columns of the points, one row an iteration, and of the epochs, one row each. `step` is the
#: number of updates that the measured parameters had taken; epochs are counted from 1; what was not
#: measured is NaN.
POINT_COLUMNS = {
    "step": np.int64,
    "epoch": np.int64,
    "elapsed_s": np.float64,
    "log_likelihood": np.float64,
    "accuracy": np.float64,
    "rate": np.float64,
}
EPOCH_COLUMNS = {
    "epoch": np.int64,
    "step": np.int64,
    "log_likelihood": np.float64,
    "accuracy": np.float64,
    "validation_log_likelihood": np.float64,
    "validation_accuracy": np.float64,
    "seconds": np.float64,
    "samples_per_second": np.float64,
    "elapsed_s": np.float64,
    "rate": np.float64,
}

_FIRST_CAPACITY = 256


def _figures(values: Any) -> np.ndarray:
    array = np.array(values, np.float64)
    array.setflags(write=False)
    return array


@attrs.frozen(eq=False)
class Iterations:
    """Figures of successive iterations, each measured before its update; float64, read-only.

    Parameters
    ----------
    log_likelihood
        The objective's score.
    accuracy
        NaN where there are no classes.
    rate
        Learning rate.
    """

    log_likelihood: np.ndarray = attrs.field(converter=_figures)
    accuracy: np.ndarray = attrs.field(converter=_figures)
    rate: np.ndarray = attrs.field(converter=_figures)

    def __len__(self) -> int:
        return len(self.rate)

    def __getitem__(self, rows: slice) -> Iterations:
        """Return some of the iterations."""
        return Iterations(self.log_likelihood[rows], self.accuracy[rows], self.rate[rows])


@attrs.frozen
class EpochRecord:
    """The figures of one epoch.

    Parameters
    ----------
    epoch
        Counted from 1.
    step
        Iterations done when it ended; the validation figures belong to the parameters after that
        many updates.
    log_likelihood, accuracy
        Means over the rows of the epoch, each measured before its iteration's update. Accuracy is
        None where there are no classes.
    validation_log_likelihood, validation_accuracy
        Of the whole validation split after the epoch; None where not measured.
    seconds, samples_per_second
        Time spent training in the epoch, pauses and validation left out, and the speed that it
        amounts to. The first epoch of a run builds the kernels too.
    elapsed_s
        Seconds since the run began, pauses left out.
    rate
        Learning rate at its end.
    """

    epoch: int
    step: int
    log_likelihood: float
    accuracy: float | None
    validation_log_likelihood: float | None
    validation_accuracy: float | None
    seconds: float
    samples_per_second: float
    elapsed_s: float
    rate: float


class Columns:
    """Named columns of equal length to which rows are appended; one writer, any number of readers.

    What readers see changes by one assignment, and rows that were published are never written
    again, so no lock is needed.
    """

    def __init__(self, dtypes: Mapping[str, type[np.generic]]) -> None:
        arrays = {name: np.empty(_FIRST_CAPACITY, dtype) for name, dtype in dtypes.items()}
        self._published: tuple[dict[str, np.ndarray], int] = (arrays, 0)

    def __len__(self) -> int:
        return self._published[1]

    def append(self, rows: Mapping[str, np.ndarray | float], count: int) -> None:
        """Add `count` rows; a scalar fills its column."""
        arrays, length = self._published
        capacity = len(next(iter(arrays.values())))
        if length + count > capacity:
            # Readers keep the old arrays; doubling makes the copies cheap on the whole.
            larger = max(2 * capacity, length + count)
            arrays = {name: _grown(array, length, larger) for name, array in arrays.items()}
        for name, array in arrays.items():
            array[length : length + count] = rows[name]
        self._published = (arrays, length + count)

    def view(self) -> dict[str, np.ndarray]:
        """Return the columns as they are now: read-only, all of one length, never changing."""
        arrays, length = self._published
        views = {name: array[:length] for name, array in arrays.items()}
        for array in views.values():
            array.setflags(write=False)
        return views


def _grown(array: np.ndarray, length: int, capacity: int) -> np.ndarray:
    grown = np.empty(capacity, array.dtype)
    grown[:length] = array[:length]
    return grown


class History:
    """All points and all epochs of a run."""

    def __init__(self) -> None:
        self._points = Columns(POINT_COLUMNS)
        self._epochs = Columns(EPOCH_COLUMNS)

    def add_points(self, step: int, epoch: int, elapsed_s: float, made: Iterations) -> None:
        """Append iterations; the first figures are those after `step` updates."""
        rows: dict[str, np.ndarray | float] = {
            "step": np.arange(step, step + len(made)),
            "epoch": epoch,
            "elapsed_s": elapsed_s,
            "log_likelihood": made.log_likelihood,
            "accuracy": made.accuracy,
            "rate": made.rate,
        }
        self._points.append(rows, len(made))

    def add_epoch(self, record: EpochRecord) -> None:
        """Append the figures of an epoch."""
        values = ((name, getattr(record, name)) for name in EPOCH_COLUMNS)
        self._epochs.append({name: np.nan if v is None else v for name, v in values}, 1)

    def points(self) -> dict[str, np.ndarray]:
        """Return the present `POINT_COLUMNS`: read-only views, one row an iteration."""
        return self._points.view()

    def epochs(self) -> dict[str, np.ndarray]:
        """Return the present `EPOCH_COLUMNS`: read-only views, one row an epoch."""
        return self._epochs.view()

    def until(self, step: int) -> History:
        """Return the history of the first `step` iterations: this one, if it holds no more."""
        points, epochs = self.points(), self.epochs()
        made, ended = points["step"] < step, epochs["step"] <= step
        if made.all() and ended.all():
            return self
        cut = History()
        for columns, rows, kept in ((cut._points, points, made), (cut._epochs, epochs, ended)):
            columns.append({name: row[kept] for name, row in rows.items()}, int(kept.sum()))
        return cut

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return all columns as files keep them: ``points.<column>`` and ``epochs.<column>``."""
        points = {f"points.{name}": array for name, array in self.points().items()}
        return points | {f"epochs.{name}": array for name, array in self.epochs().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> History:
        """Return the history that `to_arrays` gave; an empty mapping is an empty history.

        Raises
        ------
        DataError
            A column is missing, or columns differ in length.
        """
        history = cls()
        for prefix, columns, dtypes in (
            ("points", history._points, POINT_COLUMNS),
            ("epochs", history._epochs, EPOCH_COLUMNS),
        ):
            rows = {name: arrays.get(f"{prefix}.{name}", np.empty(0)) for name in dtypes}
            lengths = {array.shape for array in rows.values()}
            if len(lengths) != 1 or len(next(iter(lengths))) != 1:
                raise DataError(
                    f"The columns of the history's {prefix} differ in shape: {sorted(lengths)}.",
                    "Leave the history out.",
                )
            columns.append(rows, len(rows["step"]))
        return history

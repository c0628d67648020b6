"""A run as a table of comma-separated values, written while it happens or afterwards.

Responsible for the columns of the file; knows nothing of how the figures come about.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from workbench.core.errors import SaveError
from workbench.training.events import EpochEnded, Event, Snapshot
from workbench.training.history import EPOCH_COLUMNS, EpochRecord, History

#: `step` is the number of updates that the measured parameters had taken. What was not measured at
#: a point is empty: each iteration has its own figures, the end of an epoch those of validation.
COLUMNS = (
    "step",
    "epoch",
    "seconds",
    "log_likelihood",
    "accuracy",
    "validation_log_likelihood",
    "validation_accuracy",
    "rate",
)


class RunLog:
    """Writes what a run reports to a file, which it replaces; to be used in a ``with`` block.

    Raises
    ------
    SaveError
        The file cannot be written, at first or later.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            # Without a buffer, nothing is left to be written when a full disk has refused it.
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise self._failed(error) from None

    def __enter__(self) -> RunLog:
        self._write([",".join(COLUMNS)])
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, event: Event) -> None:
        """Write the points that an event reports, if it reports any."""
        if isinstance(event, Snapshot):
            first, made = event.step - len(event.log_likelihood), len(event.log_likelihood)
            columns = {
                "step": np.arange(first, event.step),
                "epoch": np.full(made, event.epoch),
                "elapsed_s": np.full(made, event.elapsed_s),
                "log_likelihood": event.log_likelihood,
                "accuracy": event.accuracy,
                "rate": np.full(made, event.rate),
            }
            self._write(_point_rows(columns, 0, made))
        elif isinstance(event, EpochEnded):
            self._write([_epoch_row(event.record)])

    def add_history(self, history: History) -> None:
        """Write all that a run has come to: the rows that its events would have made."""
        # In this order no epoch is without its points when both are still growing.
        epochs, points = history.epochs(), history.points()
        ends = np.searchsorted(points["epoch"], epochs["epoch"], side="right")
        begin = 0
        for row, end in enumerate(ends):
            record = EpochRecord(**{name: epochs[name][row].item() for name in EPOCH_COLUMNS})
            self._write([*_point_rows(points, begin, end), _epoch_row(record)])
            begin = end
        self._write(_point_rows(points, begin, len(points["step"])))

    def _write(self, lines: Iterable[str]) -> None:
        rest = "".join(f"{line}\n" for line in lines).encode()
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._file.close()
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> SaveError:
        return SaveError(
            f"The log {str(self._path)!r} cannot be written: {error.strerror}.",
            "Choose a file in a folder that you may write to, with space left.",
        )


def _point_rows(columns: Mapping[str, np.ndarray], begin: int, end: int) -> Iterator[str]:
    """Return some rows of the points of a history as lines."""
    # As Python's own numbers, which are written several times as fast as NumPy's.
    names = ("step", "epoch", "elapsed_s", "log_likelihood", "accuracy", "rate")
    parts = [columns[name][begin:end].tolist() for name in names]
    for step, epoch, elapsed_s, score, accuracy, rate in zip(*parts, strict=True):
        yield (f"{step},{epoch},{elapsed_s:.6f},{_text(score)},{_text(accuracy)},,,{_text(rate)}")


def _epoch_row(record: EpochRecord) -> str:
    scores = f"{_text(record.validation_log_likelihood)},{_text(record.validation_accuracy)}"
    head = f"{record.step},{record.epoch},{record.elapsed_s:.6f}"
    return f"{head},,,{scores},{_text(record.rate)}"


def _text(value: float | None) -> str:
    """Return a number so that it can be read back exactly; nothing where there is none."""
    return "" if value is None or not math.isfinite(value) else repr(float(value))

"""A run as a table of comma-separated values, written while it happens or afterwards.

Responsible for the columns of the file; knows nothing of how the figures come about.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
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
        self._write([dict(zip(COLUMNS, COLUMNS, strict=True))])
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
            record = EpochRecord(**{name: epochs[name][row] for name in EPOCH_COLUMNS})
            self._write([*_point_rows(points, begin, end), _epoch_row(record)])
            begin = end
        self._write(_point_rows(points, begin, len(points["step"])))

    def _write(self, rows: Sequence[Mapping[str, object]]) -> None:
        text = io.StringIO()
        csv.DictWriter(text, COLUMNS, lineterminator="\n").writerows(rows)
        rest = text.getvalue().encode()
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


def _point_rows(columns: Mapping[str, np.ndarray], begin: int, end: int) -> list[dict[str, object]]:
    """Return some rows of the points of a history."""
    return [
        {
            "step": columns["step"][i],
            "epoch": columns["epoch"][i],
            "seconds": f"{columns['elapsed_s'][i]:.6f}",
            "log_likelihood": _text(columns["log_likelihood"][i]),
            "accuracy": _text(columns["accuracy"][i]),
            "rate": _text(columns["rate"][i]),
        }
        for i in range(begin, end)
    ]


def _epoch_row(record: EpochRecord) -> dict[str, object]:
    return {
        "step": record.step,
        "epoch": record.epoch,
        "seconds": f"{record.elapsed_s:.6f}",
        "validation_log_likelihood": _text(record.validation_log_likelihood),
        "validation_accuracy": _text(record.validation_accuracy),
        "rate": _text(record.rate),
    }


def _text(value: float | None) -> str:
    """Return a number so that it can be read back exactly; nothing where there is none."""
    return "" if value is None or not math.isfinite(value) else repr(float(value))

"""A run as a table of comma-separated values, written while it happens.

Responsible for the columns of the file; knows nothing of how the figures come about.
"""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from workbench.core.errors import SaveError
from workbench.training.events import EpochEnded, Event, Snapshot

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
            first = event.step - len(event.log_likelihood)
            self._write(
                [
                    {
                        "step": first + i,
                        "epoch": event.epoch,
                        "seconds": f"{event.elapsed_s:.6f}",
                        "log_likelihood": _text(event.log_likelihood[i]),
                        "accuracy": _text(event.accuracy[i]),
                        "rate": _text(event.rate),
                    }
                    for i in range(len(event.log_likelihood))
                ]
            )
        elif isinstance(event, EpochEnded):
            record = event.record
            self._write(
                [
                    {
                        "step": record.step,
                        "epoch": record.epoch,
                        "seconds": f"{record.elapsed_s:.6f}",
                        "validation_log_likelihood": _text(record.validation_log_likelihood),
                        "validation_accuracy": _text(record.validation_accuracy),
                        "rate": _text(record.rate),
                    }
                ]
            )

    def _write(self, rows: list[dict[str, object]]) -> None:
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


def _text(value: float | None) -> str:
    """Return a number so that it can be read back exactly; nothing where there is none."""
    return "" if value is None or not math.isfinite(value) else repr(float(value))

"""What a person is told: progress and messages on standard error, results on standard output.

Responsible for how it looks, on a terminal and in a file; knows nothing of what is being done.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import rich.console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

#: Where output is no terminal, at most one line of progress in this time.
_QUIET_S = 5.0

#: Columns of a table that goes to no terminal.
_FILE_WIDTH = 150


class Console:
    """Standard error while work goes on: a live bar on a terminal, occasional lines elsewhere.

    To be used in a ``with`` block, at whose end the bar is gone.
    """

    def __init__(self) -> None:
        self._out = rich.console.Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %"),
            TextColumn("{task.fields[note]}", markup=False),
            TimeRemainingColumn(),
            console=self._out,
            transient=True,
            redirect_stdout=False,
            refresh_per_second=5,
            disable=not self._out.is_terminal,
        )
        self._task: TaskID | None = None
        self._what = ""
        self._began_s = self._told_s = 0.0

    def __enter__(self) -> Console:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def message(self, text: str) -> None:
        """Show a line of text above the bar."""
        self._out.print(text, markup=False)

    def progress(self, what: str, done: int, total: int, note: str = "") -> None:
        """Show how far `what` has come; another `what` takes the bar over.

        Parameters
        ----------
        done, total
            In any unit; `total` is 0 where it is unknown.
        note
            A few words beside the bar: a rate.
        """
        now_s = time.monotonic()
        if self._task is None or what != self._what:
            self._what = what
            self._began_s = self._told_s = now_s
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._task = self._bars.add_task(what, total=total or None, note=note)
        self._bars.update(self._task, completed=done, note=note)
        if self._bars.disable and now_s - self._told_s >= _QUIET_S:
            self._told_s = now_s
            self.message(_line(what, done, total, note, now_s - self._began_s))


def _line(what: str, done: int, total: int, note: str, elapsed_s: float) -> str:
    parts = [what, note]
    if 0 < done < total:
        left_s = round(elapsed_s * (total - done) / done)
        parts[1:1] = [f"{100 * done / total:.0f} %", f"{left_s // 60}:{left_s % 60:02} left"]
    return ", ".join(filter(None, parts))


def print_table(columns: Mapping[str, list[str]]) -> None:
    """Print columns of text, set flush right under their headings, on standard output."""
    widths = [max(map(len, [heading, *cells])) for heading, cells in columns.items()]
    for row in (tuple(columns), *zip(*columns.values(), strict=True)):
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def result_console() -> rich.console.Console:
    """Return standard output for tables that are too rich for `print_table`."""
    console = rich.console.Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    return console


def print_json(result: Mapping[str, Any]) -> None:
    """Print the one JSON object of a verb on standard output."""
    json.dump(plain(result), sys.stdout, allow_nan=False)
    print()


def plain(value: Any) -> Any:
    """Return a value as JSON has it: arrays as lists, and what is not finite as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

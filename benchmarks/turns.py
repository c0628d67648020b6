"""Compare the speed of two endless runs, in a window and on the command line, turn by turn.

Both processes live the whole time; while one trains, the other is stopped by a signal. A turn is
seconds long, so that a machine whose speed drifts over minutes treats both alike: a window's turn
is compared with the mean of the command line's turns before and after it.
"""

from __future__ import annotations

import argparse
import functools
import os
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any, Self

import window_session
from PySide6.QtWidgets import QApplication

from workbench.cli import program
from workbench.gui import app
from workbench.training.session import Session

#: Seconds between two reports of a run, and how long a run goes before its turn counts.
REPORT_S, SETTLE_S = 0.1, 0.3
#: A report: the moment in seconds, and the iterations done by then.
_REPORT = struct.Struct("dq")
#: Images in a mini-batch.
BATCH = 128
#: Seconds without a report after which a run is taken for dead.
PATIENCE_S = 120
#: More than any measurement lasts.
EPOCHS = 1_000_000


class Runner:
    """A process that trains when told to."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this
        self._process = subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=environment,
            bufsize=0,
        )
        assert self._process.stdout is not None
        self._reports: IO[bytes] = self._process.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reports.close()
        self._said.close()

    def begin(self) -> None:
        """Wait until it trains, and stop it until its first turn."""
        self._read()
        self._process.send_signal(signal.SIGSTOP)

    def turn(self, seconds: float) -> float:
        """Return the iterations a second of a turn."""
        os.set_blocking(self._reports.fileno(), False)
        while self._reports.read(_REPORT.size):
            pass
        os.set_blocking(self._reports.fileno(), True)
        self._process.send_signal(signal.SIGCONT)
        settled = time.perf_counter() + SETTLE_S
        first = self._read()
        while first[0] < settled:
            first = self._read()
        last = first
        while last[0] < first[0] + seconds:
            last = self._read()
        self._process.send_signal(signal.SIGSTOP)
        return (last[1] - first[1]) / (last[0] - first[0])

    def _read(self) -> tuple[float, int]:
        ready, _, _ = select.select([self._reports], [], [], PATIENCE_S)
        found = self._reports.read(_REPORT.size) if ready else b""
        if len(found) < _REPORT.size:
            self._said.seek(0)
            said = self._said.read().decode(errors="replace")
            raise SystemExit(
                f"a run ended before its turns did, or fell silent; it said:\n{said[-2000:]}"
            )
        moment, step = _REPORT.unpack(found)
        return moment, step


def compare(
    dataset: str, tab: str, turns: int, seconds: float, environment: Mapping[str, str]
) -> tuple[float, list[float]]:
    """Return a window's speed as a share of the command line's, and that one's in images a second.

    Parameters
    ----------
    dataset
        Its name.
    tab
        The tab in front.
    turns
        Of the window; the command line has one more.
    seconds
        Of a turn.
    environment
        Of both processes.
    """
    own = ["--dataset", dataset]
    with (
        Runner([__file__, "line", *own], environment) as line,
        Runner([__file__, tab, *own], environment) as window,
    ):
        for side in (line, window):
            side.begin()
        lines, shares = [line.turn(seconds)], []
        for _ in range(turns):
            speed = window.turn(seconds)
            lines.append(line.turn(seconds))
            shares.append(2 * speed / (lines[-2] + lines[-1]))
    return statistics.median(shares), [BATCH * speed for speed in lines]


def _report(sessions: Sequence[Session], out: int) -> None:
    while True:
        time.sleep(REPORT_S)
        if sessions and sessions[-1].position.step:
            try:
                os.write(out, _REPORT.pack(time.perf_counter(), sessions[-1].position.step))
            except OSError:
                # Nobody listens any more, and the run has no end of its own.
                os._exit(1)


def _report_newest(out: int) -> None:
    """Report on the session that this process made last, whoever made it."""
    make, sessions = Session.__init__, []

    @functools.wraps(make)
    def make_and_note(session: Session, *given: Any, **named: Any) -> None:
        make(session, *given, **named)
        sessions.append(session)

    Session.__init__ = make_and_note  # type: ignore[method-assign]
    threading.Thread(target=_report, args=(sessions, out), daemon=True).start()


def main() -> None:
    """Train without end, as the command line does or in a window, and report it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("line", "training", "weights"))
    parser.add_argument("--dataset", required=True)
    options = parser.parse_args()
    out = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _report_newest(out)
    if options.what == "line":
        words = f"train --network relu --dataset {options.dataset} --precision float32"
        program.main([*words.split(), "--batch", str(BATCH), "--epochs", str(EPOCHS)])
    else:
        application = QApplication(sys.argv[:1])
        app.prepare(application)
        kept = window_session.open_training(options.dataset, EPOCHS, options.what)
        application.exec()
        del kept


if __name__ == "__main__":
    main()

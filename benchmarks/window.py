"""Time the window: how soon it has trained a network, and how it lives while one trains.

A round is: a window that trains with the plots in front, and with the weights in front, first
beside the same run on the command line turn by turn, then alone; the window at rest beside two busy
processes; and the first run with empty and with full caches. Each is a process of its own.
QT_QPA_PLATFORM chooses the screen, none by default.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import turns

HERE = Path(__file__).parent
SPINNERS = 2
#: Seconds of a turn.
TURN_S = 1.5

#: What is told, in which unit, and what is aimed at ("<" below, ">" above).
FIGURES = {
    "plots in front: heartbeat gap p99": ("ms", "< 50"),
    "plots in front: gap p99 while drawing": ("ms", "< 50"),
    "plots in front: stroke to bars p95": ("ms", "< 100"),
    "plots in front: Stop to stopped": ("ms", "< 200"),
    "plots in front: throughput against the command line": ("%", "> 95"),
    "plots in front: CPU of the window's thread": ("ms/s", ""),
    "weights in front: heartbeat gap p99": ("ms", "< 50"),
    "weights in front: gap p99 while drawing": ("ms", "< 50"),
    "weights in front: stroke to bars p95": ("ms", "< 100"),
    "weights in front: Stop to stopped": ("ms", "< 200"),
    "weights in front: throughput against the command line": ("%", "> 95"),
    "weights in front: CPU of the window's thread": ("ms/s", ""),
    "at rest beside two busy processes: heartbeat gap p99": ("ms", ""),
    "at rest beside two busy processes: CPU of the window's thread": ("ms/s", ""),
    "command line": ("images/s", ""),
    "opening, empty caches: start to window": ("s", ""),
    "opening, empty caches: window to 90 %": ("s", ""),
    "opening, empty caches: longest gap": ("ms", ""),
    "opening, full caches: start to window": ("s", ""),
    "opening, full caches: window to 90 %": ("s", "< 10"),
    "opening, full caches: longest gap": ("ms", ""),
    "opening: actions": ("", "< 3"),
}


def environment(folder: Path, settings: str) -> dict[str, str]:
    """Return an environment whose caches and settings are in folders of their own."""
    own = {
        "WORKBENCH_CACHE": folder / "workbench",
        "WORKBENCH_CONFIG": settings,
        "POCL_CACHE_DIR": folder / "pocl",
        "XDG_CACHE_HOME": folder / "cache",
    }
    return {
        "QT_QPA_PLATFORM": "offscreen",
        **os.environ,
        **{name: str(path) for name, path in own.items()},
    }


def run(command: list[str], folder: Path) -> dict[str, Any]:
    """Return the JSON object that a process prints."""
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as settings:
        done = subprocess.run(
            [sys.executable, *command],
            capture_output=True,
            text=True,
            env=environment(folder, settings),
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def window(what: str, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure a window."""
    command = [str(HERE / "window_session.py"), what, "--dataset", options.dataset]
    if what == "opening":
        command += ["--spawned", repr(time.time())]
    return run([*command, "--seconds", str(options.seconds)], folder)


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Keep the machine busy meanwhile."""
    spinners = [subprocess.Popen([sys.executable, "-c", "while 1: pass"]) for _ in range(SPINNERS)]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def one_round(options: argparse.Namespace, kept: Path, fresh: Path) -> dict[str, list[float]]:
    """Return the figures of one round."""
    figures: dict[str, list[float]] = {}
    for title, what in (("plots in front", "training"), ("weights in front", "weights")):
        with tempfile.TemporaryDirectory() as settings:
            share, speeds = turns.compare(
                options.dataset, what, options.turns, TURN_S, environment(kept, settings)
            )
        found = window(what, options, kept)
        figures |= {
            f"{title}: heartbeat gap p99": [found["gap_p99_ms"]],
            f"{title}: gap p99 while drawing": [found["drawing"]["gap_p99_ms"]],
            f"{title}: stroke to bars p95": [found["stroke_p95_ms"]],
            f"{title}: Stop to stopped": found["stop_ms"],
            f"{title}: throughput against the command line": [100 * share],
            f"{title}: CPU of the window's thread": [found["gui_cpu_ms_per_s"]],
            "command line": [*figures.get("command line", []), *speeds],
        }
    with busy():
        found = window("rest", options, kept)
    title = "at rest beside two busy processes"
    figures[f"{title}: heartbeat gap p99"] = [found["gap_p99_ms"]]
    figures[f"{title}: CPU of the window's thread"] = [found["gui_cpu_ms_per_s"]]
    for title in ("opening, empty caches", "opening, full caches"):
        opening = argparse.Namespace(**{**vars(options), "dataset": "digits"})
        found = window("opening", opening, fresh)
        figures[f"{title}: start to window"] = [found["shown_s"]]
        figures[f"{title}: window to 90 %"] = [found["good_s"]]
        figures[f"{title}: longest gap"] = [found["gap_max_ms"]]
        figures["opening: actions"] = [found["actions"]]
    return figures


def main() -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dataset", choices=("mnist", "digits"), default="mnist")
    parser.add_argument("--seconds", type=float, default=6, help="of each measurement")
    parser.add_argument("--turns", type=int, default=12, help="of each window that is compared")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    # By way of what ends the processes that it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    figures: dict[str, list[float]] = {}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {options.dataset}"
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "kept"
        # Fills the caches.
        window("training", options, kept)
        for number in range(options.rounds):
            found = one_round(options, kept, Path(folder) / f"fresh{number}")
            for name, values in found.items():
                figures.setdefault(name, []).extend(values)
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps({"machine": machine, "rounds": options.rounds, "figures": figures}))
        return 0
    print(machine)
    for name, (unit, aim) in FIGURES.items():
        values = figures[name]
        spread = f"({min(values):,.4g} to {max(values):,.4g})"
        print(f"{name:62}{statistics.median(values):>10,.4g} {unit:8} {spread:24} {aim}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

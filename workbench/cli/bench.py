"""``workbench bench``: how fast the workbench is beside NumPy and PyTorch on this machine.

Responsible for which contenders and works are wanted, and for how the figures are shown; the
measuring is `workbench.bench`'s.
"""

from __future__ import annotations

import argparse
import platform
from typing import Any

import rich.box
import rich.table

from workbench.bench.machine import processor
from workbench.bench.material import dataset_name
from workbench.bench.rounds import Benchmark, Figures, Measured, cores, run_all, torch_is_here
from workbench.bench.work import NAMES, find_work
from workbench.cli.choices import load_extensions
from workbench.cli.console import Console, print_json, result_console
from workbench.core.errors import InputError
from workbench.engine.backends.catalogue import default_device

#: Rounds of a measurement that can be quoted, and the images that there are to train on.
ROUNDS, IMAGES = 5, 50_000


def run(options: argparse.Namespace) -> int:
    """Measure what the options name; return the exit status."""
    rounds = _count("rounds", options.rounds, ROUNDS, 1000)
    images = _count("images", options.images, IMAGES, IMAGES)
    with Console() as console:
        load_extensions(console)
        names = list(dict.fromkeys(options.only or NAMES))
        for name in names:
            find_work(name, images)
        devices = list(dict.fromkeys(options.device or [default_device()]))
        if not torch_is_here():
            console.message("PyTorch is not installed here: NumPy is the only peer.")

        def tell(measured: Measured) -> None:
            console.message(_line(measured))

        found = run_all(devices, names, rounds, images, console.progress, tell)
    if options.json:
        print_json(
            {
                "default_device": default_device(),
                "peak_gflops": found.peak_gflops,
                "work": [_object(measured, found.peak_gflops) for measured in found.measured],
            }
        )
    else:
        _print(found, rounds, images)
    return 0


def _count(name: str, given: object, default: int, largest: int) -> int:
    """Return a whole number that was typed, or the default."""
    if given is None:
        return default
    if not isinstance(given, int) or not 1 <= given <= largest:
        raise InputError(f"--{name}: got {given}.", f"Give a whole number from 1 to {largest:,}.")
    return given


def _object(measured: Measured, peak_gflops: float) -> dict[str, Any]:
    return {
        "name": measured.work.name,
        "device": measured.device,
        "seconds": measured.ours.seconds,
        "spread": measured.ours.spread,
        "peers": {name: figures.seconds for name, figures in measured.peers.items()},
        "speedup_over_fastest_peer": measured.speedup,
        "fraction_of_peak": measured.gflops / peak_gflops,
    }


def _line(measured: Measured) -> str:
    """Return what a person who waits for the rest is told."""
    all_of_them = {measured.device: measured.ours, **measured.peers}
    times = ", ".join(f"{name} {_time(figures)}" for name, figures in all_of_them.items())
    ratio = "" if measured.speedup is None else f"; speed-up {measured.speedup:.2f}"
    return f"{measured.work.name}: {times}{ratio}"


def _print(found: Benchmark, rounds: int, images: int) -> None:
    console = result_console()
    peers = list(found.measured[0].peers)
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD)
    for heading in ("work", "device"):
        table.add_column(heading, no_wrap=True)
    for heading in ("workbench", *peers, "speed-up", "GFLOP/s", "of peak"):
        table.add_column(heading, justify="right")
    for measured in found.measured:
        table.add_row(
            f"{measured.work.name}, {measured.work.unit}",
            measured.device,
            _time(measured.ours),
            *(_time(measured.peers[name]) if name in measured.peers else "" for name in peers),
            "" if measured.speedup is None else f"{measured.speedup:.2f}",
            f"{measured.gflops:,.1f}",
            f"{measured.gflops / found.peak_gflops:.0%}",
        )
    console.print(f"{processor()}, {cores()} cores, {platform.system()}", markup=False)
    for name, about in found.contenders.items():
        console.print(f"  {name}: {about}", markup=False)
    console.print(
        f"Medians of {rounds} interleaved rounds, with the fastest and the slowest; "
        f"{images:,} images of {dataset_name()}; best product {found.peak_gflops:.0f} GFLOP/s."
    )
    console.print(table)


def _time(figures: Figures) -> str:
    """Return the median with its unit, and the range."""
    seconds = figures.seconds
    unit, factor = ("s", 1.0) if seconds >= 1 else ("ms", 1e3) if seconds >= 1e-3 else ("us", 1e6)
    low, high = min(figures.rounds_s) * factor, max(figures.rounds_s) * factor
    return f"{_short(seconds * factor)} {unit} ({_short(low)} to {_short(high)})"


def _short(number: float) -> str:
    """Return three digits, or all before the point."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"

"""``workbench tune``: find out how matrix products are best cut on a device.

Responsible for whose products are tuned, and for how the result is shown; the search is the
backend's.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import attrs
import rich.box
import rich.table

from workbench.cli.choices import data_spec, load_extensions, training_spec
from workbench.cli.console import Console, print_json, result_console
from workbench.cli.device_choice import choose_device
from workbench.cli.guarding import guarded
from workbench.core.errors import InputError
from workbench.data.loading import load
from workbench.engine.backends.base import Device
from workbench.engine.backends.opencl.tuner import Tuned, tune
from workbench.spec.library import find_network, starter_networks
from workbench.training.session import Session

#: Seconds that the search may take where no other number is named, and where one is.
_SECONDS, _MOST_SECONDS = 60, 3600


def run(options: argparse.Namespace) -> int:
    """Tune the products of the networks that the options name; return the exit status."""
    seconds = _SECONDS if options.seconds is None else options.seconds
    if not isinstance(seconds, int | float) or not 0 < seconds <= _MOST_SECONDS:
        raise InputError(f"--seconds: got {seconds}.", f"Give a number, at most {_MOST_SECONDS:,}.")
    began = time.perf_counter()
    with Console() as console:
        load_extensions(console)
        names = [options.network] if options.network else list(starter_networks())
        networks = [find_network(name) for name in names]
        training, data = training_spec(options), data_spec(options)
        # Searched is among many other kernels than those of a single network.
        device = choose_device(options, console, profile=True)
        dataset = load(data, console.progress)
        plans = []
        with guarded(device, console):
            for network in networks:
                session = Session(network, training, dataset, device, data.pixel_scale)
                session.advance(1)
                plans += list(dict.fromkeys(launch.plan for launch in device.launches()))
                session.close()
            found = tune(device, plans, seconds, console.progress)
    if options.json:
        print_json(
            {
                "networks": names,
                "seconds": time.perf_counter() - began,
                "products": [_object(tuned) for tuned in found],
                "device": device.info.id,
                "precision": training.precision,
                "kernels_launched": device.counters.kernels_launched,
            }
        )
    else:
        _print(found, device)
    return 0


def _object(tuned: Tuned) -> dict[str, Any]:
    return {
        "product": tuned.key,
        "label": tuned.label,
        "default_gflops": tuned.default_gflops,
        "gflops": tuned.gflops,
        "tile": attrs.asdict(tuned.tile),
        "tried": tuned.tried,
    }


def _print(found: list[Tuned], device: Device) -> None:
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD)
    table.add_column("product", overflow="fold")
    for heading in ("default GFLOP/s", "best GFLOP/s", "gain"):
        table.add_column(heading, justify="right")
    table.add_column("tile", overflow="fold")
    table.add_column("tried", justify="right")
    for tuned in found:
        table.add_row(
            tuned.key,
            f"{tuned.default_gflops:.1f}",
            f"{tuned.gflops:.1f}",
            f"{tuned.gflops / tuned.default_gflops - 1:.0%}",
            " ".join(f"{name} {value}" for name, value in attrs.asdict(tuned.tile).items()),
            f"{tuned.tried}",
        )
    console = result_console()
    console.print(f"Products on {device.info.name} ({device.info.id}); results keep their bits.")
    console.print(table)

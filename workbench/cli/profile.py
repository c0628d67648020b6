"""``workbench profile``: which kernels the iterations of a network spend their time in.

Responsible for how it is shown; the session's profile and the benchmark's peak are measured
elsewhere.
"""

from __future__ import annotations

import argparse
from functools import cache, partial
from typing import Any

import attrs
import rich.box
import rich.table

from workbench.bench.machine import measured_peak
from workbench.cli.choices import STARTER, data_spec, load_extensions, training_spec
from workbench.cli.console import Console, print_json, result_console
from workbench.cli.device_choice import choose_device
from workbench.cli.guarding import guarded
from workbench.data.loading import load
from workbench.spec.library import find_network
from workbench.training.profile import KernelTiming, Profile, profile
from workbench.training.session import Session
from workbench.training.trial import training_trial

#: Seconds of training that are looked at.
_SECONDS = 2.0


def run(options: argparse.Namespace) -> int:
    """Profile the network that the options name; return the exit status."""
    name = options.network or STARTER
    with Console() as console:
        load_extensions(console)
        network = find_network(name)
        training, data = training_spec(options), data_spec(options)
        dataset = cache(partial(load, data, console.progress))
        trial = partial(training_trial, network, training, dataset, data.pixel_scale)
        device = choose_device(options, console, trial, profile=True)
        # It trains for as long as it is looked at.
        training = attrs.evolve(training, epochs=10**6)
        session = Session(network, training, dataset(), device, data.pixel_scale)
        with guarded(device, console):
            console.progress("measuring the best product", 0, 0)
            peak_gflops = measured_peak(device, training.precision)
            console.progress("training", 0, 0)
            found = profile(session, _SECONDS)
    if options.json:
        print_json(
            {
                "network": name,
                "batch": training.batch,
                "iterations": found.iterations,
                "seconds": found.seconds,
                "kernel_seconds": found.kernel_seconds,
                "peak_gflops": peak_gflops,
                "kernels": [_object(kernel, peak_gflops) for kernel in found.kernels],
                "device": device.info.id,
                "precision": training.precision,
                "kernels_launched": session.counters.kernels_launched,
            }
        )
    else:
        _print(found, session, name, peak_gflops)
    return 0


def _object(kernel: KernelTiming, peak_gflops: float) -> dict[str, Any]:
    return {
        "label": kernel.label,
        "steps": kernel.steps,
        "launches": kernel.launches,
        "seconds": kernel.seconds,
        "share": kernel.share,
        "gflops": kernel.gflops,
        "gigabytes_per_second": kernel.gigabytes_per_second,
        "fraction_of_peak": kernel.gflops / peak_gflops,
    }


def _speeds(kernel: KernelTiming, peak_gflops: float) -> tuple[str, str, str]:
    return (
        f"{kernel.gflops:.3g}",
        f"{kernel.gigabytes_per_second:.3g}",
        f"{kernel.gflops / peak_gflops:.1%}",
    )


def _print(found: Profile, session: Session, name: str, peak_gflops: float) -> None:
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD)
    table.add_column("kernel", overflow="fold")
    table.add_column("steps")
    for heading in ("runs", "us", "share", "GFLOP/s", "GB/s", "of peak"):
        table.add_column(heading, justify="right")
    for kernel in found.kernels:
        table.add_row(
            kernel.label,
            ", ".join(map(str, kernel.steps)),
            f"{kernel.launches:g}",
            f"{1e6 * kernel.seconds:.1f}",
            f"{kernel.share:.1%}",
            # What finishes the work of the kernel before it has been counted there.
            *(("", "", "") if not kernel.size_bytes else _speeds(kernel, peak_gflops)),
        )
    device, batch = session.device.info, f"batch {session.batch:,}"
    console = result_console()
    console.print(f"{name}, {batch}, {session.training.precision}, on {device.name} ({device.id})")
    console.print(
        f"{1e6 * found.seconds:.1f} us an iteration, on the mean of {found.iterations:,}; "
        f"{1e6 * found.kernel_seconds:.1f} us of them in {len(found.kernels)} kernels; "
        f"best product {peak_gflops:.0f} GFLOP/s."
    )
    console.print(table)

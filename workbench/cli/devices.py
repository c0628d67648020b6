"""``workbench devices``: what can compute on this machine.

Responsible for how the list is shown; the catalogue makes it.
"""

from __future__ import annotations

import argparse

import attrs

from workbench.cli.console import print_json, print_table
from workbench.engine.backends.base import DeviceInfo
from workbench.engine.backends.catalogue import devices


def run(options: argparse.Namespace) -> int:
    """List every device; return the exit status."""
    found = devices()
    if options.json:
        print_json({"devices": [attrs.asdict(info) for info in found]})
    else:
        _print(found)
    return 0


def _print(found: list[DeviceInfo]) -> None:
    print_table(
        {
            "id": [info.id for info in found],
            "type": [info.type for info in found],
            "units": [str(info.compute_units) for info in found],
            "memory": [_memory(info.memory_bytes) for info in found],
            "float64": ["yes" if info.float64 else "no" for info in found],
            "name": [info.name for info in found],
            "platform": [info.platform for info in found],
            "driver": [info.driver for info in found],
        }
    )


def _memory(size_bytes: int) -> str:
    """Return a size in GiB; a dash where the device has no memory of its own."""
    return f"{size_bytes / 2**30:.1f} GiB" if size_bytes else "-"

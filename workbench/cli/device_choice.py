"""The device of a verb: checked before its first use, and refused if it computes wrong.

Responsible for what a person at a terminal is told of that; who is admitted is decided elsewhere.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from workbench.cli.console import Console
from workbench.cli.guarding import guarded
from workbench.engine.backends.base import Device
from workbench.engine.backends.catalogue import open_device
from workbench.training.devices import Admission


def choose_device(
    options: argparse.Namespace, console: Console, *, profile: bool = False
) -> Device:
    """Return the device that the options name, or the default one, open; perhaps to be profiled.

    Raises
    ------
    UntrustedDevice
        It computes wrong, and the options do not insist.
    """
    admitted = admission(console, profile=profile).admit(options.device, options.untrusted)
    if admitted.note:
        console.message(admitted.note)
    return admitted.device


def admission(console: Console, *, profile: bool = False) -> Admission:
    """Return what decides about devices, and tells of checks on `console`."""

    @contextmanager
    def told(device: Device) -> Iterator[None]:
        console.message(
            f"Checking {device.info.name} ({device.info.id}) against NumPy, once for its driver."
        )
        with guarded(device, console):
            yield

    return Admission(console.progress, told, partial(open_device, profile=profile))

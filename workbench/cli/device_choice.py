"""The device of a verb: compared with NumPy in what it is wanted for, and refused if it is wrong.

Responsible for what a person at a terminal is told of that; who is admitted is decided elsewhere.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workbench.cli.console import Console
from workbench.cli.guarding import guarded
from workbench.engine.backends.base import Device
from workbench.engine.backends.catalogue import open_device
from workbench.training.devices import Admission
from workbench.training.trial import Trial


def choose_device(
    options: argparse.Namespace,
    console: Console,
    trial: Callable[[], Trial] | None = None,
    *,
    profile: bool = False,
) -> Device:
    """Return the device that the options name, or the default one, open.

    Parameters
    ----------
    trial
        Makes what it is wanted for; None for anything.
    profile
        Whether it is to be profiled.

    Raises
    ------
    UntrustedDevice
        It computes wrong, and the options do not insist.
    """
    admitted = admission(console).admit(options.device, options.untrusted, trial)
    if admitted.note:
        console.message(admitted.note)
    return open_device(admitted.info.id, profile=profile)


def admission(console: Console) -> Admission:
    """Return what decides about devices, and tells of checks on `console`."""

    @contextmanager
    def told(device: Device) -> Iterator[None]:
        console.message(f"Checking {device.info.name} ({device.info.id}) against NumPy.")
        with guarded(device, console):
            yield

    return Admission(console.progress, told)

"""What every backend offers: devices, storage for shared variables, and plans bound to run.

Responsible for the protocol and the counters; knows no particular device.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs
import numpy as np

from workbench.engine.backends.watch import Watch
from workbench.engine.graph.variable import SharedVariable
from workbench.engine.lower.plan import Plan

#: Launches that a device remembers where it is profiled.
MOST_LAUNCHES = 100_000


@attrs.define
class Counters:
    """What a device has been asked to do since the counters began; they only grow."""

    kernels_launched: int = 0
    programs_compiled: int = 0
    #: Of these, those that this machine had compiled before, and its driver had kept.
    programs_known: int = 0
    buffers_allocated: int = 0
    buffers_released: int = 0
    bytes_allocated: int = 0
    bytes_released: int = 0
    bytes_to_device: int = 0
    bytes_from_device: int = 0

    @property
    def buffers_alive(self) -> int:
        """How many buffers take room on the device now."""
        return self.buffers_allocated - self.buffers_released

    @property
    def bytes_alive(self) -> int:
        """How many bytes they take together."""
        return self.bytes_allocated - self.bytes_released

    def snapshot(self) -> Counters:
        """Return a copy that stays as it is."""
        return attrs.evolve(self)


@attrs.frozen
class DeviceInfo:
    """One device as ``workbench devices`` lists it.

    `type` is ``cpu``, ``gpu``, ``accelerator`` or ``reference``.
    """

    id: str
    name: str
    platform: str
    type: str
    driver: str
    float64: bool
    compute_units: int
    memory_bytes: int


@attrs.frozen(eq=False)
class Launch:
    """One run of a kernel or a copy, by the device's own clock.

    Parameters
    ----------
    plan, steps
        What it is part of: a plan, and the numbers of the steps that it is or is part of.
    label
        What the kernel is called: the layers or lines that it came from.
    """

    plan: Plan
    steps: tuple[int, ...]
    label: str
    seconds: float


class Executable(Protocol):
    """A plan bound to a device: kernels built, buffers allocated, arguments set."""

    def enqueue(
        self, inputs: Sequence[np.ndarray], scalars: Sequence[np.generic], slot: int
    ) -> None:
        """Start one run without waiting for it.

        Parameters
        ----------
        inputs
            The arrays for the ``input`` buffers, of exactly the plan's shapes and dtypes, C order.
        scalars
            The host scalars, of the plan's `scalar_dtypes`.
        slot
            Which slot of the output rings receives the outputs, 0 to `slots` - 1.
        """

    def collect(self, slots: int) -> list[np.ndarray]:
        """Wait for everything enqueued and return the outputs.

        Each has a leading axis: its first `slots` slots.
        """


class Device(Protocol):
    """One device that runs plans. Only one thread may use it.

    Attributes
    ----------
    info, counters
        What it is, and what it has done.
    watch
        Tells any thread whether the device is being waited for.
    lost
        Whether it has failed for good: nothing but opening it anew is of any use.
    """

    info: DeviceInfo
    counters: Counters
    watch: Watch

    @property
    def lost(self) -> bool:
        """As the attributes say."""

    def place(self, shared: SharedVariable) -> None:
        """Make the device hold the shared variable's numbers, if it does not already."""

    def bind(self, plan: Plan, shared: Sequence[SharedVariable], slots: int) -> Executable:
        """Prepare `plan` to run on the placed shared variables, with output rings of `slots` slots.

        A shared variable whose storage was given another value of the same shape stays bound.

        Raises
        ------
        UnknownDevice
            The device lacks what the plan needs (float64).
        BuildFailed, OutOfMemory
            A kernel does not build, or memory does not suffice.
        DeviceLost
            The device has gone.
        """

    def finish(self) -> None:
        """Wait until all that was enqueued is done."""

    def launches(self) -> list[Launch]:
        """Return what has run since the last call, in order, and forget it.

        Waits for what was enqueued. Nothing, unless the device was opened to be profiled; of very
        many only the latest are remembered.
        """

"""OpenCL devices: where shared variables live and plans run.

Responsible for the device protocol; the driver's calls, kernels and launches are others' business.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import Any

from workbench.core.errors import UnknownDevice
from workbench.engine.backends.base import Counters, DeviceInfo, Launch
from workbench.engine.backends.opencl.driver import cl
from workbench.engine.backends.opencl.executable import OpenCLExecutable
from workbench.engine.backends.opencl.room import check_room
from workbench.engine.backends.opencl.runtime import DeviceStorage, Runtime, found_devices
from workbench.engine.backends.opencl.tunables import ProductFamily, Target
from workbench.engine.backends.opencl.tuned import stored
from workbench.engine.backends.watch import Watch
from workbench.engine.graph.variable import SharedVariable
from workbench.engine.lower.node import walk
from workbench.engine.lower.plan import Copy, Plan, Product, Repeat

_AVX512 = 'noinline, target("avx512f"), min_vector_width(512)'


class OpenCLDevice:
    """One OpenCL device. Only one thread may use it.

    Parameters
    ----------
    device, info
        The driver's device, and what we call it.
    product
        The family of matrix products; None for the one that suits the device.
    profiling
        Whether the queue records when kernels start and end, for `launches`.
    """

    def __init__(
        self,
        device: cl.Device,
        info: DeviceInfo,
        product: ProductFamily | None = None,
        *,
        profiling: bool = False,
    ) -> None:
        self.info = info
        self.runtime = Runtime(device, info, profiling=profiling)
        self.counters: Counters = self.runtime.counters
        self.watch: Watch = self.runtime.watch
        is_cpu = info.type == "cpu"
        family: ProductFamily = product or ("panels" if is_cpu else "tiles")
        local_memory = int(device.local_mem_size)
        self.target = Target(
            is_cpu=is_cpu,
            compute_units=info.compute_units,
            local_memory=local_memory,
            product=family,
            **_vectors(device, info),
            # Its scheduler (TBB) halves a range of them until each thread has a part.
            gives_rows_of_groups=is_cpu and info.id.startswith("intel:"),
            tuned=stored(info, family, local_memory),
        )

    @property
    def lost(self) -> bool:
        """Whether the driver has failed for good."""
        return self.runtime.lost

    def place(self, shared: SharedVariable) -> None:
        """Make the device hold the shared variable's numbers, if it does not already."""
        storage = shared.storage
        if not (isinstance(storage, DeviceStorage) and storage.runtime is self.runtime):
            name = shared.name or "a shared variable"
            shared.storage = DeviceStorage.holding(self.runtime, storage.read(), name)

    def bind(self, plan: Plan, shared: Sequence[SharedVariable], slots: int) -> OpenCLExecutable:
        """Prepare `plan` to run on the placed shared variables.

        Raises
        ------
        UnknownDevice
            The plan computes in float64 and the device does not.
        OutOfMemory, BuildFailed, DeviceLost
            Memory does not suffice, a kernel does not build, or the device has gone.
        """
        if not self.info.float64 and _needs_float64(plan):
            raise UnknownDevice(
                f"{self.info.id} ({self.info.name}) does not compute in float64.",
                "Use float32, or another device.",
            )
        check_room(plan, slots, self.runtime)
        return OpenCLExecutable(self.runtime, self.target, plan, shared, slots, self.place)

    def finish(self) -> None:
        """Wait until all that was enqueued is done."""
        self.runtime.finish()

    def launches(self) -> list[Launch]:
        """Return what has run since the last call, once all that was enqueued is done."""
        return self.runtime.launches()


def _vectors(device: cl.Device, info: DeviceInfo) -> dict[str, Any]:
    """Return what is known of vectors in the innermost loops of products."""
    if device.type != cl.device_type.CPU or device.native_vector_width_float < 16:
        return {}
    if info.id.startswith("intel:"):
        return {"registers": 32}
    # PoCL takes a processor that is newer than its compiler for an older one, and leaves its
    # AVX-512 unused unless asked for it.
    if info.id.startswith("pocl:") and platform.machine().lower() in ("x86_64", "amd64"):
        return {"registers": 32, "multiply": _AVX512}
    return {}


def _needs_float64(plan: Plan) -> bool:
    """Whether any number of the plan is a float64, in memory or on the way."""
    roots = []
    for step in plan.steps:
        if isinstance(step, Repeat):
            if _needs_float64(step.plan):
                return True
        elif not isinstance(step, Copy):
            roots += [store.value for store in step.stores]
        if isinstance(step, Product):
            roots.append(step.product)
    dtypes = {node.dtype for node in walk(roots)} | set(plan.scalar_dtypes)
    return "float64" in dtypes


def open_opencl(
    id: str, product: ProductFamily | None = None, *, profile: bool = False
) -> OpenCLDevice:
    """Return the device called `id`, opened.

    Raises
    ------
    UnknownDevice
        No device has that id.
    """
    for device, info in found_devices():
        if info.id == id:
            return OpenCLDevice(device, info, product, profiling=profile)
    raise UnknownDevice(f"There is no OpenCL device {id!r}.")


def list_opencl() -> list[DeviceInfo]:
    """Return every OpenCL device of this machine."""
    return [info for _, info in found_devices()]

"""A device that is lost, as when a graphics card is unplugged or its driver restarts."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from workbench.core.errors import DeviceLost
from workbench.engine.backends.base import Executable
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.graph.variable import HostStorage, SharedVariable
from workbench.engine.lower.plan import Plan


class FailingDevice(ReferenceDevice):
    """Computes until it is lost; what it held is lost with it.

    Attributes
    ----------
    lost
        Whether it does nothing but fail.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lost = False

    def check(self) -> None:
        """Raise DeviceLost if the device is lost."""
        if self.lost:
            raise DeviceLost("The device was lost.", "Try another device.")

    def place(self, shared: SharedVariable) -> None:
        """Take the numbers to the device."""
        self.check()
        storage = shared.storage
        if not (isinstance(storage, _Storage) and storage.device is self):
            shared.storage = _Storage(self, storage.read())

    def bind(self, plan: Plan, shared: Sequence[SharedVariable], slots: int) -> Executable:  # type: ignore[override]
        """Return the plan ready to run, or to fail."""
        self.check()
        return _Executable(self, super().bind(plan, shared, slots), shared)


class _Storage(HostStorage):
    def __init__(self, device: FailingDevice, value: np.ndarray) -> None:
        super().__init__(value)
        self.device = device

    def read(self) -> np.ndarray:
        self.device.check()
        return super().read()

    def write(self, value: np.ndarray) -> None:
        self.device.check()
        super().write(value)


@attrs.frozen(eq=False)
class _Executable:
    device: FailingDevice
    inner: Executable
    shared: Sequence[SharedVariable]

    def enqueue(
        self, inputs: Sequence[np.ndarray], scalars: Sequence[np.generic], slot: int
    ) -> None:
        self.device.check()
        for variable in self.shared:
            self.device.place(variable)
        self.inner.enqueue(inputs, scalars, slot)

    def collect(self, slots: int) -> list[np.ndarray]:
        self.device.check()
        return self.inner.collect(slots)

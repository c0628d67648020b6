"""Theano's configuration: the dtype of what is made without one, and the device.

Responsible for the two settings and for the open devices; knows nothing of expressions.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

from workbench.core.errors import NotSupported
from workbench.engine.backends.base import Device
from workbench.engine.backends.catalogue import default_device, open_device
from workbench.engine.graph.promotion import DEFAULTS

#: Settings that chose how Theano went about its work, never what came out; they have no effect.
_WITHOUT_EFFECT = ("allow_gc", "cxx", "exception_verbosity", "mode", "optimizer", "profile")


class Config:
    """The settings; ``config`` is the one there is."""

    def __init__(self) -> None:
        self._device: str | None = None
        self._open: dict[str, Device] = {}

    @property
    def floatX(self) -> str:  # noqa: N802 - Theano's name
        """The dtype of variables and tensors that are made without one."""
        return DEFAULTS.float_dtype

    @floatX.setter
    def floatX(self, dtype: str) -> None:  # noqa: N802
        if dtype not in ("float32", "float64"):
            raise NotSupported(
                f"config.floatX cannot be {dtype!r}.", 'Choose "float32" or "float64".'
            )
        DEFAULTS.float_dtype = dtype

    @property
    def device(self) -> str:
        """The id of the device that functions are compiled for, such as ``pocl:0``."""
        return self._device or default_device()

    @device.setter
    def device(self, id: str | None) -> None:
        """Choose a device; None goes back to the default."""
        if id is not None:
            self._opened(id)
        self._device = id

    def opened(self) -> Device:
        """Return the device, open."""
        if self.device == "reference" and not (
            self._device or os.environ.get("WORKBENCH_DEVICE") or "reference" in self._open
        ):
            warnings.warn(
                "No OpenCL driver was found: functions run in NumPy, on the device 'reference'.",
                stacklevel=3,
            )
        return self._opened(self.device)

    def _opened(self, id: str) -> Device:
        if id not in self._open:
            self._open[id] = open_device(id)
        return self._open[id]

    def __getattr__(self, name: str) -> str:
        """Read what has no effect; refuse anything else."""
        if name in _WITHOUT_EFFECT:
            return ""
        if name == "compute_test_value":
            return "off"
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotSupported(f"There is no config.{name}.", "There are floatX and device.")

    def __setattr__(self, name: str, value: Any) -> None:
        """Set what there is; what has no effect is passed over, anything else refused."""
        if name.startswith("_") or name in ("floatX", "device"):
            super().__setattr__(name, value)
        elif name == "compute_test_value" and value != "off":
            raise NotSupported(
                f"config.compute_test_value cannot be {value!r}.",
                "Compile a function and call it with small arrays.",
            )
        elif name not in (*_WITHOUT_EFFECT, "compute_test_value"):
            raise NotSupported(f"There is no config.{name}.", "There are floatX and device.")


config = Config()

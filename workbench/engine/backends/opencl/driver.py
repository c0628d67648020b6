"""The one place that imports pyopencl, after the drivers have been announced to it.

Responsible for the import alone; every other module of the backend takes ``cl`` from here.
"""

from __future__ import annotations

from workbench.engine.backends.opencl.vendors import announce_drivers

announce_drivers()

import pyopencl as cl  # noqa: E402 - the drivers must have been announced

__all__ = ["cl"]

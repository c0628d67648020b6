"""What the machine is, and the best that it can do.

Responsible for the processor's name and for the peak of one device; knows nothing of turns.
"""

from __future__ import annotations

import platform
import time
from pathlib import Path

import numpy as np

from workbench.engine.backends.base import Device
from workbench.engine.function import function
from workbench.engine.graph.variable import shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

#: Rows and columns of the matrices whose product is timed, and how often it is.
_SIDE, _TIMES = 1024, 5


def processor() -> str:
    """Return what the processor is called."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def measured_peak(device: Device, precision: str) -> float:
    """Return the GFLOP/s of the best product that the device, or NumPy beside it, makes now."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((_SIDE, _SIDE)).astype(precision) for _ in range(2))
    left, right, product = (shared(x) for x in (a, b, np.zeros_like(a)))
    ours = function([], [], updates=[(product, T.dot(left, right))], device=device)
    room = np.empty_like(a)
    times = []
    for _ in range(_TIMES):
        for multiply in (ours, lambda: np.matmul(a, b, out=room)):
            began = time.perf_counter()
            multiply()
            times.append(time.perf_counter() - began)
    return float(2 * _SIDE**3 / min(times) / 1e9)

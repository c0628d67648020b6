"""Numbers in kernel text are the very numbers, bit for bit, in every dtype."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.engine.backends.opencl.codegen.arguments import (
    Arguments,
    BufferArgument,
)
from workbench.engine.backends.opencl.codegen.ctypes import highest, literal, lowest
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.backends.opencl.driver import cl
from workbench.engine.graph.types import C_TYPES, DTYPES
from workbench.engine.lower.plan import Buffer


def numbers(dtype: str) -> list[np.generic]:
    kind = np.dtype(dtype).type
    if dtype == "bool":
        return [kind(False), kind(True)]
    if not dtype.startswith("float"):
        limits = np.iinfo(dtype)
        return [kind(i) for i in (limits.min, limits.min // 2, 0, 1, 100, limits.max)]
    limits = np.finfo(dtype)
    plain = [0.0, -0.0, 1.0, -1.5, 0.1, 1 / 3, 1 / 256, 123456789.0, np.pi, -2.5e-7]
    edges = [limits.tiny, limits.max, limits.min, limits.eps, np.inf, -np.inf, np.nan]
    return [kind(x) for x in (*plain, *edges)]


def computed(device: OpenCLDevice, dtype: str, texts: list[str]) -> np.ndarray:
    """Return what a kernel makes of the texts."""
    arguments = Arguments([Buffer(0, "temp", -1, (len(texts),), dtype)])
    pointer = arguments.buffer(0, write=True)
    body = [f"{pointer}[{i}] = {t};" for i, t in enumerate(texts)]
    kernel = arguments.kernel("literals", body, ((1,), (1,)), "", len(texts))
    assert kernel.arguments == (BufferArgument(0),)
    device.runtime.build([kernel])
    made = device.runtime.kernel(kernel)
    memory = device.runtime.allocate(len(texts) * np.dtype(dtype).itemsize, "numbers")
    made.set_args(memory)
    cl.enqueue_nd_range_kernel(device.runtime.queue, made, (1,), (1,))
    return device.runtime.download(memory, (len(texts),), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_literals_arrive_as_they_were(device: OpenCLDevice, dtype: str) -> None:
    if dtype == "float64" and not device.info.float64:
        pytest.skip("no float64")
    expected = np.array(numbers(dtype))
    found = computed(device, dtype, [literal(x) for x in numbers(dtype)])
    same = found.view(np.uint8) == expected.view(np.uint8)
    nan = np.isnan(expected.astype("float64"))
    assert same.reshape(len(expected), -1).all(axis=1)[~nan].all()
    assert np.isnan(found[nan].astype("float64")).all()


@pytest.mark.parametrize("dtype", sorted(C_TYPES))
def test_extremes_are_those_of_the_type(device: OpenCLDevice, dtype: str) -> None:
    if dtype == "float64" and not device.info.float64:
        pytest.skip("no float64")
    low, high = computed(device, dtype, [lowest(dtype), highest(dtype)])
    if dtype.startswith("float"):
        assert (low, high) == (-np.inf, np.inf)
    elif dtype == "bool":
        assert (low, high) == (False, True)
    else:
        assert (low, high) == (np.iinfo(dtype).min, np.iinfo(dtype).max)

"""Every OpenCL device of the machine, in both families of products and both precisions."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from workbench.engine.backends.opencl.device import OpenCLDevice, list_opencl, open_opencl
from workbench.engine.backends.opencl.tunables import ProductFamily

IDS = [info.id for info in list_opencl()]


@cache
def opened(id: str, family: ProductFamily | None = None) -> OpenCLDevice:
    """Return one device a run of the tests, so that equal kernels are built once."""
    return open_opencl(id, family)


@pytest.fixture(params=IDS or [pytest.param("none", marks=pytest.mark.skip("no OpenCL driver"))])
def device(request: pytest.FixtureRequest) -> OpenCLDevice:
    """Return each device in turn."""
    return opened(request.param)


@pytest.fixture(params=["panels", "tiles"])
def product_device(device: OpenCLDevice, request: pytest.FixtureRequest) -> OpenCLDevice:
    """Return each device in turn with each family of products."""
    return opened(device.info.id, request.param)


@pytest.fixture
def panels_device(device: OpenCLDevice) -> OpenCLDevice:
    """Return each device in turn, multiplying as CPUs do."""
    return opened(device.info.id, "panels")


@pytest.fixture
def tiles_device(device: OpenCLDevice) -> OpenCLDevice:
    """Return each device in turn, multiplying as GPUs do."""
    return opened(device.info.id, "tiles")


@pytest.fixture(params=["float32", "float64"])
def precision(device: OpenCLDevice, request: pytest.FixtureRequest) -> str:
    """Return each dtype that the device computes in."""
    if request.param == "float64" and not device.info.float64:
        pytest.skip(f"{device.info.id} does not compute in float64")
    return str(request.param)


@pytest.fixture
def rng() -> np.random.Generator:
    """Return numbers that are the same in every run."""
    return np.random.default_rng(20)

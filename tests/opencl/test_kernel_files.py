"""The files in kernels/: each builds alone, and the products compute what generated ones do."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from workbench.core.resources import kernel_names, kernel_text
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.backends.opencl.driver import cl
from workbench.engine.backends.opencl.runtime import OPTIONS
from workbench.engine.backends.opencl.tunables import GroupTile
from workbench.engine.function import function
from workbench.engine.graph.variable import shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it


def built(device: OpenCLDevice, name: str, options: str = "") -> cl.Program:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cl.Program(device.runtime.context, kernel_text(name)).build(f"{OPTIONS} {options}")


@pytest.mark.parametrize("name", kernel_names())
def test_each_builds_alone(device: OpenCLDevice, name: str) -> None:
    built(device, name)


Shape3 = tuple[int, int, int]
SHAPES: list[Shape3] = [(7, 5, 3), (48, 64, 512), (101, 77, 1030), (3, 4, 0)]


def run(
    device: OpenCLDevice,
    name: str,
    shape: Shape3,
    groups: tuple[tuple[int, int], tuple[int, int]],
    *extra: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Multiply random matrices by the kernel of a file; return both and the product."""
    m, n, k = shape
    rng = np.random.default_rng(7)
    a, b = rng.standard_normal((m, k), "float32"), rng.standard_normal((k, n), "float32")
    runtime = device.runtime
    buffers = [runtime.allocate(4 * rows * columns, name) for rows, columns in ((m, k), (k, n))]
    for buffer, array in zip(buffers, (a, b), strict=True):
        runtime.upload(buffer, array)
    result = runtime.allocate(4 * m * n, name)
    kernel = cl.Kernel(built(device, name), name.removesuffix(".cl"))
    kernel.set_args(*buffers, result, *(np.int32(i) for i in (m, n, k, *extra)))
    cl.enqueue_nd_range_kernel(runtime.queue, kernel, *groups)
    return a, b, runtime.download(result, (m, n), "float32")


def generated(device: OpenCLDevice, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    result: np.ndarray = function([], T.dot(shared(a), shared(b)), device=device)()
    return result


@pytest.mark.parametrize("shape", SHAPES)
def test_panels_are_what_is_generated(panels_device: OpenCLDevice, shape: Shape3) -> None:
    m, n, _ = shape
    run_rows = 18
    groups = (-(-n // 64), -(-m // run_rows))
    a, b, result = run(panels_device, "matmul_panels.cl", shape, (groups, (1, 1)), run_rows)
    np.testing.assert_array_equal(result, generated(panels_device, a, b))
    np.testing.assert_allclose(result, a @ b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_tiles_are_what_is_generated(tiles_device: OpenCLDevice, shape: Shape3) -> None:
    m, n, _ = shape
    tile = GroupTile()
    local = (tile.group_columns, tile.group_rows)
    groups = (-(-n // (tile.columns * local[0])), -(-m // (tile.rows * local[1])))
    size = (groups[0] * local[0], groups[1] * local[1])
    a, b, result = run(tiles_device, "matmul_tiles.cl", shape, (size, local))
    np.testing.assert_array_equal(result, generated(tiles_device, a, b))
    np.testing.assert_allclose(result, a @ b, rtol=1e-4, atol=1e-4)

"""Sums down the columns of matrices, several columns at a time."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.engine.backends.opencl.codegen import loops
from workbench.engine.backends.opencl.codegen.arguments import Kernel
from workbench.engine.backends.opencl.codegen.program import generate
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.function import Function, function
from workbench.engine.graph.variable import Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

#: Rows around the ends of blocks (256), columns around those of strips (16) and of groups.
SHAPES = [(1, 16), (2, 17), (5, 31), (255, 32), (256, 33), (300, 16), (700, 100), (600, 1000)]


def texts(f: Function, device: OpenCLDevice) -> str:
    work = generate(f.plans[0], device.target)
    return "".join(kernel.text for kernel in work if isinstance(kernel, Kernel))


def outputs(x: np.ndarray, bias: np.ndarray) -> list[Variable]:
    matrix, vector = shared(x), shared(bias)
    sums = T.sum(matrix, axis=0)
    return [
        sums,
        vector - x.dtype.type(0.5) * sums,
        T.sum(matrix * vector, axis=0) + T.sum(T.exp(matrix) * vector, axis=0),
    ]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sums_are_right_and_the_same_as_column_by_column(
    device: OpenCLDevice,
    precision: str,
    shape: tuple[int, int],
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = rng.standard_normal(shape).astype(precision)
    bias = rng.standard_normal(shape[1]).astype(precision)
    f = function([], outputs(x, bias), device=device)
    found = f()
    assert ("strip" in texts(f, device)) is device.target.is_cpu
    a, b = x.astype("float64"), bias.astype("float64")
    expected = [a.sum(0), b - 0.5 * a.sum(0), (a * b).sum(0) + (np.exp(a) * b).sum(0)]
    tolerance = {"float32": 2e-6, "float64": 2e-14}[precision]
    for result, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(result, right, rtol=tolerance, atol=tolerance * shape[0])
    monkeypatch.setattr(loops, "column_sums", lambda *_: [])
    plain = function([], outputs(x, bias), device=device)
    # Of the others compilers choose where they contract a product and a sum.
    np.testing.assert_array_equal(plain()[0].view(np.uint8), found[0].view(np.uint8))
    assert "strip" not in texts(plain, device)


def test_whole_numbers_are_summed_in_their_wide_type(
    device: OpenCLDevice, rng: np.random.Generator
) -> None:
    x = rng.integers(0, 256, (300, 40), "uint8")
    f = function([], T.sum(shared(x), axis=0), device=device)
    np.testing.assert_array_equal(f(), x.sum(0, dtype="int64"))


@pytest.mark.parametrize(
    "expression",
    [
        lambda m: T.sum(m.T, axis=0),
        lambda m: T.max(m, axis=0),
        lambda m: T.sum(m, axis=0, keepdims=True),
        lambda m: T.sum(m[:, :15], axis=0),
        lambda m: T.sum(T.reshape(m, (20, 2, 20)), axis=0),
    ],
)
def test_nothing_else_is_cut_into_strips(device: OpenCLDevice, expression: object) -> None:
    values = np.arange(800.0).reshape(20, 40)
    matrix = shared(values)
    assert callable(expression)
    f = function([], expression(matrix), device=device)
    found = f()
    assert "strip" not in texts(f, device)
    assert found.size  # the values are checked where folds of every kind are


def test_a_sum_that_needs_another_waits_for_it(
    device: OpenCLDevice, rng: np.random.Generator
) -> None:
    x = rng.standard_normal((37, 20))
    matrix = shared(x)
    centred = matrix - T.sum(matrix, axis=0) / 37
    found = function([], T.sum(centred * centred, axis=0), device=device)()
    np.testing.assert_allclose(found, ((x - x.mean(0)) ** 2).sum(0), rtol=1e-12)

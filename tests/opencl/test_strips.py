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


#: Each with what NumPy makes of it, for a matrix of 50 x 40 and an order of 40.
ELSEWHERE = {
    "backwards": (lambda m, _: T.sum(m, axis=0)[::-1], lambda m, _: m.sum(0)[::-1]),
    "here and backwards": (
        lambda m, _: T.sum(m, axis=0) + T.sum(m, axis=0)[::-1],
        lambda m, _: m.sum(0) + m.sum(0)[::-1],
    ),
    "in an order": (lambda m, o: T.sum(m, axis=0)[o], lambda m, o: m.sum(0)[o]),
    "of columns in an order": (lambda m, o: T.sum(m[:, o], axis=0), lambda m, o: m[:, o].sum(0)),
    "function in an order": (
        lambda m, o: T.exp(T.sum(m, axis=0) / 10)[o] + T.sum(m, axis=0),
        lambda m, o: np.exp(m.sum(0) / 10)[o] + m.sum(0),
    ),
    "one after the other": (
        lambda m, _: T.concatenate([T.sum(m, axis=0)[30:], T.sum(m * m, axis=0)[:30]]),
        lambda m, _: np.concatenate([m.sum(0)[30:], (m * m).sum(0)[:30]]),
    ),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_row_may_need_the_sums_of_other_columns(
    device: OpenCLDevice, name: str, rng: np.random.Generator
) -> None:
    m, order = rng.standard_normal((50, 40)), rng.permutation(40)
    ours, right = ELSEWHERE[name]
    found = function([], ours(shared(m), shared(order)), device=device)()
    np.testing.assert_allclose(found, right(m, order), rtol=1e-12, atol=1e-12)


#: What is no sum down columns, or is one of which each row would compute again what a column has.
OTHERS = {
    "rows": (lambda m: T.sum(m.T, axis=0), lambda m: m.sum(1)),
    "highest": (lambda m: T.max(m, axis=0), lambda m: m.max(0)),
    "kept axis": (lambda m: T.sum(m, axis=0, keepdims=True), lambda m: m.sum(0, keepdims=True)),
    "few columns": (lambda m: T.sum(m[:, :15], axis=0), lambda m: m[:, :15].sum(0)),
    "variance": (lambda m: T.var(m, axis=0), lambda m: m.var(0)),
    "below the highest": (
        lambda m: T.sum(T.exp(m - T.max(m, axis=0)), axis=0),
        lambda m: np.exp(m - m.max(0)).sum(0),
    ),
    "dear for a column": (
        lambda m: T.sum(m / T.sqrt(m[0] * m[0] + 1), axis=0),
        lambda m: (m / np.sqrt(m[0] * m[0] + 1)).sum(0),
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_nothing_else_is_cut_into_strips(
    device: OpenCLDevice, name: str, rng: np.random.Generator
) -> None:
    ours, right = OTHERS[name]
    values = rng.standard_normal((20, 40))
    f = function([], ours(shared(values)), device=device)
    np.testing.assert_allclose(f(), right(values), rtol=1e-12)
    # The sum of a variance that stands alone may be.
    inner = name == "variance" and len(f.plans[0].steps) > 1
    assert "strip" not in texts(f, device) or inner

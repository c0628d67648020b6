"""Loop kernels: reductions of every kind and length, layouts of loops, and what is hoisted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from workbench.engine.backends.opencl.codegen.arguments import Kernel, ScratchArgument
from workbench.engine.backends.opencl.codegen.program import generate
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.function import Function, function
from workbench.engine.graph.grad import grad
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

#: Around the ends of blocks (256) and of what is split into parts (4096).
LENGTHS = [1, 2, 255, 256, 257, 4095, 4096, 5000]
FOLDS: dict[str, Callable[..., Any]] = {
    "sum": np.sum,
    "prod": np.prod,
    "max": np.max,
    "min": np.min,
    "argmax": np.argmax,
    "argmin": np.argmin,
    "any": np.any,
    "all": np.all,
}
TOLERANCE = {"float32": 1e-6, "float64": 1e-14}


def kernels(f: Function, device: OpenCLDevice) -> list[Kernel]:
    return [kernel for kernel in generate(f.plans[0], device.target) if isinstance(kernel, Kernel)]


def agree(found: np.ndarray, expected: np.ndarray, size: float = 1) -> None:
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if found.dtype.kind == "f":
        tolerance = TOLERANCE[found.dtype.name]
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * size)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("fold", FOLDS)
def test_folds_of_every_length(
    device: OpenCLDevice, precision: str, fold: str, rng: np.random.Generator
) -> None:
    for length in LENGTHS:
        x = rng.standard_normal((length, 3)).astype(precision)
        if fold == "prod":
            # Products of these are exact.
            x = rng.choice([-1, 1, -0.5, 2], (length, 3), p=[0.49, 0.49, 0.01, 0.01]).astype(
                precision
            )
        v = shared(x)
        reduce = getattr(T, fold)
        outputs = [reduce(v, axis=0), reduce(v, axis=1), reduce(v)]
        found = function([], outputs, device=device)()
        numpy = FOLDS[fold]
        for result, axis in zip(found, (0, 1, None), strict=True):
            expected = np.asarray(numpy(x.astype("float64"), axis=axis), result.dtype)
            agree(result, expected, np.abs(x).sum() if fold == "sum" else 1)


@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2), ()])
def test_any_axes_of_three(
    device: OpenCLDevice, axes: tuple[int, ...], rng: np.random.Generator
) -> None:
    for shape in ((3, 5, 7), (300, 2, 300), (1, 1, 4200)):
        x = rng.random(shape)
        for keepdims in (False, True):
            found = function([], T.sum(shared(x), axis=axes, keepdims=keepdims), device=device)()
            expected = np.asarray(x.sum(axis=axes, keepdims=keepdims))
            np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("length", [6, 9000])
@pytest.mark.parametrize("fold", ["max", "min", "argmax", "argmin", "sum"])
def test_nan_is_passed_on(device: OpenCLDevice, fold: str, length: int) -> None:
    x = np.ones((3, length), "float32")
    x[1, length // 2] = np.nan
    x[2] = np.nan
    found = function([], getattr(T, fold)(shared(x), axis=1), device=device)()
    np.testing.assert_array_equal(found, FOLDS[fold](x, axis=1))


@pytest.mark.parametrize("fold", ["argmax", "argmin"])
def test_the_first_of_equals_wins(device: OpenCLDevice, fold: str) -> None:
    x = np.array([[2, 1, 2, 1], [0, 0, 0, 0], [-np.inf] * 4, [np.inf] * 4])
    found = function([], getattr(T, fold)(shared(x), axis=1), device=device)()
    np.testing.assert_array_equal(found, FOLDS[fold](x, axis=1))


def test_empty_axes_fold_to_what_a_fold_starts_from(device: OpenCLDevice) -> None:
    x = shared(np.zeros((3, 0)))
    outputs = [T.sum(x, axis=1), T.prod(x), T.any(x, axis=1), T.all(x, axis=1), T.sum(x, axis=0)]
    found = function([], outputs, device=device)()
    expected: list[Any] = [[0] * 3, 1, [False] * 3, [True] * 3, []]
    for result, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(result, wanted)


def test_long_sums_are_accurate(device: OpenCLDevice, rng: np.random.Generator) -> None:
    x = rng.random((100_000, 2), "float32")
    exact = x.astype("float64").sum(axis=0)
    assert np.abs(np.add.accumulate(x)[-1] / exact - 1).max() > 1e-6
    found = function([], T.sum(shared(x), axis=0), device=device)()
    np.testing.assert_allclose(found, exact, rtol=3e-7)
    rows = function([], T.sum(shared(x.T.copy()), axis=1), device=device)()
    np.testing.assert_allclose(rows, exact, rtol=3e-7)


def test_long_folds_of_few_rows_are_split(device: OpenCLDevice) -> None:
    x = shared(np.ones((5000, 10)))
    f = function([], T.mean(x, axis=0) + T.max(x, axis=0), device=device)
    np.testing.assert_array_equal(f(), np.full(10, 2.0))
    first, last = kernels(f, device)
    parts = {a for a in first.written if isinstance(a, ScratchArgument)}
    assert len(parts) == 2
    assert parts <= set(last.arguments)
    short = function([], T.mean(shared(np.ones((4000, 10))), axis=0), device=device)
    short()
    assert len(kernels(short, device)) == 1


def test_a_long_fold_of_what_a_long_fold_gave(
    device: OpenCLDevice, rng: np.random.Generator
) -> None:
    x = rng.random(9000)
    found = function([], T.std(shared(x)), device=device)()
    np.testing.assert_allclose(found, x.std(), rtol=1e-13)


@pytest.mark.parametrize("classes", [1, 10, 33])
@pytest.mark.parametrize("rows", [1, 7, 128, 1000])
def test_softmax_with_its_loss_and_derivative(
    device: OpenCLDevice, precision: str, rows: int, classes: int, rng: np.random.Generator
) -> None:
    z = (5 * rng.standard_normal((rows, classes))).astype(precision)
    y = rng.integers(0, classes, rows)
    logits, labels = shared(z), shared(y)
    p = T.softmax(logits)
    score = T.mean(T.log(p)[T.arange(rows), labels])
    found = function([], [p, score, grad(score, logits)], device=device)()
    e = np.exp(z.astype("float64") - z.max(axis=1, keepdims=True))
    probabilities = e / e.sum(axis=1, keepdims=True)
    hot = np.eye(classes)[y]
    expected = [
        probabilities,
        np.log(probabilities)[np.arange(rows), y].mean(),
        (hot - probabilities) / rows,
    ]
    for result, wanted in zip(found, expected, strict=True):
        agree(result, np.asarray(wanted, precision))


def test_rows_of_every_rank(device: OpenCLDevice, rng: np.random.Generator) -> None:
    shapes = [(), (1,), (1000,), (1, 1000), (1000, 1), (70, 3, 11), (2, 3, 4, 5), (0, 3), (3, 0)]
    for shape in shapes:
        x = rng.standard_normal(shape)
        v = shared(x)
        results = function([], [v * 2 + 1, T.transpose(v) - 1], device=device)()
        np.testing.assert_array_equal(results[0], x * 2 + 1)
        np.testing.assert_array_equal(results[1], x.T - 1)


def test_broadcasting_reads_a_row_once(device: OpenCLDevice, rng: np.random.Generator) -> None:
    a, b = rng.standard_normal((1000, 1)), rng.standard_normal((1, 50))
    column, row = shared(a, broadcastable=(False, True)), shared(b, broadcastable=(True, False))
    f = function([], T.exp(column) + T.exp(row), device=device)
    np.testing.assert_allclose(f(), np.exp(a) + np.exp(b), rtol=1e-14)


def test_a_ragged_batch_builds_nothing(device: OpenCLDevice, rng: np.random.Generator) -> None:
    data, y = shared(rng.standard_normal((1000, 10))), shared(rng.integers(0, 10, 1000))
    start, count = Variable(TensorType("int64")), Variable(TensorType("int64"))
    rows = data[start : start + count]
    score = T.log(T.softmax(rows))[T.arange(count), y[start : start + count]]
    f = function([start, count], [T.mean(score), T.sum(rows, axis=0)], device=device)
    f(0, 128)
    before = device.counters.snapshot()
    mean, total = f(128, 77)
    assert device.counters.programs_compiled == before.programs_compiled
    z, t = data.get_value()[128:205], y.get_value()[128:205]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(mean, np.log(p)[np.arange(77), t].mean(), rtol=1e-12)
    np.testing.assert_allclose(total, z.sum(axis=0), rtol=1e-12)


def test_indices_out_of_range_read_nothing_else(device: OpenCLDevice) -> None:
    # A device cannot raise; it must stay inside the array all the same.
    x = shared(np.arange(5.0))
    at = Variable(TensorType("int64", (False,)))
    f = function([at], x[at], device=device)
    found = f(np.array([-(2**62), -6, -1, 4, 5, 2**62]))
    assert np.isin(found, x.get_value()).all()
    np.testing.assert_array_equal(found[2:4], [4, 4])

"""Softmax regression and its kin in one pass over the rows: what is taken, and that it is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from workbench.engine.backends.opencl.codegen.program import generate
from workbench.engine.backends.opencl.codegen.rowpass import find_pass
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import Function, function
from workbench.engine.graph.grad import grad
from workbench.engine.graph.variable import Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

#: From the sum of squared errors of a few hundred rows: (rows + columns) roundings of unit size.
TOLERANCE = {"float32": 2e-4, "float64": 1e-12}

Cost = Callable[[Variable, Any, Any], Variable]


def likelihood(z: Variable, labels: Any, targets: Any) -> Variable:
    del targets
    return T.mean(T.log(T.softmax(z))[T.arange(labels.shape[0]), labels])


def squares(z: Variable, labels: Any, targets: Any) -> Variable:
    del labels
    return T.sum((T.softmax(z) - targets) ** 2)


def step(
    cost: Cost, device: Any, n: int, k: int, m: int, dtype: str, images: bool
) -> tuple[Function, list[Any]]:
    rng = np.random.default_rng(n + 7 * k + m)
    rows = rng.integers(0, 256, (n, k), dtype=np.uint8) if images else rng.standard_normal((n, k))
    data = shared(rows if images else rows.astype(dtype))
    labels = shared(rng.integers(0, m, n).astype(np.int32))
    targets = shared(rng.standard_normal((n, m)).astype(dtype))
    weight = shared((rng.standard_normal((k, m)) / k).astype(dtype))
    bias = shared(rng.standard_normal(m).astype(dtype))
    x = T.cast(data, dtype) * np.asarray(1 / 256, dtype) if images else data
    value = cost(T.dot(x, weight) + bias, labels, targets)
    slopes = grad(value, [weight, bias])
    updates = [
        (p, p + np.asarray(0.1, dtype) * s) for p, s in zip((weight, bias), slopes, strict=True)
    ]
    return function([], value, updates=updates, device=device), [weight, bias]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("cost", "n", "k", "m", "images"),
    [
        (likelihood, 256, 5, 10, True),
        (likelihood, 1331, 49, 10, True),
        (likelihood, 2100, 9, 2, False),
        (squares, 397, 33, 16, False),
        (squares, 500, 20, 17, True),
        (squares, 300, 3, 32, False),
    ],
)
def test_one_pass_agrees_with_the_reference(
    device: OpenCLDevice, cost: Cost, n: int, k: int, m: int, images: bool, dtype: str
) -> None:
    ours, parameters = step(cost, device, n, k, m, dtype, images)
    reference, expected = step(cost, ReferenceDevice(), n, k, m, "float64", images)
    for _ in range(2):
        np.testing.assert_allclose(ours(), reference(), rtol=TOLERANCE[dtype])
    assert find_pass(ours.plans[0], 0) is not None
    if device.target.is_cpu:
        assert len(generate(ours.plans[0], device.target)) == 2
    for found, wanted in zip(parameters, expected, strict=True):
        scale = np.abs(wanted.get_value()).max()
        np.testing.assert_allclose(
            found.get_value(), wanted.get_value(), rtol=0, atol=TOLERANCE[dtype] * scale
        )


def test_missing_rows_of_a_block_add_nothing(device: OpenCLDevice) -> None:
    # 257 rows leave blocks that are not full; what stands for missing rows must not count.
    f, (weight, _) = step(squares, device, 257, 4, 3, "float64", images=False)
    g, (expected, _) = step(squares, ReferenceDevice(), 257, 4, 3, "float64", images=False)
    f()
    g()
    np.testing.assert_allclose(weight.get_value(), expected.get_value(), rtol=1e-12)


def test_a_row_that_looks_at_others_is_no_pass(device: OpenCLDevice) -> None:
    rng = np.random.default_rng(0)
    x, w = (shared(rng.standard_normal(shape)) for shape in ((280, 6), (6, 4)))
    z = T.dot(x, w)
    value = T.sum(T.softmax(z) * z[::-1])
    slope = grad(value, w)
    f = function([], value, updates=[(w, w + slope)], device=device)
    wanted = function([], slope, device=ReferenceDevice())()
    before = w.get_value()
    f()
    np.testing.assert_allclose(w.get_value() - before, wanted, rtol=1e-9, atol=1e-9)
    assert find_pass(f.plans[0], 0) is None


def test_rows_that_are_wanted_themselves_are_stored(device: OpenCLDevice) -> None:
    rng = np.random.default_rng(0)
    x, w = (shared(rng.standard_normal(shape)) for shape in ((280, 6), (6, 4)))
    old = w.get_value()
    p = T.softmax(T.dot(x, w))
    f = function([], p, updates=[(w, w + grad(T.sum(p * p), w))], device=device)
    e = np.exp(x.get_value() @ old)
    np.testing.assert_allclose(f(), e / e.sum(1, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("hidden", "classes"), [(20, 10), (7, 3), (32, 17)])
def test_a_network_of_narrow_layers_is_one_pass(
    device: OpenCLDevice, hidden: int, classes: int, dtype: str
) -> None:
    def network(on: Any, dtype: str) -> tuple[Function, list[Any]]:
        rng = np.random.default_rng(hidden)
        data = shared(rng.integers(0, 256, (613, 4, 11), dtype=np.uint8))
        labels = shared(rng.integers(0, classes, 613).astype(np.int32))
        shapes = [(44, hidden), (hidden,), (hidden, hidden), (hidden, classes), (classes,)]
        w, b, u, v, c = (shared((rng.standard_normal(s) / 8).astype(dtype)) for s in shapes)
        x = T.cast(T.reshape(data, (613, 44)), dtype) * np.asarray(1 / 256, dtype)
        first = T.tanh(T.dot(x, w) + b)
        z = T.dot(T.relu(T.dot(first, u)), v) + c
        score = T.mean(T.log(T.softmax(z))[T.arange(labels.shape[0]), labels])
        right = T.mean(T.eq(T.argmax(z, axis=1), labels))
        parameters = [w, b, u, v, c]
        rate = np.asarray(0.5, dtype)
        slopes = grad(score, parameters)
        updates = [(p, p + rate * s) for p, s in zip(parameters, slopes, strict=True)]
        return function([], [score, right], updates=updates, device=on), parameters

    ours, found = network(device, dtype)
    reference, wanted = network(ReferenceDevice(), "float64")
    for _ in range(2):
        for value, expected in zip(ours(), reference(), strict=True):
            np.testing.assert_allclose(value, expected, rtol=TOLERANCE[dtype])
    if device.target.is_cpu:
        assert len(generate(ours.plans[0], device.target)) == 2
    for p, q in zip(found, wanted, strict=True):
        scale = np.abs(q.get_value()).max()
        difference = np.abs(p.get_value() - q.get_value()).max()
        assert difference <= TOLERANCE[dtype] * scale


@pytest.mark.parametrize("wild", [np.inf, np.nan])
@pytest.mark.parametrize("where", ["weight", "target"])
def test_empty_columns_of_images_are_left_out_unless_it_shows(
    device: OpenCLDevice, where: str, wild: float
) -> None:
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (300, 12), dtype=np.uint8)
    images[:, 5] = 0
    images[7] = 0
    weight, targets = rng.standard_normal((12, 4)), rng.standard_normal((300, 4))
    if where == "weight":
        weight[5, 1] = wild
    elif where == "target":
        targets[7, 2] = wild

    def step(on: Any) -> np.ndarray:
        w = shared(weight)
        value = squares(T.dot(T.cast(shared(images), "float64") / 8, w), None, shared(targets))
        f = function([], value, updates=[(w, w + grad(value, w))], device=on)
        f()
        assert find_pass(f.plans[0], 0) is not None
        return w.get_value()

    expected = step(ReferenceDevice())
    assert not np.isfinite(expected[5]).all()
    np.testing.assert_allclose(step(device), expected, rtol=1e-11)

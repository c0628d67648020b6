"""Kernels that share a launch: which do, which must not, and that results stay the same."""

from __future__ import annotations

import re

import attrs
import numpy as np
import pytest

from workbench.engine.backends.opencl.codegen.arguments import Kernel
from workbench.engine.backends.opencl.codegen.program import generate
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.function import Function, function
from workbench.engine.graph.grad import grad
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

RNG = np.random.default_rng(3)


def launches(f: Function, device: OpenCLDevice) -> list[Kernel]:
    return [work for work in generate(f.plans[0], device.target) if isinstance(work, Kernel)]


def matrix(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def product_and_folds(device: OpenCLDevice) -> list[Kernel]:
    """Compute a product, sums and maxima, and return their launches; the numbers are right."""
    a, b = shared(matrix(70, 33)), shared(matrix(33, 21))
    f = function([], [T.dot(a, b), T.sum(a, axis=0), T.max(b, axis=1)], device=device)
    product, sums, highest = f()
    np.testing.assert_allclose(product, a.get_value() @ b.get_value(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(sums, a.get_value().sum(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(highest, b.get_value().max(1))
    return launches(f, device)


def test_a_product_and_folds_of_other_shapes_share_one(device: OpenCLDevice) -> None:
    found = product_and_folds(device)
    if device.target.product == "panels":
        (launch,) = found
        assert launch.steps == (0, 1, 2)
        # The long work-groups have the last numbers.
        parts = launch.text.split("<= group &&")[1:]
        assert ["multiply_" in part for part in parts] == [False, False, True]


@pytest.mark.parametrize("units", [2, 3, 7])
def test_work_groups_are_dealt_out_where_threads_are_given_rows_of_them(
    device: OpenCLDevice, units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dealing = attrs.evolve(device.target, gives_rows_of_groups=True, compute_units=units)
    monkeypatch.setattr(device, "target", dealing)
    found = product_and_folds(device)
    if device.target.product == "panels":
        (launch,) = found
        assert launch.groups[0] % units == 0
        assert "const int group = at %" in launch.text


def test_products_that_are_cut_differently_share_local_memory(device: OpenCLDevice) -> None:
    image, a, b = (RNG.integers(0, 256, (90, 33), "uint8"), matrix(90, 33), matrix(33, 80))
    right = shared(b)
    f = function(
        [], [T.dot(T.cast(shared(image), "float32"), right), T.dot(shared(a), right)], device=device
    )
    for found, left in zip(f(), (image.astype("float32"), a), strict=True):
        np.testing.assert_allclose(found, left @ b, rtol=1e-3, atol=1e-2)
    if device.target.product == "panels":
        tiles = [device.target.panel_tile("float32", (90, 80), lists=x) for x in (True, False)]
        assert tiles[0].rows != tiles[1].rows
        (launch,) = launches(f, device)
        declared = re.findall(r"__local (\w+) \w+\[", launch.text)
        assert sorted(declared) == ["float16", "float16", "ushort"]


def test_what_waits_for_another_comes_after_it(device: OpenCLDevice) -> None:
    a = shared(matrix(40, 40))
    f = function([], T.dot(a, T.dot(a, a)), device=device)
    whole = a.get_value() @ a.get_value() @ a.get_value()
    np.testing.assert_allclose(f(), whole, rtol=1e-3, atol=1e-3)
    assert len(launches(f, device)) == 2


def test_an_update_comes_after_those_that_read_the_old_value(device: OpenCLDevice) -> None:
    weight, bias = shared(matrix(30, 17)), shared(matrix(17))
    x = Variable(TensorType("float32", (False, False)), name="x")
    hidden = T.tanh(T.dot(x, weight) + bias)
    cost = T.sum(hidden * hidden)
    slopes = grad(cost, [weight, bias])
    old = [weight.get_value(), bias.get_value()]
    f = function(
        [x], cost, updates=[(weight, weight - slopes[0]), (bias, bias - slopes[1])], device=device
    )
    given = matrix(50, 30)
    f(given)
    inner = np.tanh(given @ old[0] + old[1])
    by_sum = 2 * inner * (1 - inner**2)
    np.testing.assert_allclose(weight.get_value(), old[0] - given.T @ by_sum, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(bias.get_value(), old[1] - by_sum.sum(0), rtol=1e-3, atol=1e-3)


def test_products_that_share_keep_partial_sums_of_their_own(device: OpenCLDevice) -> None:
    # Inner axes beyond a block leave partial sums in scratch memory.
    pairs = [(shared(matrix(20, 1500)), shared(matrix(1500, n))) for n in (18, 24)]
    f = function([], [T.dot(a, b) for a, b in pairs], device=device)
    for found, (a, b) in zip(f(), pairs, strict=True):
        np.testing.assert_allclose(found, a.get_value() @ b.get_value(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("batch", [9, 31])
def test_other_lengths_need_no_other_text(device: OpenCLDevice, batch: int) -> None:
    columns = shared(matrix(12, 16))
    x = Variable(TensorType("float32", (False, False)), name="x")
    f = function([x], [T.dot(x, columns), T.sum(x, axis=0)], device=device)
    f(matrix(20, 12))
    before = device.counters.programs_compiled
    f(matrix(batch, 12))
    assert device.counters.programs_compiled == before

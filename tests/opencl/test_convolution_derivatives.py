"""Derivatives of convolution and pooling on devices, and how many kernels they take."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.engine.backends.opencl.codegen.runs import find_runs
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import function
from workbench.engine.graph.examples import examples
from workbench.engine.graph.grad import grad
from workbench.engine.graph.variable import Variable, shared
from workbench.engine.lower.node import walk
from workbench.engine.lower.plan import Product
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

TOLERANCE = {"float32": 1e-4, "float64": 1e-12}


@pytest.mark.parametrize("name", ["conv2d", "pool_2d"])
def test_derivatives_agree_with_the_reference(
    device: OpenCLDevice, precision: str, name: str
) -> None:
    inputs: list[Variable] = []
    outputs: list[Variable] = []
    arrays: list[np.ndarray] = []
    for example in examples(name, precision)[::2]:
        variables = example.inputs()
        outputs += grad(T.sum(T.sqr(example.build(*variables))), variables)
        inputs += variables
        arrays += example.arrays
    expected, found = (
        function(inputs, outputs, device=on)(*arrays) for on in (ReferenceDevice(), device)
    )
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        limit = TOLERANCE[precision] * max(1.0, np.abs(other).max(initial=0))
        np.testing.assert_allclose(one, other, rtol=0, atol=limit)


def test_windows_are_never_stored(device: OpenCLDevice) -> None:
    """Convolution and both its derivatives are three products that read the images themselves."""
    x = shared(np.ones((8, 3, 10, 9), "float32"))
    w = shared(np.ones((4, 3, 3, 2), "float32"))
    out = T.conv2d(x, w)
    f = function([], [out, *grad(T.sum(T.sqr(out)), [x, w])], device=device)
    f.prepare()
    (plan,) = f.plans
    products = [s for s in plan.steps if isinstance(s, Product)]
    assert len(products) == 3
    for step in products:
        assert any(n.op.name == "windows" for n in walk([step.product.inputs[1]]))
    windows = 3 * 3 * 2 * 8 * 8 * 8
    assert all(np.prod(b.shape, dtype=int) < windows for b in plan.buffers)


def test_runs_of_neighbouring_images(device: OpenCLDevice, precision: str) -> None:
    """Batches that panels divide, and that divide panels; margins whose zeros are left out."""
    rng = np.random.default_rng(0)
    outputs: list[Variable] = []
    for batch, options in (
        (16, {"border_mode": "full"}),
        (12, {"border_mode": "half", "subsample": (2, 1)}),
        (40, {"border_mode": ((1, 0), (0, 2)), "filter_dilation": (1, 2), "filter_flip": False}),
    ):
        x = shared(rng.standard_normal((batch, 2, 5, 4)).astype(precision))
        w = shared(rng.standard_normal((3, 2, 3, 2)).astype(precision))
        out = T.conv2d(T.tanh(x), w, **options)
        outputs += [out, *grad(T.sum(T.sqr(out)), [x, w])]
    fs = [function([], outputs, device=on) for on in (ReferenceDevice(), device)]
    expected, found = (f() for f in fs)
    for one, other in zip(found, expected, strict=True):
        limit = TOLERANCE[precision] * max(1.0, np.abs(other).max())
        np.testing.assert_allclose(one, other, rtol=0, atol=limit)
    (plan,) = fs[1].plans
    right = [s.product.inputs[1] for s in plan.steps if isinstance(s, Product)]
    runs = [r for matrix in right if (r := find_runs(plan.buffers, matrix, 16)) is not None]
    assert {r.length for r in runs} == {4, 8, 16}
    assert {r.has_gaps for r in runs} == {False, True}

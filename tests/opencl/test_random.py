"""Random numbers on devices: the reference's own bits, in as few kernels as may be."""

from __future__ import annotations

import numpy as np

from workbench.engine.backends.base import Device
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import Function, function
from workbench.engine.graph.random import RandomStreams
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable, shared
from workbench.engine.lower.plan import Loops
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it


def steps(f: Function) -> list[str]:
    (plan,) = f.plans
    return [type(step).__name__ for step in plan.steps]


def test_draws_have_the_bits_of_the_reference(device: OpenCLDevice, precision: str) -> None:
    def made() -> list[Variable]:
        streams = RandomStreams(9)
        return [
            streams.uniform((1001,), dtype=precision),
            streams.uniform((), dtype=precision),
            streams.binomial((7, 33), p=0.3, dtype=precision),
            streams.binomial((50,), 6, 0.4),
            streams.permutation((3,), 77),
            streams.permutation(n=1000),
        ]

    ours, wanted = (function([], made(), device=on) for on in (device, ReferenceDevice()))
    for _ in range(3):
        for got, expected in zip(ours(), wanted(), strict=True):
            np.testing.assert_array_equal(got, expected)


def test_normal_draws_agree_to_rounding(device: OpenCLDevice, precision: str) -> None:
    ours, wanted = (
        function([], RandomStreams(9).normal((100, 101), dtype=precision), device=on)()
        for on in (device, ReferenceDevice())
    )
    tolerance = 50 * np.finfo(precision).eps
    np.testing.assert_allclose(ours, wanted, rtol=tolerance, atol=tolerance)


def test_dropout_is_one_kernel_and_all_steps_advance_in_another(device: OpenCLDevice) -> None:
    streams = RandomStreams(9)
    x = Variable(TensorType("float32", (False, False)), name="x")
    kept = x * streams.binomial(x.shape, p=0.5, dtype="float32") / 0.5
    noisy = T.tanh(kept + streams.normal(x.shape, 0, 0.1, dtype="float32"))
    f = function([x], noisy, device=device)
    f(np.ones((5, 7), "float32"))
    assert steps(f) == ["Loops", "Loops"]
    advance = f.plans[0].steps[1]
    assert isinstance(advance, Loops)
    assert len(advance.stores) == 2


def test_dropout_rides_with_a_product(device: OpenCLDevice) -> None:
    def compiled(on: Device) -> Function:
        x = Variable(TensorType("float32", (False, False)), name="x")
        hidden = T.relu(T.dot(x, shared(np.ones((7, 300), "float32"))))
        mask = RandomStreams(9).binomial(hidden.shape, p=0.5, dtype="float32")
        return function([x], hidden * mask, device=on)

    f, g = compiled(device), compiled(ReferenceDevice())
    data = np.ones((33, 7), "float32")
    for _ in range(2):
        np.testing.assert_array_equal(f(data), g(data))
    assert steps(f) == ["Product", "Loops"]

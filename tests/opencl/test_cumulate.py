"""Running sums on devices: how accurate they are, and what they share with their neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.function import Function, function
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it


def steps(f: Function) -> list[str]:
    (plan,) = f.plans
    return [type(step).__name__ for step in plan.steps]


@pytest.mark.parametrize("shape", [(200_003,), (3, 1000, 7)])
def test_rounding_does_not_add_up(
    device: OpenCLDevice, precision: str, shape: tuple[int, ...], rng: np.random.Generator
) -> None:
    """As exact as the result can be written, whatever the length."""
    values = (rng.standard_normal(shape) + 3).astype(precision)
    axis = 0 if len(shape) == 1 else 1
    got = function([], T.cumsum(shared(values), axis), device=device)()
    wanted = np.cumsum(values.astype(np.longdouble), axis).astype(precision)
    np.testing.assert_allclose(got, wanted, rtol=2 * np.finfo(precision).eps)


def test_what_cancels_leaves_the_rest(device: OpenCLDevice) -> None:
    values = np.tile(np.array([1, 1e30, -1e30], "float32"), 100)
    got = function([], T.cumsum(shared(values)), device=device)()
    np.testing.assert_array_equal(got[2::3], np.arange(1, 101))


def test_it_is_one_step_and_what_follows_another(device: OpenCLDevice) -> None:
    x = Variable(TensorType("float32", (False,)), name="x")
    f = function([x], T.exp(-T.cumsum(x) / 2), device=device)
    data = np.linspace(0, 0.01, 300, dtype="float32")
    np.testing.assert_allclose(f(data), np.exp(-np.cumsum(data, dtype="float64") / 2), rtol=1e-6)
    assert steps(f) == ["Cumulate", "Loops"]


def test_a_variable_can_become_its_own_running_sum(device: OpenCLDevice) -> None:
    x = shared(np.ones((4, 3), "float32"))
    f = function([], T.cumsum(x, 0), updates=[(x, T.cumsum(x, 0))], device=device)
    f()
    np.testing.assert_array_equal(f()[:, 0], [1, 3, 6, 10])
    np.testing.assert_array_equal(x.get_value()[:, 0], [1, 3, 6, 10])

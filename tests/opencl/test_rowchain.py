"""Steps that go on with the same rows are one launch, without those that read other rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import attrs
import numpy as np
import pytest

from workbench.engine.backends.opencl.codegen.arguments import Kernel
from workbench.engine.backends.opencl.codegen.program import generate
from workbench.engine.backends.opencl.codegen.rowchain import find_chain
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.function import Function, function
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.grad import grad
from workbench.engine.graph.variable import SharedVariable, Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

#: Shared by three work-groups: 44, 44 and 43 rows.
ROWS = 131


@pytest.fixture
def cpu(panels_device: OpenCLDevice, monkeypatch: pytest.MonkeyPatch) -> OpenCLDevice:
    """Return each CPU in turn, with three units whatever the machine has."""
    if not panels_device.target.is_cpu:
        pytest.skip("chains are for CPUs")
    target = attrs.evolve(panels_device.target, compute_units=3)
    monkeypatch.setattr(panels_device, "target", target)
    return panels_device


@pytest.fixture
def numbers() -> Callable[..., SharedVariable]:
    random = np.random.default_rng(5)

    def drawn(*shape: int, dtype: str = "float32") -> SharedVariable:
        return shared(random.uniform(-1, 1, shape).astype(dtype))

    return drawn


def launches(f: Function, device: OpenCLDevice) -> list[tuple[int, ...]]:
    """Return the steps of each launch."""
    work = generate(f.plans[0], device.target)
    return [kernel.steps for kernel in work if isinstance(kernel, Kernel)]


def assert_right(f: Function, asked: Sequence[Variable]) -> None:
    with np.errstate(all="ignore"):
        wanted = evaluate(list(asked))
    for found, value in zip(f(), wanted, strict=True):
        eps = np.finfo(value.dtype).eps
        np.testing.assert_allclose(found, value, rtol=0, atol=1e3 * eps * np.abs(value).max())


@pytest.mark.parametrize(("dtype", "hidden"), [("float64", 20), ("float32", 300)])
def test_a_network_and_its_derivatives_by_rows(
    cpu: OpenCLDevice, numbers: Callable[..., SharedVariable], dtype: str, hidden: int
) -> None:
    """More hidden units than local memory holds columns of are computed in several turns."""
    images = shared(np.random.default_rng(1).integers(0, 256, (ROWS, 70)).astype("uint8"))
    labels = shared(np.random.default_rng(2).integers(0, 10, ROWS).astype("int32"))
    v, w = numbers(70, hidden, dtype=dtype), numbers(hidden, 10, dtype=dtype)
    x = T.cast(images, dtype) * np.asarray(1 / 256, dtype)
    log_p = T.log_softmax(T.dot(T.tanh(T.dot(x, v)), w))
    score = T.mean(log_p[T.arange(ROWS), labels])
    asked = [score, *grad(score, [v, w])]
    f = function([], asked, device=cpu)
    assert_right(f, asked)
    first, *rest = launches(f, cpu)
    assert first == (0, 1, 2, 3)
    assert len(rest) == 1


def test_columns_and_rights_of_the_chain_wait_for_all_rows(
    cpu: OpenCLDevice, numbers: Callable[..., SharedVariable]
) -> None:
    a, b, c = numbers(ROWS, 40), numbers(40, ROWS), numbers(ROWS, ROWS)
    product = T.dot(a, b)
    for value, count in (
        (T.dot(T.tanh(product) / T.sum(product, axis=0), c), 4),
        (T.dot(c, product), 2),
        (T.dot(T.tanh(product).T, c), 2),
        (T.dot(product[::-1], c), 2),
        (T.dot(T.tanh(product), c), 1),
    ):
        f = function([], [value], device=cpu)
        assert_right(f, [value])
        assert len(launches(f, cpu)) == count


def test_what_outlives_a_run_is_not_written_by_a_chain(
    cpu: OpenCLDevice, numbers: Callable[..., SharedVariable]
) -> None:
    """Another work-group may still read the old rows."""
    a, b, state = numbers(ROWS, 40), numbers(40, 30), numbers(ROWS, 30)
    before = state.get_value()
    product = T.dot(a, b)
    f = function([], [T.sum(state[::-1], axis=1)], [(state, state + product)], device=cpu)
    (sums,) = f()
    np.testing.assert_allclose(sums, before[::-1].sum(1), rtol=1e-4, atol=1e-5)
    wanted = before + a.get_value() @ b.get_value()
    np.testing.assert_allclose(state.get_value(), wanted, rtol=1e-4, atol=1e-5)


def test_memory_that_two_values_share_is_used_by_one_at_a_time(
    cpu: OpenCLDevice, numbers: Callable[..., SharedVariable]
) -> None:
    """The rows of one value lie elsewhere than those of a wider one after it."""
    x = numbers(ROWS, 40)
    sides = [40, 24, 48, 24, 40, 30]
    value: Variable = x
    for m, n in pairwise(sides):
        value = T.tanh(T.dot(value, numbers(m, n)) * 0.2)
    f = function([], [value], device=cpu)
    assert_right(f, [value])
    plan = f.plans[0]
    temps = [b for b in plan.buffers if b.role == "temp"]
    assert len({b.storage for b in temps}) < len(temps)
    chain = find_chain(plan, 0, cpu.target)
    assert chain is not None
    assert 2 <= len(chain.steps) < len(plan.steps)


def test_results_along_the_chain_have_their_slots(
    cpu: OpenCLDevice, numbers: Callable[..., SharedVariable]
) -> None:
    x, v, w = numbers(ROWS, 33), numbers(33, 21), numbers(21, 17)
    hidden = T.tanh(T.dot(x, v))
    out = T.dot(hidden, w)
    f = function([], [hidden, out], [(x, x * 0.5)], device=cpu, slots=3)
    wanted = []
    for _ in range(3):
        wanted.append(np.tanh(x.get_value() @ v.get_value()) @ w.get_value())
        f.enqueue()
    first, second = f.collect()
    assert first.shape == (3, ROWS, 21)
    np.testing.assert_allclose(second, wanted, rtol=1e-4, atol=1e-5)
    assert launches(f, cpu)[0][:2] == (0, 1)


def test_few_rows_and_large_weights_are_shared_out_by_columns(
    cpu: OpenCLDevice, numbers: Callable[..., SharedVariable]
) -> None:
    for rows, width in ((40, 30), (ROWS, 1500)):
        v, w = numbers(width, width), numbers(width, 10)
        value = T.dot(T.dot(numbers(rows, width), v), w)
        f = function([], [value], device=cpu)
        assert_right(f, [value])
        assert find_chain(f.plans[0], 0, cpu.target) is None

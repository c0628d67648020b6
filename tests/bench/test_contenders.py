"""Every contender does the same arithmetic: the same start and the same data end the same."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np
import pytest

from workbench import plugins
from workbench.bench.contender import Contender
from workbench.bench.material import factors
from workbench.bench.numpy_peer import NumPy
from workbench.bench.ours import Workbench
from workbench.bench.work import Multiplication, Prediction, Training, find_work
from workbench.data.dataset import Split

plugins.load_packages(plugins.BUILT_IN)


def pytorch() -> Contender:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed here")
    module = importlib.import_module("workbench.bench.torch_peer")
    peer: Contender = module.PyTorch(2, on_gpu=False)
    return peer


@pytest.fixture(params=[NumPy, pytorch])
def peer(request: pytest.FixtureRequest) -> Contender:
    make: Callable[[], Contender] = request.param
    return make()


def handwriting(count: int) -> Split:
    # Without blank parts: what is the same everywhere has no greatest place, and there the
    # workbench gives each of equals the derivative and others the first.
    rng = np.random.default_rng(3)
    images = rng.integers(1, 256, (count, 28, 28), dtype=np.uint8)
    return Split(images, rng.integers(0, 10, count).astype(np.int32))


@pytest.mark.parametrize(
    ("name", "images", "units"),
    [("relu-32", 80, 2), ("relu", 128, 1), ("logistic", 60, 3), ("tanh", 400, 3), ("lenet", 40, 2)],
)
def test_training_ends_with_the_same_parameters(
    peer: Contender, name: str, images: int, units: int
) -> None:
    work = find_work(name, images)
    assert isinstance(work, Training)
    split = handwriting(work.images)
    ours, theirs = Workbench("reference").train(work, split), peer.train(work, split)
    before = {key: value.copy() for key, value in ours.result().items()}
    # In two goes, as the clock has it.
    for task in (ours, theirs):
        task.run(1)
        task.run(units)
    found, expected = ours.result(), theirs.result()
    assert set(found) == set(expected)
    for key, value in found.items():
        moved = np.abs(value - before[key]).max()
        assert moved > 0
        np.testing.assert_allclose(expected[key], value, rtol=0, atol=1e-3 * moved)


def test_predictions_are_the_same(peer: Contender) -> None:
    work = find_work("predict")
    assert isinstance(work, Prediction)
    split = handwriting(3)
    found = []
    for contender in (Workbench("reference"), peer):
        task = contender.predict(work, split)
        task.run(5)
        found.append(task.result()["probabilities"])
    assert found[0].shape == (1, 10)
    np.testing.assert_allclose(*found, rtol=1e-4)


@pytest.mark.parametrize("name", ["gemm-20", "gemm-5x7x3", "gemm-5x7x3-tn"])
def test_products_are_the_same(peer: Contender, name: str) -> None:
    work = find_work(name)
    assert isinstance(work, Multiplication)
    left = (work.depth, work.rows) if work.transposed else (work.rows, work.depth)
    a, b = factors((left, (work.depth, work.columns)))
    found = []
    for contender in (Workbench("reference"), peer):
        task = contender.multiply(work, a, b)
        task.run(300)
        found.append(task.result()["product"])
    assert found[0].shape == (work.rows, work.columns)
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)

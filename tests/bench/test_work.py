"""Names of works, and how much arithmetic they are."""

from __future__ import annotations

import pytest

from workbench import plugins
from workbench.bench.work import NAMES, Multiplication, Training, find_work
from workbench.core.errors import InputError

plugins.load_packages(plugins.BUILT_IN)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_a_work(name: str) -> None:
    work = find_work(name)
    assert work.name == name
    assert work.flops > 0


@pytest.mark.parametrize(
    ("name", "flops"),
    [
        # Forward, gradients by weights, and by the inputs of all layers but the first.
        ("relu", 50_000 * 2 * (784 * 256 * 2 + (256 * 128 + 128 * 10) * 3)),
        ("logistic", 50_000 * 2 * 784 * 10 * 2),
        ("tanh", 5_000 * 2 * (784 * 20 * 2 + 20 * 10 * 3)),
        ("lenet", 128 * 2 * (576 * 25 * 20 * 2 + (64 * 500 * 50 + 800 * 500 + 5000) * 3)),
        ("predict", 2 * (784 * 256 + 256 * 128 + 128 * 10)),
        ("gemm-2x3x5", 60),
    ],
)
def test_arithmetic_is_that_of_the_products(name: str, flops: int) -> None:
    assert find_work(name).flops == flops


def test_the_batch_and_the_extents_are_in_the_name() -> None:
    work = find_work("relu-512", 1000)
    assert isinstance(work, Training)
    assert (work.batch, work.images) == (512, 1000)
    product = find_work("gemm-784x256x128-tn")
    assert isinstance(product, Multiplication)
    assert (product.rows, product.columns, product.depth) == (784, 256, 128)
    assert product.transposed


@pytest.mark.parametrize(
    "name", ["", "gemm", "gemm-0", "gemm-1x2", "relu-0", "relu-101", "sigmoid"]
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=repr(name)):
        find_work(name, 100)

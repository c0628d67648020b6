"""Products of matrices: shapes, layouts and what rides in loads and epilogues, in both families."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from workbench.engine.backends.opencl.codegen.arguments import Kernel
from workbench.engine.backends.opencl.codegen.layout import lies_by_column
from workbench.engine.backends.opencl.codegen.program import generate
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.function import Function, function
from workbench.engine.graph.grad import grad
from workbench.engine.graph.variable import Variable, shared
from workbench.engine.lower.plan import Product
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

#: m, n, k: around the edges of tiles, empty, single rows and columns, several blocks of k, several
#: parts of it.
SHAPES = [
    (1, 1, 1),
    (7, 5, 3),
    (6, 16, 8),
    (49, 65, 33),
    (128, 10, 100),
    (1, 70, 20),
    (70, 1, 20),
    (13, 17, 1100),
    (9, 20, 3001),
    (3, 4, 0),
    (0, 4, 3),
    (3, 0, 4),
]
TOLERANCE = {"float32": 3e-6, "float64": 3e-15}


def close(found: np.ndarray, expected: np.ndarray, size: np.ndarray) -> None:
    """Compare with the rounding that sums of products of this magnitude may have."""
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    limit = TOLERANCE[found.dtype.name] * (np.abs(size) + 1)
    assert (np.abs(found - expected) <= limit).all(), np.abs(found - expected).max()


def compiled(out: Variable, device: OpenCLDevice, products: int = 1) -> Function:
    """Return the function, and check that each product is one kernel."""
    f = function([], out, device=device)
    f.prepare()
    assert sum(isinstance(s, Product) for s in f.plans[0].steps) == products
    assert len(f.plans[0].steps) == products
    return f


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("layout", ["NN", "TN", "NT", "TT"])
def test_every_shape_and_layout(
    product_device: OpenCLDevice,
    precision: str,
    layout: str,
    shape: tuple[int, int, int],
    rng: np.random.Generator,
) -> None:
    m, n, k = shape
    a, b = rng.standard_normal((m, k)), rng.standard_normal((k, n))
    a, b = a.astype(precision), b.astype(precision)
    left = shared(a) if layout[0] == "N" else shared(a.T.copy()).T
    right = shared(b) if layout[1] == "N" else shared(b.T.copy()).T
    found = compiled(T.dot(left, right), product_device)()
    close(found, a @ b, np.abs(a) @ np.abs(b))


def test_other_sizes_build_nothing(product_device: OpenCLDevice) -> None:
    def run(m: int, n: int, k: int) -> None:
        function(
            [], T.dot(shared(np.ones((m, k))), shared(np.ones((k, n)))), device=product_device
        )()

    run(7, 29, 11)
    before = product_device.counters.programs_compiled
    # Columns that fill panels of two vectors, as before; others take other tiles.
    run(20, 30, 40)
    run(100, 63, 80)
    assert product_device.counters.programs_compiled == before


Numbers = dict[str, np.ndarray]


@attrs.frozen
class Case:
    """An expression around one product, and the same in NumPy."""

    expression: Callable[[Any], Variable]
    numpy: Callable[[Numbers], np.ndarray]


CASES = {
    "bias": Case(
        lambda v: T.dot(v.image_f, v.weight) + v.bias,
        lambda x: x["image_f"] @ x["weight"] + x["bias"],
    ),
    "bytes scaled": Case(
        lambda v: T.dot(T.cast(v.image, v.dtype) * v.scale, v.weight),
        lambda x: (x["image"].astype(x["weight"].dtype) * x["scale"]) @ x["weight"],
    ),
    "gathered bytes": Case(
        lambda v: T.dot(T.cast(v.image[v.rows], v.dtype) * v.scale, v.weight),
        lambda x: (x["image"][x["rows"]].astype(x["weight"].dtype) * x["scale"]) @ x["weight"],
    ),
    "gathered bytes transposed": Case(
        lambda v: T.dot((T.cast(v.image[v.rows], v.dtype) * v.scale).T, v.delta),
        lambda x: (x["image"][x["rows"]].astype(x["delta"].dtype) * x["scale"]).T @ x["delta"],
    ),
    "some rows": Case(
        lambda v: T.dot(v.image_f[3:8], v.weight),
        lambda x: x["image_f"][3:8] @ x["weight"],
    ),
    "activation": Case(
        lambda v: T.tanh(T.dot(v.image_f, v.weight) + v.bias) * 2,
        lambda x: np.tanh(x["image_f"] @ x["weight"] + x["bias"]) * 2,
    ),
    "mask": Case(
        lambda v: T.dot(v.delta, v.weight.T) * T.gt(v.image_f[:9], 0.5),
        lambda x: (x["delta"] @ x["weight"].T) * (x["image_f"][:9] > 0.5),
    ),
    "by column": Case(
        lambda v: T.dot(v.image_f, v.weight) * T.dimshuffle(v.image_f[:, 0], 0, "x"),
        lambda x: (x["image_f"] @ x["weight"]) * x["image_f"][:, :1],
    ),
}


class Variables:
    """The numbers of the cases as shared variables."""

    def __init__(self, numbers: Numbers, dtype: str) -> None:
        self.dtype = dtype
        for name, value in numbers.items():
            setattr(self, name, shared(value))


@pytest.mark.parametrize("name", CASES)
def test_what_rides_in_loads_and_epilogues(
    product_device: OpenCLDevice, precision: str, name: str, rng: np.random.Generator
) -> None:
    numbers = {
        "image": rng.integers(0, 256, (12, 35)).astype("uint8"),
        "image_f": rng.random((12, 35)).astype(precision),
        "weight": rng.standard_normal((35, 19)).astype(precision),
        "delta": rng.standard_normal((9, 19)).astype(precision),
        "bias": rng.standard_normal(19).astype(precision),
        "rows": np.array([3, 1, 1, 11, 0, 7, 2, 5, 9]),
        "scale": np.array(1 / 256, precision),
    }
    case = CASES[name]
    found = compiled(case.expression(Variables(numbers, precision)), product_device)()
    expected = case.numpy(numbers)
    close(found, expected, np.full(expected.shape, 40))


@pytest.mark.parametrize("columns", [21, 64, 130, 256])
def test_an_update_in_place_is_the_epilogue(
    product_device: OpenCLDevice, precision: str, columns: int, rng: np.random.Generator
) -> None:
    x, d = (rng.standard_normal(s).astype(precision) for s in ((50, 33), (50, columns)))
    w, v = (rng.standard_normal((33, columns)).astype(precision) for _ in range(2))
    weight, speed = shared(w), shared(v)
    gradient = T.dot(shared(x).T, shared(d))
    speed_now = 0.5 * speed + gradient
    f = function(
        [], None, [(speed, speed_now), (weight, weight + speed_now)], device=product_device
    )
    f()
    assert [type(s) for s in f.plans[0].steps] == [Product]
    assert not any(b.role == "temp" for b in f.plans[0].buffers)
    expected = 0.5 * v + x.T @ d
    close(speed.get_value(), expected.astype(precision), np.full(w.shape, 60))
    close(weight.get_value(), (w + expected).astype(precision), np.full(w.shape, 60))


@pytest.mark.parametrize("other", [lambda w: w[3], lambda w: w.T, lambda w: w[::-1]])
def test_an_update_that_reads_elsewhere_in_what_it_changes(
    product_device: OpenCLDevice,
    precision: str,
    other: Callable[[Any], Any],
    rng: np.random.Generator,
) -> None:
    x, d, w = (rng.standard_normal(s).astype(precision) for s in ((64, 33), (33, 64), (64, 64)))
    weight = shared(w)
    product = T.dot(shared(x), shared(d))
    function([], None, [(weight, weight + other(weight) + product)], device=product_device)()
    close(weight.get_value(), w + other(w) + x @ d, np.full(w.shape, 60))


@pytest.mark.parametrize(("columns", "fit"), [(64, True), (130, False)])
def test_an_update_is_stored_in_vectors_where_they_fit(
    panels_device: OpenCLDevice, columns: int, fit: bool
) -> None:
    weight = shared(np.zeros((33, columns), "float32"))
    gradient = T.dot(
        shared(np.ones((33, 50), "float32")), shared(np.ones((50, columns), "float32"))
    )
    f = function([], None, [(weight, weight + 0.5 * gradient)], device=panels_device)
    f.prepare()
    (kernel,) = generate(f.plans[0], panels_device.target)
    assert ("*(__global float" in kernel.text) is fit


@pytest.mark.parametrize("columns", [19, 32, 128])
def test_a_layer_and_its_derivative_are_right_in_vectors_and_out_of_them(
    product_device: OpenCLDevice, precision: str, columns: int, rng: np.random.Generator
) -> None:
    x, w, b, v = (
        rng.standard_normal(shape).astype(precision)
        for shape in ((50, 33), (33, columns), (columns,), (columns, 7))
    )
    images, weight, bias, out = map(shared, (x, w, b, v))
    hidden = T.relu(T.dot(images, weight) + bias)
    kept = shared(np.zeros((50, columns), precision))
    (gradient,) = grad(T.sum(T.dot(hidden, out)), [weight])
    updates = [(kept, hidden), (weight, weight - gradient)]
    function([], None, updates, device=product_device)()
    before = x @ w + b
    carried = ((before > 0) * v.sum(1)).astype(precision)
    close(kept.get_value(), np.maximum(before, 0), np.full(before.shape, 60))
    close(weight.get_value(), w - x.T @ carried, np.full(w.shape, 600))
    x[3, 5], x[4, 6] = np.nan, np.inf
    images.set_value(x)
    weight.set_value(w)
    function([], None, [(kept, hidden)], device=product_device)()
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(np.isnan(kept.get_value()), np.isnan(x @ w + b))
    assert np.isposinf(kept.get_value()).any()


def test_sums_over_many_products_are_accurate(
    panels_device: OpenCLDevice, rng: np.random.Generator
) -> None:
    x = rng.random((50_000, 3), "float32")
    exact = x.astype("float64").sum(axis=0)
    one_by_one = np.add.accumulate(x)[-1]
    assert np.abs(one_by_one / exact - 1).max() > 1e-6
    ones = shared(np.ones((1, 50_000), "float32"))
    (found,) = function([], T.dot(ones, shared(x)), device=panels_device)()
    np.testing.assert_allclose(found, exact, rtol=5e-7)


def test_loads_hoist_what_a_row_needs_once(panels_device: OpenCLDevice) -> None:
    image = shared(np.ones((12, 35), "uint8"))
    rows, weight = shared(np.arange(9)), shared(np.ones((35, 19), "float32"))
    out = T.dot(T.cast(image[rows], "float32"), weight)
    f = function([], out, device=panels_device)
    f.prepare()
    (kernel,) = generate(f.plans[0], panels_device.target)
    assert isinstance(kernel, Kernel)
    lines = kernel.text.splitlines()[1:]
    (gathered,) = (i for i, line in enumerate(lines) if "const long" in line and "buf" in line)
    (load,) = (i for i, line in enumerate(lines) if "const uchar" in line)
    indent = [len(line) - len(line.lstrip()) for line in lines]
    assert gathered < load
    assert indent[gathered] < indent[load]


def test_the_copy_of_an_operand_follows_memory(device: OpenCLDevice) -> None:
    image, weight = shared(np.ones((12, 35), "uint8")), shared(np.ones((35, 19), "float32"))
    delta = shared(np.ones((9, 19), "float32"))
    rows = shared(np.arange(9))
    gathered = T.cast(image[rows], "float32") * np.float32(0.5)
    layouts = {
        T.dot(gathered, weight): (False, False),
        T.dot(gathered.T, delta): (True, False),
        T.dot(delta, weight.T): (False, True),
        T.dot(T.cast(image[3:], "float32"), weight): (False, False),
        T.dot(weight.T, T.cast(image, "float32").T): (True, True),
    }
    for out, expected in layouts.items():
        f = function([], out, device=device)
        f.prepare()
        (plan,) = f.plans
        (step,) = plan.steps
        assert isinstance(step, Product)
        assert tuple(lies_by_column(plan.buffers, n) for n in step.product.inputs) == expected


@pytest.mark.parametrize("bytes_", [False, True], ids=["dense", "of bytes"])
def test_registers_of_all_kinds_give_the_same_bits(
    panels_device: OpenCLDevice,
    monkeypatch: pytest.MonkeyPatch,
    precision: str,
    rng: np.random.Generator,
    *,
    bytes_: bool,
) -> None:
    image = shared(rng.integers(0, 256, (29, 300), "uint8") * rng.integers(0, 2, 300, "uint8"))
    left = T.cast(image, precision) if bytes_ else shared(rng.random((29, 300), precision))
    right = shared(rng.random((300, 119), precision))
    native, found, tiles = panels_device.target, [], []
    for target in (native, attrs.evolve(native, registers=16, multiply="noinline")):
        monkeypatch.setattr(panels_device, "target", target)
        found.append(function([], T.dot(left, right), device=panels_device)().tobytes())
        tiles.append(target.panel_tile(precision, (29, 119), lists=bytes_))
    assert found[0] == found[1]
    assert (native.registers == 16) == (tiles[0] == tiles[1])

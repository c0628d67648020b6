"""The check of devices: sound ones pass it, and it finds each fault and says where it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from workbench import plugins
from workbench.core.errors import UnknownDevice
from workbench.engine.backends import verdicts
from workbench.engine.backends.base import DeviceInfo
from workbench.engine.backends.opencl.codegen import program
from workbench.engine.backends.opencl.codegen.arguments import (
    NAME,
    ExtentArgument,
    Kernel,
    with_name,
)
from workbench.engine.backends.opencl.codegen.layout import lies_by_column
from workbench.engine.backends.opencl.device import list_opencl, open_opencl
from workbench.engine.backends.opencl.tunables import ProductFamily, Target
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.backends.verdicts import Finding, Verdict
from workbench.engine.function import function
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.variable import shared
from workbench.engine.lower.plan import Loops, Plan, Product, Step
from workbench.spec.registries import LAYERS
from workbench.training import trust
from workbench.training.trust import check
from workbench.training.trust_cases import FAMILIES, Numbers
from workbench.training.trust_network import stack

IDS = [info.id for info in list_opencl()]
on_every_device = pytest.mark.parametrize(
    "id", IDS or [pytest.param("none", marks=pytest.mark.skip("no OpenCL driver"))]
)


@attrs.frozen
class Generated:
    """A kernel, and the step of a plan that it is for."""

    plan: Plan
    step: Step
    kernel: Kernel

    def with_extent(self, value: int) -> Kernel:
        """Return the kernel with its first extent, the length of what it walks, replaced."""
        arguments = list(self.kernel.arguments)
        place = next(i for i, a in enumerate(arguments) if isinstance(a, ExtentArgument))
        arguments[place] = attrs.evolve(arguments[place], value=value)
        return attrs.evolve(self.kernel, arguments=tuple(arguments))

    def with_text(self, text: str) -> Kernel:
        """Return the kernel with another text, and so another name, alone in its launch."""
        name, text = with_name("faulty", text.replace(self.kernel.name, NAME))
        return attrs.evolve(self.kernel, name=name, text=text, body=())


#: Returns another kernel in the place of those that it is about.
Fault = Callable[[Generated], Kernel]


@pytest.fixture(scope="module")
def sound() -> dict[str, Verdict]:
    """Return what the check says of every device as it is."""
    return {id: check(open_opencl(id)) for id in IDS}


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Verdict]:
    """Return a function that checks some families on a device with a fault in it."""

    def asked(
        id: str, families: str, fault: Fault | None = None, product: ProductFamily | None = None
    ) -> Verdict:
        # In one precision, as what is broken has to be built anew.
        chosen = {
            name: attrs.evolve(FAMILIES[name], precisions=("float32",))
            for name in families.split(", ")
        }
        monkeypatch.setattr(trust, "FAMILIES", chosen)
        if fault is not None:
            inject(monkeypatch, fault)
        return check(open_opencl(id, product))

    return asked


def inject(patch: pytest.MonkeyPatch, fault: Fault) -> None:
    generated = program.step_kernels

    def faulty(plan: Plan, step: Step, target: Target) -> list[Kernel]:
        return [fault(Generated(plan, step, k)) for k in generated(plan, step, target)]

    patch.setattr(program, "step_kernels", faulty)


def found(verdict: Verdict) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return what is wrong by family and precision."""
    return {(f.family, f.precision): f.wrong for f in verdict.findings if f.wrong}


# Sound devices ------------------------------------------------------------------------------------


@on_every_device
def test_a_sound_device_is_trusted(id: str, sound: dict[str, Verdict]) -> None:
    verdict = sound[id]
    assert (verdict.trust, found(verdict), verdict.failure) == ("trusted", {}, "")
    assert {f.family for f in verdict.findings} == set(FAMILIES)
    assert {f.precision for f in verdict.findings} == {"float32", "float64"}
    assert 0 < verdict.worst_error < 1e-5
    assert verdict.gflops > 0.1


@on_every_device
def test_the_other_family_of_products_is_checked_where_it_multiplies(
    id: str, ask: Callable[..., Verdict]
) -> None:
    verdict = ask(id, "products", product="tiles")
    assert (verdict.trust, found(verdict)) == ("trusted", {})


@on_every_device
def test_a_device_without_float64_is_asked_for_nothing_of_it(
    id: str, sound: dict[str, Verdict]
) -> None:
    assert sound[id]  # its float32 kernels are built
    device = open_opencl(id)
    device.info = attrs.evolve(device.info, float64=False)
    verdict = check(device)
    assert (verdict.trust, found(verdict)) == ("trusted", {})
    assert {f.precision for f in verdict.findings} == {"float32"}


def test_every_layer_that_comes_along_is_in_the_network() -> None:
    plugins.load_packages(["workbench.nn"])
    built_in = {n for n in LAYERS if not LAYERS[n].__module__.startswith("workbench_plugin_")}
    assert {LAYERS.name_of(layer) for layer in stack().layers} == built_in


def test_rounding_decides_nothing_in_the_network() -> None:
    """A unit of relu so near to 0 that float32 has it on the other side would be no fault."""
    exact, coarse = (
        evaluate([case.value for case in FAMILIES["network"].cases(Numbers(dtype))])
        for dtype in ("float64", "float32")
    )
    for one, other in zip(exact, coarse, strict=True):
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-5 * np.abs(one).max())


# Faults -------------------------------------------------------------------------------------------


def loses_the_last_row_of_tn(of: Generated) -> Kernel:
    """Leave out the last row of products whose first operand lies by column."""
    if isinstance(of.step, Product) and lies_by_column(of.plan.buffers, of.step.product.inputs[0]):
        return of.with_extent(of.step.product.shape[0] - 1)
    return of.kernel


@on_every_device
@pytest.mark.parametrize("family", ["panels", "tiles"])
def test_a_tile_that_is_off_by_one_row(
    id: str, family: ProductFamily, ask: Callable[..., Verdict]
) -> None:
    verdict = ask(id, "products, updates", loses_the_last_row_of_tn, family)
    assert verdict.trust == "refused"
    wrong = found(verdict)
    assert {name for name, _ in wrong} == {"products"}
    assert {op.split()[0] for ops in wrong.values() for op in ops} == {"TN"}
    assert all(len(ops) == 5 for ops in wrong.values())
    assert "products in float32 (TN 67 x 83 x 47" in verdict.faults


def loses_the_last_of_an_odd_number(of: Generated) -> Kernel:
    """Leave out the last element of an update in place, where their number is odd."""
    if isinstance(of.step, Loops):
        updated = [s for s in of.step.stores if of.plan.buffers[s.buffer].role == "shared"]
        if updated:
            return of.with_extent(updated[0].value.size & ~1)
    return of.kernel


@on_every_device
def test_a_kernel_that_loses_an_update_at_odd_sizes(id: str, ask: Callable[..., Verdict]) -> None:
    verdict = ask(id, "updates, pooling", loses_the_last_of_an_odd_number)
    assert verdict.trust == "refused"
    wrong = found(verdict)
    assert {name for name, _ in wrong} == {"updates"}
    assert all(len(ops) == 8 and "speed of 3" in ops for ops in wrong.values())


def log10_is_off_in_the_last_lane(of: Generated) -> Kernel:
    """Make a function a little wrong for the last element of all."""
    text = of.kernel.text
    loop = re.search(r"for \(int (\w+) = first;", text)
    if "log10(" not in text or loop is None:
        return of.kernel
    off = rf"(log10(\1) * ({loop[1]} == len0 - 1 ? 0.9999f : 1.0f))"
    return of.with_text(re.sub(r"log10\((\w+)\)", off, text))


@on_every_device
def test_a_function_that_is_wrong_in_the_last_lane(id: str, ask: Callable[..., Verdict]) -> None:
    verdict = ask(id, "elementwise, updates", log10_is_off_in_the_last_lane)
    assert verdict.trust == "limited"
    assert set(found(verdict).values()) == {("log10",)}
    assert 1e-5 < verdict.worst_error <= 1e-4
    assert verdict.faults.startswith("elementwise in float32 (log10; error ")


@on_every_device
def test_a_kernel_that_does_not_build(id: str, ask: Callable[..., Verdict]) -> None:
    def nonsense(of: Generated) -> Kernel:
        return of.with_text(of.kernel.text.replace("{", "{ nonsense", 1))

    verdict = ask(id, "updates, products", nonsense)
    assert verdict.trust == "refused"
    assert "does not build" in verdict.failure
    assert [f.family for f in verdict.findings] == ["updates"]


def test_numbers_that_are_none_are_wrong() -> None:
    case = next(iter(FAMILIES["updates"].cases(Numbers("float32"))))
    right = np.ones(case.value.ndim * (3,), "float32")
    for wrong in (np.nan, np.inf):
        assert trust._error(case, np.full_like(right, wrong), right) == float("inf")
    assert trust._error(case, right.astype("float64"), right) == float("inf")
    assert trust._error(case, right, right) == 0


# What is kept -------------------------------------------------------------------------------------

INFO = DeviceInfo("some:0", "Some", "Platform", "gpu", "1.0", False, 8, 2**30)
KNOWN = Verdict(
    "limited",
    (
        Finding("products", "float32", 1e-7, "NN"),
        Finding("moves", "float32", float("inf"), "slice", ("slice", "join")),
    ),
    123.5,
    "",
)


@pytest.fixture
def cache(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    return tmp_path / "trust"


def test_a_verdict_is_kept(cache: Any) -> None:
    assert verdicts.stored(INFO) is None
    verdicts.keep(INFO, KNOWN)
    assert verdicts.stored(INFO) == KNOWN
    assert [path.name for path in cache.iterdir()] == ["some-0.json"]
    verdicts.keep(INFO, Verdict("trusted"))
    assert verdicts.stored(INFO) == Verdict("trusted")


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    "changed", [{"driver": "1.1"}, {"platform": "Other"}, {"name": "Some 2"}, {"float64": True}]
)
def test_another_driver_is_checked_anew(changed: dict[str, Any]) -> None:
    verdicts.keep(INFO, KNOWN)
    assert verdicts.stored(attrs.evolve(INFO, **changed)) is None


@pytest.mark.usefixtures("cache")
def test_other_kernels_are_checked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts.keep(INFO, KNOWN)
    monkeypatch.setattr(verdicts, "_sources", lambda: "others")
    assert verdicts.stored(INFO) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("limited", "trusted"),
        lambda _: "[" * 100_000,
        lambda _: "null",
        lambda text: json.dumps({**json.loads(text), "verdict": 3}),
        lambda _: "\udcff".encode("utf-8", "surrogateescape"),
    ],
)
def test_a_damaged_file_tells_nothing(cache: Any, damage: Callable[[str], Any]) -> None:
    verdicts.keep(INFO, KNOWN)
    (path,) = cache.iterdir()
    damaged = damage(path.read_text())
    path.write_bytes(damaged if isinstance(damaged, bytes) else damaged.encode())
    assert verdicts.stored(INFO) is None
    verdicts.keep(INFO, KNOWN)
    assert verdicts.stored(INFO) == KNOWN


def test_where_nothing_can_be_written_nothing_is_kept(cache: Any) -> None:
    cache.write_text("in the way")
    verdicts.keep(INFO, KNOWN)
    assert verdicts.stored(INFO) is None


@pytest.mark.usefixtures("cache")
def test_those_that_compute_right_come_first_and_the_fastest_of_them() -> None:
    infos = [attrs.evolve(INFO, id=f"some:{i}") for i in range(5)]
    slow, refused, unknown, fast, limited = infos
    verdicts.keep(slow, Verdict("trusted", gflops=10))
    verdicts.keep(refused, Verdict("refused", gflops=900))
    verdicts.keep(fast, Verdict("trusted", gflops=100))
    verdicts.keep(limited, KNOWN)
    everything = [*infos, ReferenceDevice().info]
    assert verdicts.preferred(everything) == [fast, slow, unknown]


@on_every_device
def test_float64_asked_of_a_device_without_it_is_a_clear_error(id: str) -> None:
    device = open_opencl(id)
    device.info = attrs.evolve(device.info, float64=False)
    with pytest.raises(UnknownDevice, match="does not compute in float64") as caught:
        function([], shared(np.ones(3)) * 2, device=device)()
    assert "float32" in caught.value.hint

"""The check of devices: sound ones pass it, and it finds each fault and says where it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from tests.wrong_kernels import (
    Fault,
    does_not_build,
    inject,
    log10_is_off_in_the_last_lane,
    loses_the_last_of_an_odd_number,
    loses_the_last_row_of_tn,
)
from workbench import plugins
from workbench.core.errors import UnknownDevice
from workbench.engine.backends import verdicts
from workbench.engine.backends.base import DeviceInfo
from workbench.engine.backends.opencl.device import list_opencl, open_opencl
from workbench.engine.backends.opencl.tunables import ProductFamily
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.backends.verdicts import Finding, Verdict
from workbench.engine.function import function
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.variable import shared
from workbench.spec.registries import LAYERS
from workbench.training import trust
from workbench.training.trust import ask, check, error_of, unknown
from workbench.training.trust_cases import FAMILIES, Case, Family, Numbers
from workbench.training.trust_network import stack

IDS = [info.id for info in list_opencl()]
on_every_device = pytest.mark.parametrize(
    "id", IDS or [pytest.param("none", marks=pytest.mark.skip("no OpenCL driver"))]
)


@pytest.fixture(scope="module")
def sound() -> dict[str, Verdict]:
    """Return what the check says of every device as it is."""
    return {id: check(open_opencl(id)) for id in IDS}


@pytest.fixture
def examine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Verdict]:
    """Return a function that checks some families on a device with a fault in it."""

    def run(
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

    return run


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
    id: str, examine: Callable[..., Verdict]
) -> None:
    verdict = examine(id, "products", product="tiles")
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


@on_every_device
@pytest.mark.parametrize("family", ["panels", "tiles"])
def test_a_tile_that_is_off_by_one_row(
    id: str, family: ProductFamily, examine: Callable[..., Verdict]
) -> None:
    verdict = examine(id, "products, updates", loses_the_last_row_of_tn, family)
    assert verdict.trust == "refused"
    wrong = found(verdict)
    assert {name for name, _ in wrong} == {"products"}
    assert {op.split()[0] for ops in wrong.values() for op in ops} == {"TN"}
    assert all(len(ops) == 5 for ops in wrong.values())
    assert "products in float32 (TN 67 x 83 x 47" in verdict.faults


@on_every_device
def test_a_kernel_that_loses_an_update_at_odd_sizes(
    id: str, examine: Callable[..., Verdict]
) -> None:
    verdict = examine(id, "updates, pooling", loses_the_last_of_an_odd_number)
    assert verdict.trust == "refused"
    wrong = found(verdict)
    assert {name for name, _ in wrong} == {"updates"}
    assert all(len(ops) == 8 and "speed of 3" in ops for ops in wrong.values())


@on_every_device
def test_a_function_that_is_wrong_in_the_last_lane(
    id: str, examine: Callable[..., Verdict]
) -> None:
    verdict = examine(id, "elementwise, updates", log10_is_off_in_the_last_lane)
    assert verdict.trust == "limited"
    assert set(found(verdict).values()) == {("log10",)}
    assert 1e-5 < verdict.worst_error <= 1e-4
    assert verdict.faults.startswith("elementwise in float32 (log10; error ")


@on_every_device
def test_a_kernel_that_does_not_build(id: str, examine: Callable[..., Verdict]) -> None:
    verdict = examine(id, "updates, products", does_not_build)
    assert verdict.trust == "refused"
    assert "does not build" in verdict.failure
    assert [f.family for f in verdict.findings] == ["updates"]


def test_numbers_that_are_none_are_wrong() -> None:
    right = np.ones((3, 3), "float32")
    for whole in (False, True):
        for wrong in (np.nan, np.inf):
            assert error_of(np.full_like(right, wrong), right, whole) == float("inf")
        assert error_of(right[0], right, whole) == float("inf")
        assert error_of(right, right, whole) == 0
        assert error_of(right * 2.5, right * 2, whole) == 0.25


@on_every_device
def test_another_dtype_is_wrong(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "_answers", lambda *_: [np.ones(3)])
    monkeypatch.setattr(trust, "_truth", lambda *_: [np.ones(3)])
    value = shared(np.ones(3, "float32"))
    family = Family(lambda _: iter([Case("one", value)]), precisions=("float32",))
    monkeypatch.setattr(trust, "FAMILIES", {"ones": family})
    assert check(open_opencl(id)).findings == (
        Finding("ones", "float32", float("inf"), "one", ("one",)),
    )


# In parts -----------------------------------------------------------------------------------------


@on_every_device
def test_questions_can_be_asked_one_by_one(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {name: FAMILIES[name] for name in ("updates", "integers", "random")}
    monkeypatch.setattr(trust, "FAMILIES", few)
    device = open_opencl(id)
    own = Finding("network 12", "float32", 0.5, "0.weight", ("0.weight",))
    known, told = unknown(device.info).having(own), []
    assert not unknown(device.info).is_known
    questions = list(known.unasked)
    assert questions == [
        ("updates", "float32"),
        ("updates", "float64"),
        ("integers", "float32"),
        ("random", "float32"),
        ("random", "float64"),
    ]
    while known.unasked:
        assert known.gflops == 0
        known = ask(device, known, lambda *done: told.append(done), most=1)
        # What is wrong with one network is no matter here.
        assert (known.trust, known.failure) == ("trusted", "")
        assert known.is_known
    assert known.findings[0] == own
    assert [(f.family, f.precision) for f in known.findings[1:]] == questions
    assert known.gflops > 0
    assert told == [(f"checking {id}", 0, 1), (f"checking {id}", 1, 1)] * 5
    assert known.findings[1:] == check(device).findings


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
    (("moves", "float64"), ("random", "float32")),
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


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    "other",
    [3, [], {}, {"trust": "trusted"}, {**attrs.asdict(KNOWN), "gflops": float("nan")}],
)
def test_what_is_no_verdict_tells_nothing(other: Any) -> None:
    verdicts._file(INFO).write(other)
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

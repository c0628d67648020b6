"""The tuner: its space, that tiles change no bit, and what becomes of what it found."""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pytest

from workbench.core.errors import UnknownDevice
from workbench.engine.backends.opencl import search, tuned, tuner
from workbench.engine.backends.opencl.codegen.layout import product_key
from workbench.engine.backends.opencl.device import OpenCLDevice, open_opencl
from workbench.engine.backends.opencl.search import AXES, CONSTRAINTS, Limits, Tile
from workbench.engine.backends.opencl.tunables import (
    GroupTile,
    PanelTile,
    ProductFamily,
    Target,
)
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import Function, function
from workbench.engine.graph.variable import shared
from workbench.engine.lower.plan import Product
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

DEFAULTS: dict[ProductFamily, Tile] = {
    "panels": PanelTile(rows=6, vectors=1, lanes=16),
    "tiles": GroupTile(),
}
LIMITS = Limits(local_memory=2**20, group_size=256, itemsize=4)


def product(device: OpenCLDevice) -> Function:
    """A product with rows and columns left over, bytes to cast, a bias, and a long inner axis."""
    rng = np.random.default_rng(3)
    a = shared(rng.integers(0, 256, (29, 300)).astype("uint8"))
    b, bias = (shared(rng.standard_normal(s).astype("float32")) for s in ((37, 300), (37,)))
    return function([], T.dot(T.cast(a, "float32"), b.T) + bias, device=device)


def key_of(run: Function) -> str:
    run.prepare()
    (plan,) = run.plans
    (step,) = plan.steps
    assert isinstance(step, Product)
    return product_key(plan.buffers, step.product)


@pytest.mark.parametrize("family", AXES)
def test_the_space_holds_the_default_and_what_breaks_no_constraint(family: ProductFamily) -> None:
    default = DEFAULTS[family]
    assert search.broken(default, LIMITS) == []
    for axis, changes in AXES[family].items():
        assert any(attrs.evolve(default, **change) == default for change in changes), axis
        for tile in search.candidates(default, axis, LIMITS):
            assert search.broken(tile, LIMITS) == []
    assert search.broken(attrs.evolve(default, rows=0), LIMITS)


@pytest.mark.parametrize(
    ("tile", "limits"),
    [
        (attrs.evolve(DEFAULTS["panels"], lanes=4, vectors=4), LIMITS),
        (attrs.evolve(DEFAULTS["panels"], rows=16, vectors=2), LIMITS),
        (attrs.evolve(DEFAULTS["panels"], rows=2), LIMITS),
        (DEFAULTS["panels"], attrs.evolve(LIMITS, local_memory=2**16)),
        (attrs.evolve(DEFAULTS["panels"], depth=512, panels=4), LIMITS),
        (DEFAULTS["tiles"], attrs.evolve(LIMITS, group_size=128)),
        (DEFAULTS["tiles"], attrs.evolve(LIMITS, local_memory=2**12)),
        (attrs.evolve(DEFAULTS["tiles"], rows=16, columns=8, group_rows=4), LIMITS),
    ],
)
def test_each_constraint_rules_something_out(tile: Tile, limits: Limits) -> None:
    family = search.family_of(tile)
    broken = search.broken(tile, limits)
    assert len(broken) == 1
    assert broken[0] in CONSTRAINTS[family]


def test_more_registers_hold_wider_panels_or_where_columns_do_not_fill_them_more_rows() -> None:
    plain = Target(is_cpu=True, compute_units=2, local_memory=2**20, product="panels")
    wide = attrs.evolve(plain, registers=32)
    assert plain.panel_tile("float32", (256, 256)).rows == 6
    found = [wide.panel_tile("float32", (m, 256)) for m in (1, 6, 7, 256)]
    assert [(tile.rows, tile.vectors) for tile in found] == [(6, 1), (6, 1), (8, 2), (8, 2)]
    narrow = wide.panel_tile("float64", (128, 8))
    assert (narrow.rows, narrow.vectors) == (12, 1)


@pytest.mark.parametrize(("dtype", "least"), [("float32", 2**15), ("float64", 40960)])
def test_tiles_are_larger_only_where_local_memory_has_room(dtype: str, least: int) -> None:
    itemsize = 4 if dtype == "float32" else 8
    for local_memory in (least, 2 * least, 2**18):
        target = Target(True, 2, local_memory, "panels", 32)
        for columns in (10, 256):
            tile = target.panel_tile(dtype, (256, columns))
            assert tile.numbers * itemsize <= local_memory


def test_lists_of_columns_are_of_few_rows_and_for_wide_panels_where_columns_fill_them() -> None:
    wide = [(4, 1), (4, 1), (4, 1), (4, 4), (2, 8)]
    for registers, expected in ((16, [(4, 1)] * 5), (32, wide)):
        target = Target(True, 2, 2**20, "panels", registers)
        few = [target.panel_tile("float32", (128, n), lists=True) for n in (10, 60, 80, 300, 256)]
        assert [(tile.rows, tile.vectors) for tile in few] == expected
        dense = target.panel_tile("float32", (128, 256))
        assert {tile.packed_rows for tile in few} == {dense.packed_rows}
        assert {tile.columns * tile.panels for tile in few} == {256}


@pytest.mark.parametrize("registers", [16, 32])
@pytest.mark.parametrize("lists", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_local_memory_decides_the_tile_but_not_the_depth(
    dtype: str, lists: bool, registers: int
) -> None:
    depths = set()
    for local_memory in (2**16, 2**18, 2**20):
        target = Target(True, 2, local_memory, "panels", registers)
        tile = target.panel_tile(dtype, (256, 256), lists=lists)
        assert tile.numbers * (4 if dtype == "float32" else 8) <= local_memory
        depths.add(tile.depth)
    assert len(depths) == 1


def test_little_local_memory_has_as_much_room_with_lists_as_without() -> None:
    target = Target(True, 2, 2**18, "panels", 32)
    tiles = [target.panel_tile("float32", (256, 256), lists=lists) for lists in (False, True)]
    assert [tile.columns * tile.panels for tile in tiles] == [5 * 32, 2 * 64]
    assert {tile.packed_rows for tile in tiles} == {48}


@pytest.mark.parametrize(
    ("m", "n", "units"), [(128, 256, 2), (784, 256, 2), (1, 1, 64), (7, 5, 3), (4096, 4096, 8)]
)
def test_shares_cover_a_product_once_and_leave_no_unit_idle(m: int, n: int, units: int) -> None:
    tile = DEFAULTS["panels"]
    assert isinstance(tile, PanelTile)
    shares = tile.shares(m, n, units)
    assert (shares.across - 1) * shares.span < n <= shares.across * shares.span
    assert (shares.down - 1) * shares.run < m <= shares.down * shares.run
    assert shares.span % tile.columns == shares.run % tile.rows == 0
    assert shares.span <= tile.panels * tile.columns
    assert shares.run <= tile.tiles * tile.rows
    blocks = -(-m // tile.rows) * -(-n // tile.columns)
    assert shares.groups >= min(units, blocks) / 2


@pytest.mark.parametrize(
    "tile",
    [
        PanelTile(rows=4, vectors=2, lanes=8, panels=1, row_blocks=2, tiles=2),
        PanelTile(rows=8, vectors=2, lanes=16, panels=2, row_blocks=1, tiles=1),
        GroupTile(rows=2, columns=8, group_rows=8, group_columns=8, depth=8),
    ],
    ids=["narrow", "wide", "group"],
)
def test_tiles_change_no_bit(device: OpenCLDevice, tile: Tile) -> None:
    family = search.family_of(tile)
    opened = open_opencl(device.info.id, family)
    plain = product(opened)
    expected = plain()
    opened.target = attrs.evolve(opened.target, tuned={key_of(plain): tile})
    before = opened.counters.programs_compiled
    found = product(opened)()
    assert opened.counters.programs_compiled == before + 1
    assert found.tobytes() == expected.tobytes()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A space of one other tile, short races, and a cache of the test's own."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    axes = {"panels": {"panels": [{"panels": 2}]}, "tiles": {"depth": [{"depth": 8}]}}
    monkeypatch.setattr(tuner, "AXES", axes)
    monkeypatch.setattr(search, "AXES", axes)
    monkeypatch.setattr(tuner, "_RACES", 1)
    monkeypatch.setattr(tuner, "_RUN_S", 1e-4)
    return monkeypatch


def test_what_is_found_is_used_by_this_device_and_the_next(
    device: OpenCLDevice, quick: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Whatever is tried is faster than this.
    quick.setattr(tuner, "_MARGIN", 0.0)
    opened = open_opencl(device.info.id, "panels")
    run = product(opened)
    key, expected = key_of(run), run()
    (found,) = tuner.tune(opened, run.plans, 60)
    assert (found.key, found.tried) == (key, 1)
    assert isinstance(found.tile, PanelTile)
    assert found.tile.panels == 2
    assert found.gflops > 0
    assert opened.target.tuned == {key: found.tile}
    again = open_opencl(device.info.id, "panels")
    assert again.target.tuned == {key: found.tile}
    assert product(again)().tobytes() == expected.tobytes()
    assert open_opencl(device.info.id, "tiles").target.tuned == {}

    (path,) = (tmp_path / "tuning").iterdir()
    text = path.read_text()
    for damage in ("", text.replace(device.info.driver, "another driver")):
        path.write_text(damage)
        assert open_opencl(device.info.id, "panels").target.tuned == {}
    tile = attrs.asdict(found.tile)
    for other in (3, [], {key: 3}, {key: {}}, {key: {**tile, "rows": 10**6}}):
        tuned._file(device.info, "panels").write(other)
        assert open_opencl(device.info.id, "panels").target.tuned == {}
    path.write_text(text)
    assert open_opencl(device.info.id, "panels").target.tuned == {key: found.tile}


def test_a_tile_that_computes_something_else_is_not_taken(
    device: OpenCLDevice, quick: pytest.MonkeyPatch
) -> None:
    quick.setattr(tuner, "_MARGIN", 0.0)
    answers = iter([[b"right"], [b"wrong"]])
    quick.setattr(tuner._Trial, "_results", lambda *_: next(answers))
    opened = open_opencl(device.info.id)
    run = product(opened)
    run.prepare()
    (found,) = tuner.tune(opened, run.plans, 60)
    assert found.tried == 1
    assert opened.target.tuned == {}
    assert found.tile == (
        opened.target.panel_tile("float32", (29, 37), lists=True)
        if opened.target.product == "panels"
        else opened.target.group_tile()
    )


@pytest.mark.usefixtures("quick")
def test_no_time_is_no_search(device: OpenCLDevice) -> None:
    opened = open_opencl(device.info.id)
    run = product(opened)
    run.prepare()
    (found,) = tuner.tune(opened, run.plans, 0)
    assert found.tried == 0
    assert found.gflops == found.default_gflops > 0
    assert opened.target.tuned == {}


def test_numpy_has_nothing_to_tune() -> None:
    with pytest.raises(UnknownDevice, match="no kernels to tune"):
        tuner.tune(ReferenceDevice(), [], 1)

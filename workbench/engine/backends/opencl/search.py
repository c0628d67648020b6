"""The tiles that a tuner tries: what may vary, and what rules a combination out.

Responsible for the search space as data; knows nothing of devices or of clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from workbench.engine.backends.opencl.tunables import GroupTile, PanelTile, ProductFamily

Tile = PanelTile | GroupTile
#: New values of some of a tile's numbers.
Change = Mapping[str, Any]


@attrs.frozen
class Limits:
    """What a device has room for.

    Parameters
    ----------
    local_memory
        Bytes that a work-group has.
    group_size
        Work-items that a work-group may have.
    itemsize
        Bytes of a number.
    """

    local_memory: int
    group_size: int
    itemsize: int


def _each(name: str, *values: int) -> Sequence[Change]:
    return [{name: value} for value in values]


def _grid(first: str, second: str, *pairs: tuple[int, int]) -> Sequence[Change]:
    return [{first: a, second: b} for a, b in pairs]


#: What varies: one axis after the other is searched, each from the best found before. Of the sums,
#: the first fill the 16 registers of AVX2, the others the 32 of AVX-512.
AXES: Mapping[ProductFamily, Mapping[str, Sequence[Change]]] = {
    "panels": {
        "sums": _grid(
            "rows", "vectors", (6, 1), (12, 1), (4, 1), (4, 4), (6, 4), (12, 2), (8, 3), (6, 2)
        ),
        "panels": _each("panels", 2, 4, 8, 16, 32),
        "packed rows": _each("row_blocks", 3, 4, 8, 16),
        "rows of a group": _each("tiles", 22, 44, 88, 176),
    },
    "tiles": {
        "work-item": _grid(
            "rows", "columns", (4, 4), (8, 4), (4, 8), (8, 8), (2, 4), (4, 2), (2, 2)
        ),
        "work-group": _grid(
            "group_rows", "group_columns", (16, 16), (8, 16), (8, 8), (16, 8), (8, 32)
        ),
        "depth": _each("depth", 8, 16, 32),
    },
}

Constraint = Callable[[Any, Limits], bool]

#: What a tile has to fulfil, by what is said of one that does.
CONSTRAINTS: Mapping[ProductFamily, Mapping[str, Constraint]] = {
    "panels": {
        "a vector fills a register of 32 or 64 bytes": lambda tile, limits: (
            tile.lanes * limits.itemsize in (32, 64)
        ),
        "sums, a row of B and an element of A fit 32 registers of 64 bytes": lambda tile, _: (
            (tile.rows + 1) * tile.vectors < 32
        ),
        "there are sums enough to wait for none": lambda tile, limits: (
            tile.rows * tile.vectors * tile.lanes * limits.itemsize >= 8 * 32
        ),
        "the copies fit local memory": lambda tile, limits: (
            tile.within(limits.local_memory // limits.itemsize) == tile
        ),
        "the order of summation is the family's": lambda tile, _: (
            tile.depth == attrs.fields(PanelTile).depth.default
        ),
    },
    "tiles": {
        "a work-group is not too large": lambda tile, limits: (
            tile.group_rows * tile.group_columns <= limits.group_size
        ),
        "the copies fit local memory": lambda tile, limits: (
            tile.depth
            * (tile.rows * tile.group_rows + tile.columns * tile.group_columns + 2)
            * limits.itemsize
            <= limits.local_memory
        ),
        "a work-item's sums fit its registers": lambda tile, limits: (
            tile.rows * tile.columns * limits.itemsize <= 256
        ),
    },
}


def family_of(tile: Tile) -> ProductFamily:
    """Return the family that a tile is of."""
    return "panels" if isinstance(tile, PanelTile) else "tiles"


def broken(tile: Tile, limits: Limits) -> list[str]:
    """Return the names of the constraints that a tile does not fulfil."""
    if any(value < 1 for value in attrs.astuple(tile)):
        return ["all numbers are positive"]
    rules = CONSTRAINTS[family_of(tile)]
    return [name for name, holds in rules.items() if not holds(tile, limits)]


def candidates(tile: Tile, axis: str, limits: Limits) -> list[Tile]:
    """Return the tiles that differ from one along an axis and break no constraint."""
    changed: list[Tile] = [attrs.evolve(tile, **change) for change in AXES[family_of(tile)][axis]]
    return [other for other in changed if other != tile and not broken(other, limits)]

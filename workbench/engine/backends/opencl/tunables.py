"""Tunables: how kernels are cut for a kind of device, as data.

Responsible for the numbers that a tuner may change; knows nothing of how kernels use them, nor of
how the best are found.

Only the order of summation decides the bits of a result. It is the same for all tiles of a family,
so that a choice between them, from the device or from a measurement, changes the speed alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import attrs

ProductFamily = Literal["panels", "tiles"]

#: Packing an element takes as long as so many products and additions.
PACKING = 6


@attrs.frozen
class Shares:
    """Which part of a product each work-group of the ``panels`` family computes.

    Parameters
    ----------
    across, down
        Work-groups in each direction.
    span, run
        Columns and rows of each, in whole panels and tiles.
    """

    across: int
    down: int
    span: int
    run: int

    @property
    def groups(self) -> int:
        """Work-groups in all."""
        return self.across * self.down


@attrs.frozen
class PanelTile:
    """How one work-item of the ``panels`` family multiplies.

    Parameters
    ----------
    rows, vectors, lanes
        Rows of accumulators, vectors in each, and numbers in a vector.
    panels
        Most panels of ``vectors * lanes`` columns that are packed together, so that a packed block
        of A serves all of them.
    row_blocks
        Blocks of `rows` rows that are packed together.
    tiles
        Most blocks of `rows` rows that a work-group computes.
    depth
        Products summed up in registers before they are added to memory. It decides the bits of
        results and is the same for all tiles.
    """

    rows: int
    vectors: int
    lanes: int
    panels: int = 16
    row_blocks: int = 8
    tiles: int = 176
    depth: int = 256

    @property
    def columns(self) -> int:
        """Columns of a panel."""
        return self.vectors * self.lanes

    @property
    def tail(self) -> int:
        """Rows of accumulators where `rows` of them would be more than are left."""
        return (2 * self.rows + 2) // 3

    @property
    def packed_rows(self) -> int:
        """Rows of A that are packed together."""
        return self.rows * self.row_blocks

    def filled(self, columns: int) -> int:
        """Return the columns of the panels that hold so many."""
        return -(-columns // self.columns) * self.columns

    @property
    def numbers(self) -> int:
        """How many numbers its copies take; lists of the columns that count are half of A's."""
        return self.depth * (self.columns * self.panels + self.packed_rows * 3 // 2)

    def within(self, numbers: int) -> PanelTile:
        """Return the tile with fewer panels and rows, so that `numbers` have room for its copies.

        The depth stays as it is, and so do the bits of results.
        """
        tile = self
        while tile.numbers > numbers and (tile.panels > 1 or tile.row_blocks > 1):
            if tile.panels > 1:
                tile = attrs.evolve(tile, panels=tile.panels - 1)
            else:
                tile = attrs.evolve(tile, row_blocks=tile.row_blocks - 1)
        return tile

    def shares(self, m: int, n: int, units: int) -> Shares:
        """Return how a product of `m` rows and `n` columns is cut, for `units` that work at once.

        What a group computes grows with its area, what it packs with its edges: few and square
        groups pack least, and as many as there are units, or a multiple, leave none idle.
        """
        panels, tiles = -(-n // self.columns), -(-m // self.rows)
        best: tuple[int, Shares] | None = None
        fewest = -(-panels // self.panels)
        for across in range(fewest, min(panels, fewest + units) + 1):
            for rounds in range(1, 5):
                down = max(-(-tiles // self.tiles), min(tiles, -(-rounds * units // across)))
                span = -(-panels // across) * self.columns
                run = -(-tiles // down) * self.rows
                shares = Shares(-(-n // span), -(-m // run), span, run)
                each = run * span + PACKING * (run + span)
                time = each * -(-shares.groups // units)
                if best is None or time < best[0]:
                    best = time, shares
        assert best is not None
        return best[1]

    def rows_of(self, m: int, n: int, run: int) -> Shares:
        """Return the shares in which each group has `run` of `m` rows, with all `n` columns.

        Where its columns do not fit local memory together, `across` says in how many turns it
        computes them.
        """
        panels = -(-n // self.columns)
        span = -(-panels // -(-panels // self.panels)) * self.columns
        return Shares(-(-n // span), -(-m // run), span, run)


@attrs.frozen
class GroupTile:
    """How one work-group of the ``tiles`` family multiplies.

    Parameters
    ----------
    rows, columns
        Elements of the product that a work-item computes.
    group_rows, group_columns
        Work-items in each direction.
    depth
        Columns of A and rows of B that are in local memory at a time.
    """

    rows: int = 4
    columns: int = 4
    group_rows: int = 16
    group_columns: int = 16
    depth: int = 16


#: Sums of 6 rows fill 12 of the 16 registers of AVX2, where a vector of 16 floats takes two. Of the
#: 32 of AVX-512 those of 8 rows in panels of two vectors fill 16, so that a number that was loaded
#: serves twice; where columns do not fill such panels, those of 12 rows fill 12, enough to wait for
#: none. All compute as many rows before they take other columns. Measured on PoCL 3.0 (LLVM 14),
#: which spills larger tiles of AVX2 and to which both of AVX-512 are the same, and on Intel's
#: runtime 2026.2, where the wider are up to a sixth faster.
_PANELS = {
    "float32": PanelTile(rows=6, vectors=1, lanes=16),
    "float64": PanelTile(rows=6, vectors=1, lanes=8),
}
_WIDE = {"rows": 8, "vectors": 2, "row_blocks": 6, "tiles": 132, "panels": 8}
_HIGH = {"rows": 12, "row_blocks": 4, "tiles": 88}
#: Rows of a tile whose columns are found in a list; where registers are many, rows and vectors.
_FEW, _WIDER = 4, ((2, 8), (4, 4))

#: What a product is, as far as its speed depends on it.
ProductKey = str


@attrs.frozen
class Target:
    """What code generation needs to know of a device.

    Parameters
    ----------
    is_cpu
        Whether one work-item should do much, in a group of its own.
    compute_units
        Work-groups that run at the same time.
    local_memory
        Bytes of local memory of a work-group.
    product
        The family of matrix products.
    registers
        Vector registers that the innermost loops of products may use: 16, or the 32 of AVX-512.
    multiply
        Attributes of the functions that hold these loops.
    gives_rows_of_groups
        Whether each unit is given as many work-groups as the others, all in a row, before any of
        them is done; otherwise the next ones when it has time.
    tuned
        Tiles that were found to be faster than the default on this device, by product.
    """

    is_cpu: bool
    compute_units: int
    local_memory: int
    product: ProductFamily
    registers: int = 16
    multiply: str = "noinline"
    gives_rows_of_groups: bool = False
    tuned: Mapping[ProductKey, PanelTile | GroupTile] = attrs.field(factory=dict, repr=False)

    @property
    def group_size(self) -> int:
        """Work-items in a group of a loop kernel."""
        return 1 if self.is_cpu else 64

    @property
    def min_group_work(self) -> int:
        """Additions that are worth a work-group of their own on a CPU."""
        return 16_384

    @property
    def busy_groups(self) -> int:
        """Work-groups that keep a CPU busy although some take longer than others."""
        return 4 * self.compute_units

    def panel_tile(
        self, dtype: str, shape: Sequence[int], key: ProductKey = "", *, lists: bool = False
    ) -> PanelTile:
        """Return the tile of the ``panels`` family, cut down to the local memory there is.

        Parameters
        ----------
        shape
            Rows and columns of the product.
        key
            The product, if it may have been tuned.
        lists
            Whether columns that count are found in lists.
        """
        numbers = self.local_memory // (4 if dtype == "float32" else 8)
        found = self.tuned.get(key)
        if not isinstance(found, PanelTile):
            found = _PANELS[dtype]
            if lists:
                found = self._with_lists(found, shape[1], numbers)
            elif self.registers >= 32 and shape[0] > found.rows:
                found = _larger(found, shape[1], numbers)
        return found.within(numbers)

    def _with_lists(self, tile: PanelTile, columns: int, numbers: int) -> PanelTile:
        """Return the tile for matrices of which empty columns are left out.

        Fewer rows have more columns in which all of them are 0, and fit 16 registers although
        compilers load all numbers of a column that is found in a list before they use the first.
        Where registers are many, wider panels take their place: lists are walked less often, and
        of two rows still more columns are left out.
        """
        # As many rows are packed: kernels with equal local memory share a launch.
        few = attrs.evolve(tile, rows=_FEW, row_blocks=tile.packed_rows // _FEW)
        if self.registers < 32:
            return few
        # Wider panels leave more columns empty at the end; and few columns should be few kernels.
        for rows, vectors in _WIDER if columns >= 64 else ():
            blocks, panels = tile.packed_rows // rows, tile.panels // vectors
            shape = {"rows": rows, "vectors": vectors, "row_blocks": blocks, "panels": panels}
            wide = attrs.evolve(tile, **shape)
            if _fills(wide, tile, columns) and _has_room(wide, numbers):
                return wide
        return few

    def group_tile(self, key: ProductKey = "") -> GroupTile:
        """Return the tile of the ``tiles`` family."""
        found = self.tuned.get(key)
        return found if isinstance(found, GroupTile) else GroupTile()


def _larger(tile: PanelTile, columns: int, numbers: int) -> PanelTile:
    """Return the tile for many registers: wide, else high, else as it is; what has room."""
    wide, high = attrs.evolve(tile, **_WIDE), attrs.evolve(tile, **_HIGH)
    if _fills(wide, tile, columns) and _has_room(wide, numbers):
        return wide
    return high if _has_room(high, numbers) else tile


def _has_room(tile: PanelTile, numbers: int) -> bool:
    """Whether the tile's least copies are at most so many numbers."""
    return tile.within(numbers).numbers <= numbers


def _fills(wide: PanelTile, narrow: PanelTile, columns: int) -> bool:
    """Whether wide panels leave hardly more columns empty at the end than narrow ones."""
    return wide.filled(columns) <= 1.15 * narrow.filled(columns)

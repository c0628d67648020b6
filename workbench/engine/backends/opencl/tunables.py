"""Tunables: how kernels are cut for a kind of device, as data.

Responsible for the numbers that a tuner may change; knows nothing of how kernels use them.

Only the order of summation decides the bits of a result. Tiles of one table differ in speed, and a
choice between them is made from the device alone, never from a measurement.
"""

from __future__ import annotations

from typing import Literal

import attrs

ProductFamily = Literal["panels", "tiles"]


@attrs.frozen
class PanelTile:
    """How one work-item of the ``panels`` family multiplies.

    Parameters
    ----------
    rows, vectors, lanes
        Rows of accumulators, vectors in each, and numbers in a vector.
    panels
        Panels of ``vectors * lanes`` columns that are packed together, so that a packed block of A
        serves all of them.
    row_blocks
        Blocks of `rows` rows that are packed together.
    depth
        Products summed up in registers before they are added to memory.
    """

    rows: int
    vectors: int
    lanes: int
    panels: int
    row_blocks: int
    depth: int

    @property
    def columns(self) -> int:
        """Columns of a panel."""
        return self.vectors * self.lanes


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


#: Accumulators fill 12 of the 16 registers of AVX2; with the 32 of AVX-512 they lose little.
#: Measured on PoCL 3.0 (LLVM 14) and Intel's runtime 2026.2; larger tiles spill on the former.
_PANELS = {
    "float32": PanelTile(rows=6, vectors=1, lanes=16, panels=4, row_blocks=8, depth=512),
    "float64": PanelTile(rows=6, vectors=1, lanes=8, panels=4, row_blocks=8, depth=512),
}


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
    """

    is_cpu: bool
    compute_units: int
    local_memory: int
    product: ProductFamily

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

    def panel_tile(self, dtype: str) -> PanelTile:
        """Return the tile for products of `dtype`, cut down to the local memory there is."""
        tile = _PANELS[dtype]
        itemsize = 4 if dtype == "float32" else 8
        while tile.depth > 16:
            packed = tile.columns * tile.panels + tile.rows * tile.row_blocks
            if packed * tile.depth * itemsize <= self.local_memory:
                break
            tile = attrs.evolve(tile, depth=tile.depth // 2)
        return tile

    def group_tile(self) -> GroupTile:
        """Return the tile of the ``tiles`` family."""
        return GroupTile()

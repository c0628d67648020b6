"""Where the tiles are kept that a tuner found to be fast on a device.

Responsible for their files in the user's cache; knows nothing of how they were found. A file that
is damaged, or of another device, driver or code, counts as none.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import attrs

from workbench.core.cache_file import CacheFile
from workbench.core.resources import source_digest
from workbench.engine.backends.base import DeviceInfo
from workbench.engine.backends.opencl.search import Limits, Tile, broken
from workbench.engine.backends.opencl.tunables import (
    GroupTile,
    PanelTile,
    ProductFamily,
    ProductKey,
)

_KINDS: Mapping[ProductFamily, type[Tile]] = {"panels": PanelTile, "tiles": GroupTile}


def stored(info: DeviceInfo, family: ProductFamily, local_memory: int) -> dict[ProductKey, Tile]:
    """Return the tiles that are kept for a device, by product; none where nothing is known."""
    kept = _file(info, family).read()
    try:
        tiles = {key: _KINDS[family](**numbers) for key, numbers in (kept or {}).items()}
    except (AttributeError, TypeError, ValueError):
        return {}
    # Sizes that a constraint asks for depend on the numbers' type, which the key names.
    limits = {key: Limits(local_memory, 2**31, 8 if "float64" in key else 4) for key in tiles}
    return {key: tile for key, tile in tiles.items() if not broken(tile, limits[key])}


def keep(info: DeviceInfo, family: ProductFamily, tiles: Mapping[ProductKey, Tile]) -> None:
    """Keep all tiles of a device; where nothing can be written they are forgotten."""
    _file(info, family).write({key: attrs.asdict(tile) for key, tile in tiles.items()})


@cache
def _sources() -> str:
    return source_digest("engine/backends/opencl")


def _file(info: DeviceInfo, family: ProductFamily) -> CacheFile:
    told = {name: getattr(info, name) for name in ("name", "platform", "driver")}
    about = {**told, "units": str(info.compute_units), "code": _sources()}
    return CacheFile("tuning", f"{info.id}-{family}", about)

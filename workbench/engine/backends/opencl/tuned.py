"""Where the tiles are kept that a tuner found to be fast on a device.

Responsible for their files in the user's cache; knows nothing of how they were found. A file that
is damaged, or of another device, driver or code, counts as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import attrs

from workbench.core.paths import cache_folder
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
    try:
        kept = json.loads(_path(info, family).read_bytes())
        if kept["device"] != _identity(info) or kept["sum"] != _sum(kept):
            return {}
        tiles = {key: _KINDS[family](**numbers) for key, numbers in kept["tiles"].items()}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    # Sizes that a constraint asks for depend on the numbers' type, which the key names.
    limits = {key: Limits(local_memory, 2**31, 8 if "float64" in key else 4) for key in tiles}
    return {key: tile for key, tile in tiles.items() if not broken(tile, limits[key])}


def keep(info: DeviceInfo, family: ProductFamily, tiles: Mapping[ProductKey, Tile]) -> Path | None:
    """Keep all tiles of a device; return the file, or None where nothing can be written."""
    kept: dict[str, Any] = {
        "device": _identity(info),
        "tiles": {key: attrs.asdict(tile) for key, tile in tiles.items()},
    }
    kept["sum"] = _sum(kept)
    path = _path(info, family)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        # In one step: another process may be reading, or writing its own.
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=1)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        return path
    return None


@cache
def _sources() -> str:
    return source_digest("engine/backends/opencl")


def _identity(info: DeviceInfo) -> dict[str, str]:
    told = {name: getattr(info, name) for name in ("name", "platform", "driver")}
    return {**told, "units": str(info.compute_units), "code": _sources()}


def _path(info: DeviceInfo, family: ProductFamily) -> Path:
    return cache_folder() / "tuning" / f"{re.sub(r'[^a-z0-9]+', '-', info.id)}-{family}.json"


def _sum(kept: dict[str, Any]) -> str:
    text = json.dumps([kept["device"], kept["tiles"]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()

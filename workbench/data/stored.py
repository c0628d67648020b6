"""Keeps in the user's cache what can be made or fetched again.

Responsible for writing whole files or none; a cache that cannot be written is no obstacle. Knows
nothing of contents.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def store(path: Path, data: bytes) -> bool:
    """Write `data` to `path` by way of a temporary file beside it; return whether that worked."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".part")
    except OSError:
        return False
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        part.replace(path)
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return True

"""JSON files in the user's cache, each about something that may change.

Responsible for reading only what is whole and about the same thing, and for writing in one step;
knows nothing of what is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from workbench.core.paths import cache_folder


@attrs.frozen
class CacheFile:
    """A file of the cache.

    Parameters
    ----------
    folder, name
        Where it lies; characters that some systems do not take in names are left out.
    about
        What the contents depend on: those of a file about anything else are not read.
    """

    folder: str
    name: str
    about: Mapping[str, str]

    @property
    def path(self) -> Path:
        """Where it lies."""
        return cache_folder() / self.folder / f"{re.sub(r'[^a-z0-9]+', '-', self.name)}.json"

    def read(self) -> Any:
        """Return the contents; None where there are none, or they are damaged or of no use."""
        try:
            kept = json.loads(self.path.read_bytes())
            if kept["about"] == self.about and kept["sum"] == self._sum(kept["contents"]):
                return kept["contents"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass
        return None

    def write(self, contents: Any) -> None:
        """Replace the contents; where nothing can be written they are forgotten."""
        kept = {"about": self.about, "contents": contents, "sum": self._sum(contents)}
        path = self.path
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

    def _sum(self, contents: Any) -> str:
        text = json.dumps([self.about, contents], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

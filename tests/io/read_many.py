"""Reads many model files in one process and writes what became of each, one line a file.

Started by tests on files that may crash or hang HDF5. Arguments: the files.
"""

from __future__ import annotations

import resource
import sys
import traceback
from pathlib import Path

from tests.io.here import fingerprint, read_here
from workbench import plugins
from workbench.core.errors import InputError
from workbench.io.child import MEMORY_LIMIT_BYTES


def _outcome(path: Path) -> str:
    try:
        return f"loaded {fingerprint(read_here(path))}"
    except InputError as refusal:
        return f"refused {refusal.message[:200]!r}"
    except Exception:  # noqa: BLE001 - this is what the test looks for
        return f"failed {traceback.format_exc()!r}"


if __name__ == "__main__":
    plugins.load_packages(["workbench.nn"])
    resource.setrlimit(resource.RLIMIT_AS, (2 * MEMORY_LIMIT_BYTES, 2 * MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name in sys.argv[1:]:
        print(_outcome(Path(name)), flush=True)

"""Where the OpenCL loader looks for drivers.

Responsible for making a driver that pip installed visible to the loader; knows nothing of devices.
It must run before pyopencl is imported, and imports nothing of it.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

from workbench.core.paths import cache_folder

_VARIABLE = "OCL_ICD_VENDORS"
_SYSTEM = Path("/etc/OpenCL/vendors")
_LIBRARY = "libintelocl.so"


def announce_drivers() -> None:
    """Let the loader find Intel's CPU driver where pip has put it into a virtual environment.

    The wheel's own ``.icd`` file names a path that is wrong there. A folder with a right one takes
    the place of the system's folder of drivers, so the system's entries are carried along. A
    variable that the user has set is left alone.
    """
    library = _find_library(_places())
    if library is None or _VARIABLE in os.environ or sys.platform == "win32":
        return
    folder = cache_folder() / "opencl-vendors"
    if _write_entries(folder, library, _SYSTEM):
        os.environ[_VARIABLE] = str(folder)


def _places() -> list[Path]:
    paths = sysconfig.get_paths()
    return [Path(paths["data"]) / "lib", Path(paths["purelib"]) / "lib", Path(paths["purelib"])]


def _find_library(places: list[Path]) -> Path | None:
    return next((path for place in places if (path := place / _LIBRARY).is_file()), None)


def _write_entries(folder: Path, library: Path, system: Path) -> bool:
    """Make `folder` hold the system's entries and one for `library`; return whether it does."""
    wanted = {path.name: path.read_text() for path in sorted(system.glob("*.icd"))}
    wanted["intel-workbench.icd"] = f"{library}\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.icd"):
            if path.name not in wanted:
                path.unlink(missing_ok=True)
        for name, text in wanted.items():
            path = folder / name
            if not path.is_file() or path.read_text() != text:
                path.write_text(text)
    except OSError:
        # Without a writable cache the driver stays hidden, and all else works.
        return False
    return True

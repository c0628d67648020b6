"""Where the OpenCL loader looks for drivers.

Responsible for making a driver that pip installed visible to the loader, and for what drivers are
told before they are loaded; knows nothing of devices. It must run before pyopencl is imported, and
imports nothing of it.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

from workbench.core.paths import cache_folder

#: On Windows the loader looks at the files named here as well as at the system's drivers.
_FILES_VARIABLE, _WINDOWS_LIBRARY = "OCL_ICD_FILENAMES", "intelocl64.dll"
#: Elsewhere at all entries of the folder named here, and no more at the system's.
_FOLDER_VARIABLE, _LIBRARY = "OCL_ICD_VENDORS", "libintelocl.so"
_SYSTEM = Path("/etc/OpenCL/vendors")
#: The local memory that Intel's CPU driver has for a work-group: 256 kB unless told otherwise, on a
#: stack that is small on Windows. With as much as products have use for, they read memory half as
#: often.
_LOCAL_MEMORY_VARIABLE, _LOCAL_MEMORY = "CL_CONFIG_CPU_FORCE_LOCAL_MEM_SIZE", "384KB"


def announce_drivers() -> None:
    """Let the loader find Intel's CPU driver where pip has put it into a virtual environment.

    The wheel's own ``.icd`` file names a path that is wrong there. A folder with a right one takes
    the place of the system's folder of drivers, so the system's entries are carried along. Any
    variable that the user has set is left alone.
    """
    windows = sys.platform == "win32"
    if not windows:
        os.environ.setdefault(_LOCAL_MEMORY_VARIABLE, _LOCAL_MEMORY)
    library = _find_library(_places(), _WINDOWS_LIBRARY if windows else _LIBRARY)
    variable = _FILES_VARIABLE if windows else _FOLDER_VARIABLE
    if library is None or variable in os.environ:
        return
    if windows:
        os.environ[variable] = str(library)
        # What the library needs lies beside it.
        os.environ["PATH"] = os.pathsep.join([str(library.parent), os.environ.get("PATH", "")])
        return
    folder = cache_folder() / "opencl-vendors"
    if _write_entries(folder, library, _SYSTEM):
        os.environ[variable] = str(folder)


def _places() -> list[Path]:
    paths = sysconfig.get_paths()
    data, pure = Path(paths["data"]), Path(paths["purelib"])
    return [data / "lib", data / "Library" / "bin", pure / "lib", pure]


def _find_library(places: list[Path], name: str) -> Path | None:
    return next((path for place in places if (path := place / name).is_file()), None)


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

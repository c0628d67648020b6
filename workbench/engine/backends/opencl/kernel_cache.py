"""Where programs are kept as a driver has built them, so that they are built once a machine.

Responsible for the folder of pyopencl's cache, which serves the drivers that keep no programs
themselves, and for mending what a process left there when it was ended; knows no kernel.
"""

from __future__ import annotations

import contextlib
import os
import time

from workbench.core.paths import cache_folder

#: Seconds that a lock may be held: pyopencl writes or reads a program in some milliseconds.
LOCK_S = 2.0


def unlocked_folder() -> str:
    """Return the folder of the cache; nobody holds its lock, or will for long.

    pyopencl's lock is a file. One that a process left behind when it was ended would keep everybody
    waiting for a minute at each program, and then fail.
    """
    # Where the cache fails, as on a full disk, pyopencl builds without it if this variable is there
    # and empty; if it is not there, it fails for want of it.
    os.environ.setdefault("PYOPENCL_CACHE_FAILURE_FATAL", "")
    folder = cache_folder() / "kernels"
    lock = folder / "lock"
    deadline = time.monotonic() + LOCK_S
    while lock.exists():
        if time.monotonic() > deadline:
            with contextlib.suppress(OSError):
                lock.unlink()
            break
        time.sleep(0.02)
    return str(folder)

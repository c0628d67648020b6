"""Files that a verb is asked to write.

Responsible for refusing, before any work is done, what could not be written afterwards; knows
nothing of what goes into them.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from workbench.core.errors import SaveError


def writable(name: str | None) -> Path | None:
    """Return the path that was asked for, once it is sure that a file can be made there.

    Raises
    ------
    SaveError
        Its folder is missing or cannot be written to, or it is a folder itself.
    """
    if name is None:
        return None
    path = Path(name)
    try:
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(path.stat().st_mode):
                raise SaveError(f"{name!r} is a folder.", "Give the name of a file.")
            if not os.access(path, os.W_OK):
                raise SaveError(f"{name!r} may not be written to.", "Give another name.")
        with tempfile.TemporaryFile(dir=path.parent):
            return path
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SaveError(
            f"Nothing can be written to {name!r}: {reason}.",
            "Choose a folder that exists and that you may write to.",
        ) from None

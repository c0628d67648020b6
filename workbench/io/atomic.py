"""Replaces a file in one step: the old one stays until the new bytes are on the disk, verified.

Responsible for temporary files, flushing and the errors of the file system; knows nothing of what
the bytes mean.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import stat
from pathlib import Path

from workbench.core.errors import SaveError

_CHUNK_BYTES = 1 << 20
#: Absent on Windows, where a folder cannot be flushed; absent elsewhere, where text and bytes are
#: the same.
_DIRECTORY = getattr(os, "O_DIRECTORY", None)
_BINARY = getattr(os, "O_BINARY", 0)

#: Names of the temporary files that this process is writing now.
_in_flight: set[str] = set()
_serial = itertools.count()

_FULL = "Free some space or save elsewhere"
_CLOSED = "Save to a folder in which you may write"
_ADVICE = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EACCES: _CLOSED,
    errno.EPERM: _CLOSED,
    errno.EROFS: _CLOSED,
    errno.ENAMETOOLONG: "Choose a shorter name",
    errno.ENOENT: "Make the folder first",
    errno.ENOTDIR: "Choose a folder that exists",
    errno.EISDIR: "Choose the name of a file",
}


def replace_file(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path`; whoever opens it, at any moment, finds the old bytes or the new.

    The bytes go to a temporary file ``<name>.tmp-<process id>-<number>`` in the same folder, are
    flushed to the disk, read back and compared; only then does that file take the place of `path`,
    and the folder is flushed too. If `path` is a symbolic link, the file that it leads to is
    replaced and the link stays. Temporary files of the same name that processes left behind when
    they died are removed.

    Raises
    ------
    SaveError
        Some step failed; what was there before is intact and the temporary file is gone.
    """
    try:
        target = Path(os.path.realpath(path))
        _check_target(target)
        _remove_stale(target)
        _replace(target, content)
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "Try again or save elsewhere")
        raise SaveError(
            f"{path} could not be saved: {error.strerror or error}.",
            f"{advice}; what was there before is intact.",
        ) from error
    except ValueError as error:  # a null byte in the name
        raise SaveError(
            f"{str(path)!r} could not be saved: {error}.", "Choose another name."
        ) from error
    # The new file is complete already, so a folder that cannot be flushed is no failure of the
    # save.
    with contextlib.suppress(OSError):
        _flush_folder(target.parent)


def _replace(target: Path, content: bytes) -> None:
    temporary = target.with_name(f"{target.name}.tmp-{os.getpid()}-{next(_serial)}")
    _in_flight.add(temporary.name)
    try:
        _write(temporary, content, _mode(target))
        if temporary.read_bytes() != content:
            raise OSError(errno.EIO, "the bytes read back differ from those written")
        temporary.replace(target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        _in_flight.discard(temporary.name)


def _check_target(target: Path) -> None:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    # Renaming would replace a file that its owner protected against writing.
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _mode(target: Path) -> int | None:
    """Return the permissions of the file that is there, which its successor keeps."""
    with contextlib.suppress(FileNotFoundError):
        return stat.S_IMODE(target.stat().st_mode)
    return None


def _write(temporary: Path, content: bytes, mode: int | None) -> None:
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest[:_CHUNK_BYTES]) :]
        if mode is not None:
            temporary.chmod(mode)
        os.fsync(handle)
    finally:
        os.close(handle)


def _flush_folder(folder: Path) -> None:
    if _DIRECTORY is None:
        return
    handle = os.open(folder, os.O_RDONLY | _DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_stale(target: Path) -> None:
    """Remove the temporary files of `target` that nobody writes any more."""
    pattern = re.compile(re.escape(target.name) + r"\.tmp-([0-9]+)-[0-9]+")
    # A folder that may be written but not listed is none of our business here.
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            match = pattern.fullmatch(entry.name)
            if match and not _at_work(entry.name, int(match[1])):
                with contextlib.suppress(OSError):
                    Path(entry.path).unlink()


def _at_work(name: str, process: int) -> bool:
    """Return whether the process that made the temporary file `name` may still be writing it."""
    if process == os.getpid():
        return name in _in_flight
    if os.name != "posix":  # there, signal 0 is Ctrl-C
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True

"""Reads an HDF5 file through a child process, so that no damaged file can crash or hang this one.

Responsible for starting, feeding, limiting and ending that process; what the file may hold is
judged elsewhere.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import attrs

from workbench.core.errors import ModelFileError

#: Seconds that the child has for a small file, and those on the processor among them; it needs less
#: than half a second. For a large file it has more, if it manages so many bytes a second.
TIME_LIMIT_S = 10.0
PROCESSOR_LIMIT_S = 3.0
SLOWEST_BYTES_PER_S = 50_000_000
#: Bytes of address space that the child has beside the size of the file; it needs an eighth of
#: them.
MEMORY_LIMIT_BYTES = 1 << 30

#: Exit statuses of a child that a limit ended; Windows has no such signals.
_OUT_OF_TIME = {-signal.Signals[name] for name in ("SIGKILL", "SIGXCPU") if hasattr(signal, name)}
_MAX_INVENTORY_BYTES = 64_000_000
_SCRIPT = Path(__file__).with_name("reader.py")
_MEND = "Take another copy of the file."


def _axes(lengths: Any) -> tuple[int, ...] | None:
    return None if lengths is None else tuple(int(length) for length in lengths)


def _numbers(values: Any) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


@attrs.frozen
class Entry:
    """What the file says of one object, before any array is read.

    Parameters
    ----------
    kind
        ``"group"`` or ``"dataset"``; anything else is a link or object that no model has.
    attributes
        Strings and lists of strings; None for what is neither.
    shape, dtype
        Of a dataset; None where it has no axes at all, or no numbers.
    layout
        ``"contiguous"``, ``"compact"``, ``"chunked"`` or ``"virtual"``.
    filters
        HDF5's numbers of the filters that its bytes passed.
    external
        Number of other files that hold its bytes.
    stored_bytes
        Size of what the file really holds of it.
    """

    path: str
    kind: str
    attributes: dict[str, str | list[str] | None] = attrs.field(factory=dict)
    shape: tuple[int, ...] | None = attrs.field(default=None, converter=_axes)
    dtype: str | None = None
    layout: str = ""
    filters: tuple[int, ...] = attrs.field(default=(), converter=_numbers)
    external: int = 0
    stored_bytes: int = 0


class Source(Protocol):
    """An opened file: its inventory, then the bytes of its arrays."""

    def inventory(self) -> list[Entry]:
        """Return one entry an object."""

    def read(self, wanted: Sequence[tuple[str, int]]) -> Iterator[bytes]:
        """Yield the bytes of each dataset in `wanted`: pairs of its path and its size in bytes."""


class ChildReader:
    """A source that reads `path` in a process with a time and a memory limit; a context manager.

    Parameters
    ----------
    path
        The file.
    size_bytes
        Its size; the limits grow with it.
    """

    def __init__(self, path: Path, size_bytes: int) -> None:
        more_s = size_bytes / SLOWEST_BYTES_PER_S
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-P", _SCRIPT, path.absolute()),
                *(str(MEMORY_LIMIT_BYTES + size_bytes), str(math.ceil(PROCESSOR_LIMIT_S + more_s))),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        self._timer = threading.Timer(TIME_LIMIT_S + more_s, self._process.kill)
        self._timer.start()

    def __enter__(self) -> ChildReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            # What was not sent to a process that died is of no interest.
            try:
                pipe.close()
            except BrokenPipeError:
                continue
        self._process.wait()

    def inventory(self) -> list[Entry]:
        """Return one entry an object of the file.

        Raises
        ------
        ModelFileError
            The file cannot be read within the limits, or holds more than any model does.
        """
        size = int.from_bytes(self._receive(8), "little")
        if size > _MAX_INVENTORY_BYTES:
            raise ModelFileError("it is damaged: its table of contents has no end.", _MEND)
        try:
            answer: dict[str, Any] = json.loads(self._receive(size))
            if "refused" in answer:
                raise ModelFileError(f"{answer['refused']}.", "Give a model file.")
            return [Entry(**record) for record in answer["objects"]]
        except (ValueError, TypeError, KeyError) as error:
            raise ModelFileError("it is damaged: its contents cannot be listed.", _MEND) from error

    def read(self, wanted: Sequence[tuple[str, int]]) -> Iterator[bytes]:
        """Yield the bytes of each dataset in `wanted`; to be called once, and last.

        The sizes are those that the caller computed; the child's word is not taken for them.

        Raises
        ------
        ModelFileError
            A dataset cannot be read within the limits.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps([path for path, _ in wanted]).encode() + b"\n")
            self._process.stdin.close()
        except BrokenPipeError:
            raise self._failure() from None
        for _, size in wanted:
            yield self._receive(size)

    def _receive(self, size: int) -> bytes:
        assert self._process.stdout is not None
        received = self._process.stdout.read(size)
        if len(received) < size:
            raise self._failure()
        return received

    def _failure(self) -> ModelFileError:
        if self._process.wait() in _OUT_OF_TIME:
            return ModelFileError("it is damaged: reading it did not come to an end.", _MEND)
        return ModelFileError("it is damaged, or not an HDF5 file: reading it failed.", _MEND)


def _environment() -> dict[str, str]:
    """Return the environment of the child: no filter plugins, no threads without use."""
    return {
        **os.environ,
        "HDF5_PLUGIN_PATH": "",
        "HDF5_PLUGIN_PRELOAD": "::",  # HDF5's way to say: load none, from nowhere
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }

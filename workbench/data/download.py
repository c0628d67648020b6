"""Fetches one file from the first mirror that has it.

Responsible for time limits, size limits and progress; what the file should hold is the caller's
business.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

import pooch  # type: ignore[import-untyped]

from workbench.core.errors import DataError
from workbench.data.dataset import Progress

T = TypeVar("T")

_TIMEOUT_S = (5.0, 20.0)  # to connect, to wait for more bytes
_PIECE_BYTES = 2**16


class _Bar:
    """Stands where pooch expects a progress bar."""

    def __init__(self, what: str, largest_bytes: int, progress: Progress) -> None:
        self.total = 0
        self._what, self._largest, self._progress = what, largest_bytes, progress
        self._done = 0

    def update(self, size_bytes: int) -> None:
        self._done += size_bytes
        if self._done > self._largest + _PIECE_BYTES:
            raise DataError(
                f"{self._what} is longer than {self._largest} bytes.", "Try again later."
            )
        self._progress(
            self._what, min(self._done, self.total) if self.total else self._done, self.total
        )

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        """Nothing is held open."""


def fetch(url: str, what: str, largest_bytes: int, progress: Progress) -> bytes:
    """Return the bytes at `url`; raise OSError when the network fails."""
    buffer = io.BytesIO()
    bar = _Bar(what, largest_bytes, progress)
    pooch.HTTPDownloader(progressbar=bar, chunk_size=_PIECE_BYTES, timeout=_TIMEOUT_S)(
        url, buffer, None
    )
    return buffer.getvalue()


def first_good(
    urls: Sequence[str],
    what: str,
    largest_bytes: int,
    accept: Callable[[bytes], T],
    progress: Progress,
) -> tuple[bytes, T]:
    """Return the first mirror's bytes that are accepted, with what `accept` made of them.

    Parameters
    ----------
    urls
        The same file at several mirrors, tried in turn.
    what
        What is being done, for the progress.
    largest_bytes
        A longer file is not read to its end.
    accept
        Turns the bytes into what is wanted, or raises DataError.

    Raises
    ------
    DataError
        No mirror had a good file; the message gives each one's reason.
    """
    reasons = []
    for url in urls:
        try:
            data = fetch(url, what, largest_bytes, progress)
            return data, accept(data)
        except DataError as error:
            reasons.append(error.message)
        except OSError as error:
            reasons.append(f"{urlsplit(url).netloc}: {type(error).__name__}")
    raise DataError(", ".join(reasons))

"""Which kernels were built together before, so that what has not changed is never built again.

Drivers keep what they have built by the text of the whole program. A program of new kernels and old
ones would be another text, and all of it be built; so the old ones are taken out of the program
that they were built in.

Responsible for remembering texts by their kernels; knows no driver and builds nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Iterable
from pathlib import Path

from workbench.core.paths import cache_folder

#: Characters of a digest that name a folder or a file.
_DIGITS = 20


class Recall:
    """The programs of one device, driver and set of options.

    Parameters
    ----------
    about
        All that a built program depends on besides its text.
    """

    def __init__(self, *about: str) -> None:
        self._family = hashlib.sha256("\n".join(about).encode()).hexdigest()[:_DIGITS]

    def programs(self, kernels: Iterable[str]) -> dict[str, list[str]]:
        """Return the texts that some of the kernels were built in, each with these kernels' names.

        What is damaged or gone is not remembered.
        """
        found: dict[str, list[str]] = {}
        for name in kernels:
            with contextlib.suppress(OSError, ValueError):
                digest = self._path(name).read_text("ascii").strip()
                text = self._path(f"{digest}.cl").read_text("utf-8")
                # Half a text, or another one, is none.
                if digest == _digest(text) and name in text:
                    found.setdefault(text, []).append(name)
        return found

    def remember(self, text: str, kernels: Iterable[str]) -> None:
        """Note that kernels have been built in a program; where it cannot be noted, it is not."""
        digest = _digest(text)
        with contextlib.suppress(OSError):
            self._write(f"{digest}.cl", text)
            for name in kernels:
                self._write(name, digest)

    def _path(self, name: str) -> Path:
        return cache_folder() / "programs" / self._family / name

    def _write(self, name: str, text: str) -> None:
        """Write a file in one step: other processes read and write here, too."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="utf-8", delete=False) as f:
            f.write(text)
        Path(f.name).replace(path)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]

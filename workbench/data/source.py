"""What a source of data states, and the readers of data files.

Responsible for the two protocols and the file readers' registry; knows no particular source.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from workbench.core.registry import Registry
from workbench.data.dataset import Dataset, Progress


class Source(Protocol):
    """A dataset with a name, registered in `DATASETS`. One file of `sources/` each."""

    #: One sentence for whoever chooses a dataset.
    about: str

    def load(self, progress: Progress) -> Dataset:
        """Return the dataset, fetched or made where needed; raise DataError where that fails."""


class Reader(Protocol):
    """Reads a dataset that a path names. One file of `sources/` each."""

    #: What it reads, for messages.
    about: str

    def reads(self, path: Path) -> bool:
        """Return whether the path (of a file or folder that exists) looks like one of its own."""

    def read(self, path: Path, progress: Progress) -> Dataset:
        """Return the dataset; raise DataError where files are damaged or do not fit together."""


#: The readers of data files, asked in order of registration.
READERS: Registry[type[Reader]] = Registry("kind of data file")

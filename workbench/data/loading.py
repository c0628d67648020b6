"""From a data spec to a dataset: by registered name, else by path.

Responsible for finding the source and cutting the training split; knows no particular source.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import attrs

import workbench.data.sources  # noqa: F401 - registers them
from workbench.core.errors import DataError
from workbench.data.dataset import Dataset, Progress, silent
from workbench.data.source import READERS, Source
from workbench.spec.data import DataSpec
from workbench.spec.field_info import quote
from workbench.spec.registries import DATASETS


def load(spec: DataSpec, progress: Progress = silent) -> Dataset:
    """Return the dataset that a spec names.

    Parameters
    ----------
    spec
        A registered name or a path, and how many training rows to keep.
    progress
        Called now and then while data are fetched or made.

    Raises
    ------
    DataError
        No such dataset; its files are missing or damaged; or the limit is beyond its training rows.
    """
    dataset = _named(spec.dataset, progress)
    if spec.limit is None:
        return dataset
    rows = len(dataset.train)
    if not 1 <= spec.limit <= rows:
        raise DataError(
            f"The limit {spec.limit} does not fit {spec.dataset!r}: it has {rows} training rows.",
            f"Choose 1 to {rows}.",
        )
    return attrs.evolve(dataset, train=dataset.train[: spec.limit])


def _named(name: str, progress: Progress) -> Dataset:
    if name in DATASETS:
        source: Source = DATASETS[name]()
        return source.load(progress)
    # Not Path.exists: it raises for names that are too long.
    if not os.path.exists(name):  # noqa: PTH110
        close = difflib.get_close_matches(name, DATASETS, n=1)
        advice = (
            f"Did you mean {close[0]!r}?"
            if close
            else f"Known: {', '.join(DATASETS)}; or give the path of data files."
        )
        raise DataError(f"There is no dataset or file called {quote(name)}.", advice)
    path = Path(name)
    readers = [READERS[kind]() for kind in READERS]
    for reader in readers:
        if reader.reads(path):
            return reader.read(path, progress)
    kinds = ", ".join(reader.about for reader in readers)
    raise DataError(f"{name} is no data that can be read.", f"Give the path of {kinds}.")

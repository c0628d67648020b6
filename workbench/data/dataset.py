"""What a dataset is once it is in memory: three splits of read-only arrays.

Responsible for the types and their checks; knows nothing of files, and nothing of how the
rows are used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property

import attrs
import numpy as np

from workbench.core.errors import DataError

#: Told what is being done, how much of it is done and how much there is (0 where that is unknown).
Progress = Callable[[str, int, int], None]

#: The names of a dataset's splits.
SPLITS = ("train", "validation", "test")


def silent(what: str, done: int, total: int) -> None:
    """Take a report of progress and show nothing."""


def _read_only(array: np.ndarray) -> np.ndarray:
    view = np.ascontiguousarray(array).view()
    view.setflags(write=False)
    return view


@attrs.frozen(eq=False)
class Split:
    """Inputs and what is right for each.

    Parameters
    ----------
    inputs
        Images as uint8, or rows as floating-point numbers.
    targets
        Class numbers from 0 as int32, or rows as floating-point numbers.

    Shapes
    ------
    inputs : (n, height, width) or (n, columns)
    targets : (n,) or (n, columns)

    Raises
    ------
    DataError
        The two differ in length.
    """

    inputs: np.ndarray = attrs.field(converter=_read_only)
    targets: np.ndarray = attrs.field(converter=_read_only)

    def __attrs_post_init__(self) -> None:
        if len(self.inputs) != len(self.targets):
            raise DataError(
                f"There are {len(self.inputs)} inputs but {len(self.targets)} targets.",
                "Give one target for each input.",
            )

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, rows: slice) -> Split:
        """Return some of the rows, in their order."""
        return Split(self.inputs[rows], self.targets[rows])


@attrs.frozen(eq=False, slots=False)
class Dataset:
    """Training, validation and test rows under one name.

    Parameters
    ----------
    name
        The registered name, or the path it was read from.
    train, validation, test
        The splits; none is empty.
    classes
        Number of classes; 0 where the targets are numbers.

    Raises
    ------
    DataError
        A split is empty, a class number is out of range, or the splits do not fit one another.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: int = 0

    def __attrs_post_init__(self) -> None:
        for which, split in self.splits().items():
            if not len(split):
                raise DataError(
                    f"The {which} split of {self.name!r} is empty.",
                    "Choose a dataset with more rows.",
                )
            if split.inputs.shape[1:] != self.train.inputs.shape[1:]:
                raise DataError(
                    f"The {which} inputs of {self.name!r} have shape {split.inputs.shape[1:]}, "
                    f"its training inputs {self.train.inputs.shape[1:]}.",
                    "Give all splits the same shape.",
                )
            if self.classes and not 0 <= split.targets.min() <= split.targets.max() < self.classes:
                worst = max(
                    split.targets.max(),
                    split.targets.min(),
                    key=lambda t: abs(t - self.classes / 2),
                )
                raise DataError(
                    f"The {which} split of {self.name!r} holds the label {worst}, "
                    f"but its classes are numbered 0 to {self.classes - 1}.",
                    "Mend the labels.",
                )

    def splits(self) -> dict[str, Split]:
        """Return the three splits by name."""
        return {name: getattr(self, name) for name in SPLITS}

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input as networks see it: (1, height, width), or (columns,) for rows."""
        shape = self.train.inputs.shape[1:]
        return (1, *shape) if len(shape) == 2 else shape

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of every split's shapes, dtypes and bytes."""
        digest = hashlib.sha256()
        for split in self.splits().values():
            for array in (split.inputs, split.targets):
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                digest.update(array.data if array.size else b"")
        return digest.hexdigest()

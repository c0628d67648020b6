"""Loops once shapes are known: the node of a loop's result.

Responsible for what makes results belong to one run of a loop; knows nothing of how it is run.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from workbench.engine.graph.loop import Body, Kind
from workbench.engine.graph.op import Elementwise, Op
from workbench.engine.graph.types import Shape
from workbench.engine.lower.node import Node


@attrs.frozen
class Turns(Op):
    """One result of a loop; its inputs are arrays in memory: sequences, first states, the given.

    Parameters
    ----------
    body, kind, number
        As for `Loop`.
    count
        The number of turns.
    deciding
        The values of the given numbers that decide shapes.
    """

    name = "loop"
    body: Body
    kind: Kind
    number: int
    count: int
    deciding: tuple[int, ...]

    def run(self, inputs: Sequence[Node]) -> object:
        """Return what is equal for results that are computed together."""
        return self.body, self.count, self.deciding, tuple(id(n) for n in inputs)


@attrs.frozen
class Kept(Elementwise):
    """A value as it is, in memory of its own."""

    name = "kept"

    def cl(self, dtypes: Sequence[str], *args: str) -> str:
        """Give the value."""
        return args[0]

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Give the value."""
        return arrays[0]

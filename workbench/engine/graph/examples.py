"""Examples of every operation, drawn from what the registry says of it.

Responsible for arrays and the variables that hold them; knows no operation by name.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

import workbench.engine.graph.ops  # noqa: F401 - importing it fills the registry
from workbench.engine.graph.ops.registry import OPS, Sample
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable


@attrs.frozen(eq=False)
class Example:
    """One use of an operation on drawn arrays.

    Parameters
    ----------
    name
        What test reports call it.
    build
        Makes the expression from one variable for each array.
    arrays
        The inputs' values.
    types
        The inputs' types; some axes of length 1 are broadcastable.
    numpy
        The same in plain NumPy; None where the reference itself calls NumPy.
    differentiable
        Whether finite differences of `build` exist at `arrays`.
    """

    name: str
    build: Callable[..., Variable]
    arrays: tuple[np.ndarray, ...]
    types: tuple[TensorType, ...]
    numpy: Callable[..., Any] | None
    differentiable: bool

    def inputs(self) -> list[Variable]:
        """Return fresh variables for the arrays."""
        return [Variable(t, None, f"x{i}") for i, t in enumerate(self.types)]


def examples(name: str, dtype: str) -> list[Example]:
    """Return examples of the operation called `name`, with inputs of `dtype`; none if not admitted.

    The same call returns the same numbers.
    """
    entry = OPS[name]
    if dtype not in entry.dtypes:
        return []
    found = []
    for number, case in enumerate(entry.cases):
        if dtype not in case.dtypes:
            continue
        rng = np.random.default_rng(zlib.crc32(f"{name} {dtype} {number}".encode()))
        arrays = tuple(draw(sample, dtype, rng) for sample in case.samples)
        types = tuple(
            TensorType(a.dtype.name, s.broadcastable)
            for a, s in zip(arrays, case.samples, strict=True)
        )
        shapes = "-".join("x".join(map(str, a.shape)) or "0d" for a in arrays)
        found.append(
            Example(
                f"{name}-{dtype}-{number}-{shapes}",
                case.build,
                arrays,
                types,
                case.numpy,
                case.differentiable and dtype.startswith("float"),
            )
        )
    return found


def draw(sample: Sample, dtype: str, rng: np.random.Generator) -> np.ndarray:
    """Return an array for `sample`; `dtype` where it leaves that open."""
    kind = sample.dtype or dtype
    if sample.values is not None:
        return np.resize(np.array(sample.values), sample.shape).astype(kind)
    if kind.startswith("float"):
        values = rng.uniform(sample.low, sample.high, sample.shape)
        return np.asarray(np.round(values * 2) / 2 if sample.ties else values).astype(kind)
    low, high = int(np.ceil(sample.low)), int(np.floor(sample.high))
    if kind == "bool":
        return np.asarray(rng.integers(0, 2, sample.shape)).astype("bool")
    low = max(low, int(np.iinfo(kind).min))
    return np.asarray(rng.integers(low, high + 1, sample.shape)).astype(kind)

"""Examples of every operation, drawn from what the registry says of it.

Responsible for arrays and the variables that hold them; knows no operation by name.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Literal, get_args

import attrs
import numpy as np

import workbench.engine.graph.ops  # noqa: F401 - importing it fills the registry
from workbench.core.errors import GraphError
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.ops.registry import FLOATS, OPS, Case, Sample
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Variable

#: What every operand of every operation is tried with, where the operation admits it.
Kind = Literal["odd", "empty", "broadcast"]


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
    if dtype not in OPS[name].dtypes:
        return []
    cases = enumerate(_cases(name))
    return [_example(name, dtype, i, case) for i, case in cases if dtype in case.dtypes]


def _example(name: str, dtype: str, number: int, case: Case) -> Example:
    rng = np.random.default_rng(zlib.crc32(f"{name} {dtype} {number}".encode()))
    arrays = tuple(draw(sample, dtype, rng) for sample in case.samples)
    types = tuple(
        TensorType(a.dtype.name, s.broadcastable) for a, s in zip(arrays, case.samples, strict=True)
    )
    shapes = "-".join("x".join(map(str, a.shape)) or "0d" for a in arrays)
    return Example(
        f"{name}-{dtype}-{number}-{shapes}",
        case.build,
        arrays,
        types,
        case.numpy,
        case.differentiable and dtype.startswith("float"),
    )


def missing_kinds(name: str) -> list[tuple[int, Kind]]:
    """Return which operands no example gives an axis of odd or no length, or one that stretches."""
    return _gaps(_cases(name))


def _gaps(cases: tuple[Case, ...]) -> list[tuple[int, Kind]]:
    operands = max(len(case.samples) for case in cases)
    tried = [(i, sample) for case in cases for i, sample in enumerate(case.samples)]
    kinds: tuple[Kind, ...] = get_args(Kind)
    return [
        (position, kind)
        for position in range(operands)
        if any(i == position and sample.shape for i, sample in tried)
        for kind in kinds
        if not any(i == position and _is(sample, kind) for i, sample in tried)
    ]


def _is(sample: Sample, kind: Kind) -> bool:
    if kind == "broadcast":
        return bool(sample.stretch)
    return any(n == 0 if kind == "empty" else n > 1 and n % 2 for n in sample.shape)


@cache
def _cases(name: str) -> tuple[Case, ...]:
    """Return the declared cases, and of them made what they leave out and the operation admits.

    Shapes are no matter of dtypes: what is made is tried in floats, if the operation takes any.
    """
    entry = OPS[name]
    cases = entry.cases
    dtypes = tuple(d for d in entry.dtypes if d in FLOATS) or entry.dtypes
    for position, kind in _gaps(cases):
        varied = (new for case in entry.cases for new in _varied(case, position, kind))
        found = next((new for new in varied if _is_admitted(name, dtypes, new)), None)
        cases += () if found is None else (attrs.evolve(found, dtypes=dtypes),)
    return cases


def _varied(case: Case, position: int, kind: Kind) -> Iterator[Case]:
    """Return a case with another length at one axis, and wherever else that length stands."""
    if position >= len(case.samples) or any(s.values is not None for s in case.samples):
        return
    chosen = case.samples[position]
    for axis, n in enumerate(chosen.shape):
        length = {"odd": 2 * n + 3, "empty": 0, "broadcast": 1}[kind]
        alone = (*chosen.shape[:axis], length, *chosen.shape[axis + 1 :])
        if kind == "broadcast":
            other = attrs.evolve(chosen, shape=alone, stretch=(*chosen.stretch, axis))
        else:
            everywhere = [_replaced(s.shape, n, length) for s in case.samples]
            pairs = zip(case.samples, everywhere, strict=True)
            yield attrs.evolve(case, samples=tuple(attrs.evolve(s, shape=t) for s, t in pairs))
            other = attrs.evolve(chosen, shape=alone)
        samples = (*case.samples[:position], other, *case.samples[position + 1 :])
        yield attrs.evolve(case, samples=samples)


def _replaced(shape: Shape, old: int, new: int) -> Shape:
    return tuple(new if n == old else n for n in shape)


def _is_admitted(name: str, dtypes: tuple[str, ...], case: Case) -> bool:
    """Whether the operation, and NumPy where it is asked, take operands of these shapes."""
    dtype = next((d for d in reversed(dtypes) if d in case.dtypes), None)
    if dtype is None:
        return False
    example = _example(name, dtype, 0, case)
    inputs = example.inputs()
    try:
        output = example.build(*inputs)
        (value,) = evaluate([output], dict(zip(inputs, example.arrays, strict=True)))
        with np.errstate(all="ignore"):
            wanted = value if case.numpy is None else case.numpy(*example.arrays)
    except (GraphError, ValueError, IndexError):
        return False
    return np.shape(wanted) == value.shape


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

"""The registry of operations, with what tests need to exercise each one without naming it.

Responsible for the declarations; knows neither how arrays are drawn nor any particular operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from workbench.core.registry import Registry
from workbench.engine.graph.op import Op
from workbench.engine.graph.types import Shape
from workbench.engine.graph.variable import FUNCTIONS, Variable

F = TypeVar("F", bound=Callable[..., Any])

FLOATS = ("float32", "float64")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
NUMBERS = INTEGERS + FLOATS
ALL = ("bool", *NUMBERS)
#: What tests of integer arithmetic walk: a narrow, an unsigned and the two common widths.
SAMPLED = ("bool", "int8", "uint8", "int32", "int64", "float32", "float64")


@attrs.frozen
class Sample:
    """How to draw one input of an example.

    Parameters
    ----------
    shape
        Its shape; axes of length 1 named in `stretch` are broadcastable.
    dtype
        NumPy's name; None for the dtype under test.
    low, high
        Range of the values, both inclusive for integers.
    stretch
        The broadcastable axes.
    ties
        Whether equal values are wanted: floats are then drawn from multiples of one half.
    values
        Exact values instead of drawn ones, repeated to fill the shape.
    """

    shape: Shape
    dtype: str | None = None
    low: float = -3.0
    high: float = 3.0
    stretch: tuple[int, ...] = ()
    ties: bool = False
    values: tuple[float, ...] | None = None

    @property
    def broadcastable(self) -> tuple[bool, ...]:
        """One flag an axis."""
        return tuple(axis in self.stretch for axis in range(len(self.shape)))


@attrs.frozen
class Case:
    """One way to use an operation.

    Parameters
    ----------
    build
        Makes the expression from one variable for each sample.
    samples
        Its inputs.
    numpy
        The same in plain NumPy, for the tests of the reference; None where the reference is a NumPy
        function itself.
    differentiable
        Whether finite differences exist at these inputs (they do not at ties and jumps).
    dtypes
        The dtypes in which it makes sense, if fewer than the operation's.
    """

    build: Callable[..., Variable]
    samples: tuple[Sample, ...]
    numpy: Callable[..., Any] | None = None
    differentiable: bool = True
    dtypes: tuple[str, ...] = ALL


@attrs.frozen
class Entry:
    """An operation, or a function of the language made of several, and how to exercise it.

    Parameters
    ----------
    op
        The operation, its class, or None for a composition.
    dtypes
        The dtypes that examples are drawn in.
    cases
        Ways to use it.
    """

    op: Op | type[Op] | None
    dtypes: tuple[str, ...]
    cases: tuple[Case, ...]


OPS: Registry[Entry] = Registry("operation")


def declare(name: str, op: Op | type[Op] | None, dtypes: tuple[str, ...], *cases: Case) -> None:
    """Register an operation or composition with its examples."""
    OPS.add(name)(Entry(op, dtypes, cases))


def language(function: F) -> F:
    """Register a function of the language under its own name; a decorator."""
    FUNCTIONS.add(function.__name__)(function)
    return function


def call(name: str, *args: Any, **named: Any) -> Variable:
    """Call a function of the language by name; how families use each other without a cycle."""
    result: Variable = FUNCTIONS[name](*args, **named)
    return result

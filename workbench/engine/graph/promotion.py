"""What arguments become: variables from Python and NumPy values, and the dtype that several share.

Responsible for the typing rules of `docs/typing.md`; knows no operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.types import DTYPES
from workbench.engine.graph.variable import FUNCTIONS, Constant, Variable


@attrs.define
class Defaults:
    """What stands where a program leaves a dtype open.

    Parameters
    ----------
    float_dtype
        The dtype of Python floats that meet no variable, and of tensors made from nothing.
    """

    float_dtype: str = "float64"


DEFAULTS = Defaults()

_SIGNED = ("int8", "int16", "int32", "int64")


def as_variable(value: Any, name: str | None = None) -> Variable:
    """Return `value` as a variable: itself, a constant, or a list that holds variables stacked.

    Parameters
    ----------
    value
        A variable, a Python or NumPy number, an array, or a (nested) list of these. A Python number
        is *weak*: it takes the dtype of what it meets.

    Raises
    ------
    GraphError
        It is none of these, or its dtype is not one of ours.
    """
    if isinstance(value, Variable):
        return value
    if isinstance(value, (list, tuple)) and _holds_variable(value):
        stacked: Variable = FUNCTIONS["stack"](*value)
        return stacked
    array = np.asarray(value)
    if array.dtype.name not in DTYPES:
        raise GraphError(
            f"{value!r} cannot be part of an expression: its dtype is {array.dtype.name}.",
            "Give numbers, arrays of numbers or variables.",
        )
    return Constant(array, name, weak=type(value) in (int, float))


def _holds_variable(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_holds_variable(v) for v in value)
    return isinstance(value, Variable)


def common_dtype(variables: Sequence[Variable]) -> str:
    """Return the dtype that NumPy 2 gives the combination; literal integers widen if they must."""
    strong = [v.dtype for v in variables if not is_weak(v)]
    weak = [v for v in variables if isinstance(v, Constant) and v.weak]
    if not strong:
        dtype = np.result_type(*(v.dtype for v in weak)).name
        return DEFAULTS.float_dtype if dtype.startswith("float") else dtype
    dtype = np.result_type(*strong).name
    for literal in weak:
        dtype = _meet_literal(dtype, literal)
    return dtype


def is_weak(variable: Variable) -> bool:
    """Whether `variable` is a Python number, which takes the dtype of what it meets."""
    return isinstance(variable, Constant) and variable.weak


def _meet_literal(dtype: str, literal: Constant) -> str:
    if literal.dtype.startswith("float"):
        return dtype if dtype.startswith("float") else "float64"
    if dtype.startswith("float"):
        return dtype
    if dtype == "bool":
        return literal.dtype
    value = int(literal.value)
    if _fits(value, dtype):
        return dtype
    smallest = next((d for d in _SIGNED if _fits(value, d)), "uint64")
    return np.result_type(dtype, smallest).name


def _fits(value: int, dtype: str) -> bool:
    limits = np.iinfo(dtype)
    return int(limits.min) <= value <= int(limits.max)


def float_dtype(variables: Sequence[Variable]) -> str:
    """Return the float dtype of a function that gives floats: float32 for small integers only."""
    dtype = common_dtype(variables)
    if dtype.startswith("float"):
        return dtype
    small = np.dtype(dtype).itemsize <= 2
    return "float32" if small else "float64"


def join_flags(patterns: Sequence[tuple[bool, ...]]) -> tuple[bool, ...]:
    """Return which axes of an elementwise result are broadcastable: those of all inputs."""
    ndim = max((len(p) for p in patterns), default=0)
    padded = [(True,) * (ndim - len(p)) + p for p in patterns]
    return tuple(all(flags) for flags in zip(*padded, strict=True))

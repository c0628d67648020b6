"""What may be given to a function: inputs, givens and updates, and the arguments of a call.

Responsible for refusing what does not fit by name and place; knows nothing of plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.ops.shape import retype
from workbench.engine.graph.variable import Constant, SharedVariable, Variable

Pairs = Mapping[Variable, Any] | Iterable[tuple[Variable, Any]]


def coerced(variable: Variable, value: Any) -> np.ndarray:
    """Return a value as an array of the variable's dtype, if nothing is lost by it."""
    array = np.asarray(value)
    wanted = np.dtype(variable.dtype)
    if array.ndim != variable.ndim:
        raise GraphError(
            f"The value for {variable.describe()} has shape {array.shape}.",
            f"Give an array of {variable.ndim} axes.",
        )
    for axis, (length, stretches) in enumerate(
        zip(array.shape, variable.broadcastable, strict=True)
    ):
        if stretches and length != 1:
            raise GraphError(
                f"The value for {variable.describe()} has length {length} on axis {axis}.",
                "Give length 1.",
            )
    if array.dtype != wanted:
        python_number = isinstance(value, (bool, int, float, list, tuple))
        if not (python_number and _fits(array, wanted)) and not np.can_cast(
            array.dtype, wanted, "safe"
        ):
            raise GraphError(
                f"The value for {variable.describe()} has dtype {array.dtype}.",
                f"Give {wanted}, or convert it: numpy.asarray(value, {wanted.name!r}).",
            )
    return np.ascontiguousarray(array, dtype=wanted).reshape(array.shape)


def _fits(array: np.ndarray, wanted: np.dtype[Any]) -> bool:
    """Whether numbers written in Python are in the range of `wanted`."""
    if array.size == 0:
        return True
    if wanted.kind == "f" and array.dtype.kind in "biuf":
        finite = array[np.isfinite(array)]
        return bool(np.abs(finite).max(initial=0) <= np.finfo(wanted).max)
    if wanted.kind in "iu" and array.dtype.kind in "biu":
        limits = np.iinfo(wanted)
        return bool(limits.min <= array.min() and array.max() <= limits.max)
    return wanted.kind == array.dtype.kind


def pairs(given: Pairs) -> list[tuple[Variable, Any]]:
    """Return pairs that were given as a mapping or one by one."""
    found: list[Any] = list(given.items() if isinstance(given, Mapping) else given)
    for pair in found:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            given_instead = pair.describe() if isinstance(pair, Variable) else repr(pair)
            raise GraphError(
                f"Updates and givens got {given_instead}, which is no pair.",
                "Give a dictionary, or a list of pairs: [(variable, value), ...].",
            )
    return [(variable, value) for variable, value in found]


def check_inputs(inputs: Sequence[Variable]) -> None:
    """Raise GraphError unless every input is a free variable, named once."""
    seen: set[int] = set()
    for variable in inputs:
        if isinstance(variable, SharedVariable):
            raise GraphError(
                f"{variable.describe()} is shared and cannot be an input.",
                "Use givens to stand in for it.",
            )
        if isinstance(variable, Constant) or variable.owner is not None:
            raise GraphError(
                f"{variable.describe()} is not a free variable.", "Only those can be inputs."
            )
        if variable.serial in seen:
            raise GraphError(
                f"{variable.describe()} is given twice among the inputs.", "Name it once."
            )
        seen.add(variable.serial)


def checked_givens(
    givens: Sequence[tuple[Variable, Any]], inputs: Sequence[Variable]
) -> dict[Variable, Variable]:
    """Return what stands in for which variable; raise GraphError where it cannot."""
    checked: dict[Variable, Variable] = {}
    for variable, value in givens:
        replacement = value if isinstance(value, Variable) else Constant(coerced(variable, value))
        if any(variable is given for given in inputs):
            raise GraphError(
                f"{variable.describe()} is both an input and in givens.", "Keep one of the two."
            )
        if replacement.dtype != variable.dtype or replacement.ndim != variable.ndim:
            raise GraphError(
                f"{replacement.describe()} cannot stand in for {variable.describe()}.",
                "Their dtypes and numbers of axes must be equal; cast() changes a dtype.",
            )
        if variable in checked:
            raise GraphError(f"{variable.describe()} is given twice in givens.", "Name it once.")
        # What was built on the variable relies on its broadcastable axes.
        checked[variable] = retype(replacement, variable.broadcastable)
    return checked


def checked_updates(
    updates: Sequence[tuple[Any, Any]],
) -> list[tuple[SharedVariable, Variable]]:
    """Return the new value of each shared variable; raise GraphError where it cannot be one."""
    checked: dict[SharedVariable, Variable] = {}
    for shared, new in updates:
        if not isinstance(shared, SharedVariable):
            given = shared.describe() if isinstance(shared, Variable) else repr(shared)
            raise GraphError(
                f"{given} is not a shared variable, so it cannot be updated.",
                "Make it with shared().",
            )
        if shared in checked:
            raise GraphError(f"{shared.describe()} has two updates.", "Give it one.")
        value = new if isinstance(new, Variable) else Constant(coerced(shared, new))
        if value.dtype != shared.dtype or value.ndim != shared.ndim:
            raise GraphError(
                f"The update of {shared.describe()} is {value.describe()}.",
                "An update keeps its variable's dtype and number of axes; cast() changes a dtype.",
            )
        checked[shared] = value
    return list(checked.items())

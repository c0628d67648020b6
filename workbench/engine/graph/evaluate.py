"""The value of an expression, computed operation by operation in NumPy.

Responsible for being the oracle of rewriting, lowering and kernels; knows none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.traversal import output_shape, output_value, topological
from workbench.engine.graph.variable import Apply, Constant, SharedVariable, Variable


def evaluate(
    outputs: Sequence[Variable], values: Mapping[Variable, Any] | None = None
) -> list[np.ndarray]:
    """Return the values of `outputs`, given those of the inputs; shared variables are read.

    Parameters
    ----------
    values
        An array of the right dtype and number of axes for each input; a variable that has a value
        here is not computed.

    Raises
    ------
    GraphError
        An input has no value or one of another type, or shapes do not fit.
    """
    values = values or {}
    known: dict[int, np.ndarray] = {}
    for variable, value in values.items():
        known[variable.serial] = _checked(variable, value)
    for variable in topological(outputs, stop=tuple(values)):
        if variable.serial not in known:
            known[variable.serial] = _value(variable, known)
    return [known[v.serial] for v in outputs]


def _checked(variable: Variable, value: Any) -> np.ndarray:
    array = np.asarray(value)
    fits = array.dtype.name == variable.dtype and array.ndim == variable.ndim
    if not fits or any(
        flag and n != 1 for n, flag in zip(array.shape, variable.broadcastable, strict=True)
    ):
        raise GraphError(
            f"{variable.describe()} got a value of dtype {array.dtype} and shape {array.shape}.",
            "Give an array of its type.",
        )
    return array


def _value(variable: Variable, known: dict[int, np.ndarray]) -> np.ndarray:
    if isinstance(variable, Constant):
        return variable.value
    if isinstance(variable, SharedVariable):
        return variable.get_value()
    if variable.owner is None:
        raise GraphError(
            f"No value is given for {variable.describe()}.", "Add it to inputs or givens."
        )
    return _computed(variable.owner, known)


def _computed(apply: Apply, known: dict[int, np.ndarray]) -> np.ndarray:
    op = apply.op
    sizes = [int(known[apply.inputs[i].serial]) for i in op.shape_inputs]
    given = [v for i, v in enumerate(apply.inputs) if i not in op.shape_inputs]
    arrays = [known[v.serial] for v in given]
    shape = output_shape(apply, [a.shape for a in arrays], sizes)
    value = output_value(apply, arrays, shape)
    if value.dtype.name != apply.output.dtype or value.shape != shape:
        raise AssertionError(
            f"{op.name}'s reference gave {value.dtype}{value.shape}, "
            f"not {apply.output.dtype}{shape}"
        )
    return value

"""Walking an expression, and the shapes that follow from shapes.

Responsible for order and for shape errors that name their place; knows no operation in particular.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.op import Elementwise
from workbench.engine.graph.types import Shape
from workbench.engine.graph.variable import Apply, Variable


def topological(roots: Sequence[Variable], stop: Collection[Variable] = ()) -> list[Variable]:
    """Return every variable below `roots`, inputs before what uses them, each once.

    What lies below the variables in `stop` is left out, they themselves are not.
    """
    order: list[Variable] = []
    seen: set[int] = set()
    ends = {v.serial for v in stop}
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        variable, ready = stack.pop()
        if ready:
            order.append(variable)
        elif variable.serial not in seen:
            seen.add(variable.serial)
            stack.append((variable, True))
            if variable.owner is not None and variable.serial not in ends:
                stack.extend((v, False) for v in reversed(variable.owner.inputs))
    return order


def output_shape(apply: Apply, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
    """Return the shape of an application's output; only axes marked broadcastable stretch.

    Parameters
    ----------
    shapes, sizes
        As for `Op.infer_shape`.

    Raises
    ------
    GraphError
        The shapes do not fit; the message names them, the operation and its inputs.
    """
    op = apply.op
    given = [v for i, v in enumerate(apply.inputs) if i not in op.shape_inputs]
    try:
        shape = op.infer_shape(shapes, sizes)
        if isinstance(op, Elementwise):
            _check_stretched(op.name, given, shapes, shape)
    except GraphError as error:
        raise _placed(error, apply, given) from error
    return shape


def output_value(apply: Apply, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
    """Return the value of an application's output by its reference.

    Parameters
    ----------
    arrays, shape
        As for `Op.reference`.

    Raises
    ------
    GraphError
        The values do not fit (an index is out of range); the message names the place.
    """
    try:
        return np.asarray(apply.op.reference(arrays, shape))
    except GraphError as error:
        shape_inputs = apply.op.shape_inputs
        given = [v for i, v in enumerate(apply.inputs) if i not in shape_inputs]
        raise _placed(error, apply, given) from error


def _placed(error: GraphError, apply: Apply, inputs: Sequence[Variable]) -> GraphError:
    """Return an error that also says where the operation was applied, and to what."""
    named = " and ".join(v.describe() for v in inputs)
    message = f"{error.message.rstrip('.')}, at {apply.output.origin}, from {named}."
    return GraphError(message, error.hint)


def _check_stretched(
    name: str, inputs: Sequence[Variable], shapes: Sequence[Shape], shape: Shape
) -> None:
    for variable, of_input in zip(inputs, shapes, strict=True):
        for axis, (n, flag) in enumerate(zip(of_input, variable.broadcastable, strict=True)):
            if n != (1 if flag else shape[axis]):
                others = " and ".join(str(s) for s in shapes if s)
                raise GraphError(
                    f"{name} got shapes that do not fit: {others}.",
                    "Only axes of length 1 that are marked broadcastable stretch.",
                )

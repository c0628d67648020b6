"""Derivatives against finite differences.

Responsible for the comparison; knows no operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.grad import grad
from workbench.engine.graph.ops import reductions
from workbench.engine.graph.types import TensorType, type_of
from workbench.engine.graph.variable import Constant, Variable


def verify_grad(
    build: Callable[..., Variable],
    arrays: Sequence[np.ndarray],
    rng: np.random.Generator,
    types: Sequence[TensorType] | None = None,
    step: float = 1e-6,
    tolerance: float = 1e-6,
) -> None:
    """Check the derivative of a random projection of ``build(*variables)`` in float64.

    Along random directions, the central difference must equal the derivative's component.

    Parameters
    ----------
    build
        Makes an expression from one variable for each array.
    arrays
        Where to check. Floats are taken in float64, all else is held fixed.
    types
        The variables' types, when some axes are broadcastable.
    step
        Half the distance of the two points, relative to numbers around 1.
    tolerance
        Greatest difference, relative to the greater of 1 and the projection's slope.

    Raises
    ------
    GraphError
        The derivative is wrong; the message gives both numbers.
    """
    points = [_as_float64(a) for a in arrays]
    kinds = [
        (type_of(a) if types is None else types[i]).with_dtype(a.dtype.name)
        for i, a in enumerate(points)
    ]
    inputs = [Variable(kind, None, f"x{i}") for i, kind in enumerate(kinds)]
    output = build(*inputs)
    (value,) = evaluate([output], dict(zip(inputs, points, strict=True)))
    weights = Constant(rng.uniform(0.5, 1.5, value.shape))
    cost = reductions.sum(output * weights)
    varied = [i for i, a in enumerate(points) if a.dtype == np.float64]
    slopes = evaluate(
        grad(cost, [inputs[i] for i in varied], disconnected_inputs="ignore"),
        dict(zip(inputs, points, strict=True)),
    )
    for _ in range(2):
        directions = [rng.uniform(-1, 1, points[i].shape) for i in varied]
        claimed = float(np.sum([np.sum(s * d) for s, d in zip(slopes, directions, strict=True)]))
        ends = []
        for sign in (1, -1):
            moved = list(points)
            for i, d in zip(varied, directions, strict=True):
                moved[i] = points[i] + sign * step * d
            ends.append(float(evaluate([cost], dict(zip(inputs, moved, strict=True)))[0]))
        measured = (ends[0] - ends[1]) / (2 * step)
        if not abs(claimed - measured) <= tolerance * max(1.0, abs(measured)):
            raise GraphError(
                f"The derivative of {output.describe()} is {claimed}, "
                f"but finite differences give {measured}."
            )


def _as_float64(array: np.ndarray) -> np.ndarray:
    return array.astype("float64") if array.dtype.name.startswith("float") else array

"""Activations composed of simpler operations.

Responsible for their formulas; knows nothing of the layers that use them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.graph.ops.arithmetic import add, clip, minimum, mul
from workbench.engine.graph.ops.comparison import gt, switch
from workbench.engine.graph.ops.elementwise import with_dtype
from workbench.engine.graph.ops.registry import FLOATS, Case, Sample, declare, language
from workbench.engine.graph.ops.transcendental import expm1, relu
from workbench.engine.graph.promotion import as_variable, float_dtype
from workbench.engine.graph.variable import Variable


@language
def hard_sigmoid(x: Any) -> Variable:
    """Return ``0.2 x + 0.5`` limited to the range from 0 to 1."""
    x = as_variable(x)
    x = with_dtype(x, float_dtype([x]))
    return clip(add(mul(x, 0.2), 0.5), 0, 1)


@language
def elu(x: Any, alpha: Any = 1) -> Variable:
    """Return `x` where it is positive, else ``alpha (exp(x) - 1)``.

    Source: Clevert, Unterthiner, Hochreiter: Fast and accurate deep network learning by exponential
    linear units (2016).
    """
    x = as_variable(x)
    # The exponential sees no positive number, so that its derivative is never 0 * inf.
    return switch(gt(x, 0), x, mul(alpha, expm1(minimum(x, 0))))


_SHAPES = (Sample((3, 5)), Sample((0, 4)), Sample(()))
_FAR = Sample((6,), values=(0.0, 100.0, -100.0, float("inf"), -float("inf"), 1e30))
declare(
    "hard_sigmoid",
    None,
    FLOATS,
    *(Case(hard_sigmoid, (s,), lambda x: np.clip(0.2 * x + 0.5, 0, 1)) for s in _SHAPES),
)
declare(
    "elu",
    None,
    FLOATS,
    *(
        Case(elu, (s,), lambda x: np.where(x > 0, x, np.expm1(x)), differentiable=s is not _FAR)
        for s in (*_SHAPES, _FAR)
    ),
    Case(
        lambda x, a: elu(x, a),
        (Sample((3, 5)), Sample((5,))),
        lambda x, a: np.where(x > 0, x, a * np.expm1(x)),
    ),
)
declare(
    "leaky relu",
    None,
    FLOATS,
    *(
        Case(
            lambda x: relu(x, 0.1),
            (s,),
            lambda x: np.where(x > 0, x, x.dtype.type(0.1) * x),
            differentiable=s is not _FAR,
        )
        for s in (*_SHAPES, _FAR)
    ),
    Case(
        relu,
        (Sample((3, 5)), Sample((5,))),
        lambda x, a: np.where(x > 0, x, a * x),
    ),
)

"""Diagonals of matrices, and matrices made of one.

Responsible for which elements stand on a diagonal; knows nothing of how an index is written down.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.ops.arithmetic import maximum, minimum
from workbench.engine.graph.ops.comparison import eq, switch
from workbench.engine.graph.ops.dimshuffle import dimshuffle
from workbench.engine.graph.ops.generated import arange
from workbench.engine.graph.ops.indexing import index, set_subtensor
from workbench.engine.graph.ops.lengths import axis_length
from workbench.engine.graph.ops.registry import SAMPLED, Case, Sample, declare, language
from workbench.engine.graph.ops.shape import zeros
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.variable import Variable


@language
def diag(x: Any, k: int = 0) -> Variable:
    """Return diagonal `k` of a matrix, or a matrix of zeros whose diagonal `k` is a vector.

    Raises
    ------
    GraphError
        `x` is neither a vector nor a matrix.
    """
    x = as_variable(x)
    if x.ndim not in (1, 2):
        raise GraphError(f"diag does not take {x.describe()}.", "Give a vector or a matrix.")
    if k < 0 and x.ndim == 1:
        return dimshuffle(_with_diagonal(x, -k), 1, 0)
    if k < 0:
        return _diagonal_of(dimshuffle(x, 1, 0), -k)
    return _with_diagonal(x, k) if x.ndim == 1 else _diagonal_of(x, k)


def _diagonal_of(x: Variable, k: int) -> Variable:
    rows, columns = axis_length(x, 0), axis_length(x, 1)
    n = maximum(minimum(rows, columns - k), 0)
    return index(x, (arange(n), arange(n) + k))


def _with_diagonal(x: Variable, k: int) -> Variable:
    n = axis_length(x, 0)
    places = arange(n)
    on_diagonal = eq(dimshuffle(places, 0, "x"), dimshuffle(places, "x", 0))
    square = switch(on_diagonal, x, np.zeros((), x.dtype))
    if k == 0:
        return square
    wide = zeros((n + k, n + k), x.dtype)
    return set_subtensor(index(wide, (slice(None, n), slice(k, None))), square)


declare(
    "diag",
    None,
    SAMPLED,
    *(
        Case(lambda x, k=k: diag(x, k), (Sample(shape),), lambda x, k=k: np.diag(x, k))
        for shape in ((5,), (3, 5), (5, 3))
        for k in (0, 1, -2)
    ),
    Case(lambda x: diag(x, 7), (Sample((3, 5)),), lambda x: np.diag(x, 7)),
    Case(diag, (Sample((0,)),), np.diag),
    Case(diag, (Sample((0, 3)),), np.diag),
)

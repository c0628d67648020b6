"""Theano's ``ifelse``: one of two values, chosen by a number.

Responsible for its form; knows nothing of how a choice is run.
"""

from __future__ import annotations

from typing import Any

from workbench.core.errors import GraphError
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.variable import FUNCTIONS
from workbench.theano.names import offer

__getattr__ = offer("theano.ifelse")


def ifelse(condition: Any, then_branch: Any, else_branch: Any, name: str | None = None) -> Any:
    """Return one value or list of values, or the other; both are computed, and of equal shapes.

    Parameters
    ----------
    condition
        A 0-d variable.
    then_branch, else_branch
        What is chosen where it is not 0, and where it is.
    name
        What messages call the result.

    Raises
    ------
    GraphError
        The condition has axes, or the branches have different numbers of values or axes.
    """
    condition = as_variable(condition)
    several = isinstance(then_branch, (list, tuple))
    pair = [list(b) if several else [b] for b in (then_branch, else_branch)]
    if condition.ndim or len(pair[0]) != len(pair[1]):
        raise GraphError(
            f"ifelse got {condition.describe()}, and {len(pair[0])} and {len(pair[1])} values.",
            "Give a 0-d condition, and as many values on both sides.",
        )
    found = []
    for one, other in zip(*pair, strict=True):
        a, b = as_variable(one), as_variable(other)
        if a.broadcastable != b.broadcastable:
            raise GraphError(
                f"ifelse chooses between {a.describe()} and {b.describe()}.",
                "Both must have the same axes; retype() says which stretch.",
            )
        found.append(FUNCTIONS["switch"](condition, a, b))
        found[-1].name = name
    return found if several else found[0]

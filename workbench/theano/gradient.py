"""Theano's ``gradient``: derivatives, their check, and values cut off from them.

Responsible for the arguments' names; the rules are the engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.errors import NotSupported
from workbench.engine.graph import check
from workbench.engine.graph import grad as reverse
from workbench.engine.graph.variable import Variable
from workbench.theano.names import offer

__getattr__ = offer("theano.gradient")


def grad(
    cost: Variable,
    wrt: Any,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
    add_names: bool = True,
    known_grads: Any = None,
) -> Any:
    """Return the derivative of `cost` by one variable, or by each of a list or tuple.

    Parameters
    ----------
    consider_constant
        Variables through which nothing is differentiated.
    disconnected_inputs
        ``"raise"``, ``"warn"`` or ``"ignore"`` for what the cost does not depend on.
    add_names
        Without effect.

    Raises
    ------
    GraphError
        The cost is no float scalar, or does not depend differentiably on a variable.
    NotSupported
        `known_grads` is given.
    """
    if known_grads:
        raise NotSupported(
            "grad does not take known_grads.", "Use grad(sum(known * x), wrt, [known])."
        )
    found = reverse.grad(cost, wrt, consider_constant or (), disconnected_inputs)
    return tuple(found) if isinstance(wrt, tuple) else found


def verify_grad(
    fun: Callable[..., Variable],
    pt: Sequence[Any],
    n_tests: int = 2,
    rng: Any = None,
    eps: float | None = None,
    abs_tol: float | None = None,
    rel_tol: float | None = None,
) -> None:
    """Compare the derivative of `fun` at `pt` with finite differences, in float64 on the host.

    Parameters
    ----------
    fun
        Makes an expression from one variable for each array of `pt`.
    n_tests
        How many random projections are tried.
    rng
        NumPy's generator of either kind.
    eps, abs_tol, rel_tol
        The difference between the points, and what is tolerated.

    Raises
    ------
    GraphError
        They differ; the message gives both numbers.
    """
    tolerances = [t for t in (abs_tol, rel_tol) if t is not None]
    for _ in range(n_tests):
        check.verify_grad(
            fun,
            [np.asarray(array) for array in pt],
            np.random.default_rng(0) if rng is None else rng,
            step=eps or 1e-6,
            tolerance=max(tolerances, default=1e-6),
        )

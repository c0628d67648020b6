"""Theano's ``gradient``: derivatives in their forms, their check, and values cut off from them.

Responsible for the arguments' names; the rules are the engine's.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from workbench.core.errors import GraphError, NotSupported
from workbench.engine.graph import check
from workbench.engine.graph import grad as reverse
from workbench.engine.graph.arguments import Pairs, pairs
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.rewrite import substitute
from workbench.engine.graph.scan import scan
from workbench.engine.graph.variable import FUNCTIONS, Variable
from workbench.theano.names import offer

__getattr__ = offer("theano.gradient")


def grad(
    cost: Variable | None,
    wrt: Any,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
    add_names: bool = True,
    known_grads: Pairs | None = None,
    return_disconnected: str = "zero",
    null_gradients: str = "raise",
) -> Any:
    """Return the derivative of `cost` by one variable, or by each of a list or tuple.

    Parameters
    ----------
    cost
        A float scalar; None where `known_grads` says what it depends on.
    consider_constant
        Variables through which nothing is differentiated.
    disconnected_inputs
        ``"raise"``, ``"warn"`` or ``"ignore"`` for what the cost does not depend on.
    known_grads
        Derivatives by intermediate values, which take the place of what would be found.
    add_names, null_gradients
        Without effect.

    Raises
    ------
    GraphError
        The cost is no float scalar, or does not depend differentiably on a variable.
    NotSupported
        `return_disconnected` is not ``"zero"``.
    """
    if return_disconnected != "zero":
        raise NotSupported(
            f"grad does not return {return_disconnected!r} for what the cost does not depend on.",
            'Use disconnected_inputs="ignore", which gives zeros.',
        )
    known = {v: as_variable(slope) for v, slope in pairs(known_grads or ())}
    found = reverse.grad(cost, wrt, consider_constant or (), disconnected_inputs, known)
    return tuple(found) if isinstance(wrt, tuple) else found


def Lop(  # noqa: N802 - Theano's name
    f: Any,
    wrt: Any,
    eval_points: Any,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """Return `eval_points`, of the shape of `f`, times the derivatives of `f` by `wrt`.

    Each may be one variable or a list of them.
    """
    points = [FUNCTIONS["disconnected_grad"](v) for v in _several(eval_points)]
    return grad(_product(_several(f), points), wrt, consider_constant, disconnected_inputs)


def Rop(f: Any, wrt: Any, eval_points: Any) -> Any:  # noqa: N802
    """Return the derivatives of `f` by `wrt` times `eval_points`, of the shape of `wrt`.

    Each may be one variable or a list of them.
    """
    outputs, inputs = _several(f), _several(wrt)
    # Whatever multiplies f from the left: the product is linear in it, so its slope is the result.
    left = [v.type() for v in outputs]
    product = _product(grad(_product(outputs, left), inputs), _several(eval_points))
    slopes = grad(product, left, disconnected_inputs="ignore")
    zeros = {v: FUNCTIONS["zeros_like"](output) for v, output in zip(left, outputs, strict=True)}
    found = substitute(slopes, zeros)
    return found if isinstance(f, (list, tuple)) else found[0]


def jacobian(
    expression: Variable,
    wrt: Any,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """Return the derivative of each element of a vector by one variable, or by each of several.

    Returns
    -------
    Derivatives of the shape of a variable, along a first axis for the elements.
    """
    if expression.ndim == 0:
        return grad(expression, wrt, consider_constant, disconnected_inputs)
    if expression.ndim > 1:
        raise GraphError(
            f"jacobian got {expression.describe()}.", "Give a vector: flatten() makes one."
        )

    def row(i: Variable) -> list[Variable]:
        found: list[Variable] = grad(
            expression[i], _several(wrt), consider_constant, disconnected_inputs
        )
        return found

    numbers = FUNCTIONS["arange"](expression.shape[0])
    rows, _ = scan(row, numbers, name="jacobian", return_list=True)
    return type(wrt)(rows) if isinstance(wrt, (list, tuple)) else rows[0]


def hessian(
    cost: Variable,
    wrt: Any,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """Return the matrix of second derivatives by a vector, or by each of several."""
    found = [
        jacobian(
            grad(cost, v, consider_constant, disconnected_inputs), v, consider_constant, "ignore"
        )
        for v in _several(wrt)
    ]
    return type(wrt)(found) if isinstance(wrt, (list, tuple)) else found[0]


def _product(variables: Sequence[Variable], others: Sequence[Variable]) -> Variable:
    """Return the sum of all elements of all products."""
    together = zip(variables, others, strict=True)
    products: list[Variable] = [FUNCTIONS["sum"](v * w) for v, w in together]
    return reduce(operator.add, products)


def _several(given: Any) -> list[Any]:
    return list(given) if isinstance(given, (list, tuple)) else [given]


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

"""Derivatives of a scalar cost: reverse mode over each operation's own rule.

Responsible for accumulation, for the types of derivatives, and for saying why one does not exist;
knows no operation's derivative.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import overload

from workbench.core.errors import GraphError
from workbench.engine.graph.op import Length
from workbench.engine.graph.ops.arithmetic import add
from workbench.engine.graph.ops.elementwise import with_dtype
from workbench.engine.graph.ops.shape import broadcast_to, ones_like, retype, zeros_like
from workbench.engine.graph.origin import made_with
from workbench.engine.graph.rewrite import stabilise
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.variable import FUNCTIONS, Variable


@overload
def grad(
    cost: Variable | None,
    wrt: Variable,
    consider_constant: Collection[Variable] = (),
    disconnected_inputs: str = "raise",
    known_grads: Mapping[Variable, Variable] | None = None,
) -> Variable: ...
@overload
def grad(
    cost: Variable | None,
    wrt: Sequence[Variable],
    consider_constant: Collection[Variable] = (),
    disconnected_inputs: str = "raise",
    known_grads: Mapping[Variable, Variable] | None = None,
) -> list[Variable]: ...
def grad(
    cost: Variable | None,
    wrt: Variable | Sequence[Variable],
    consider_constant: Collection[Variable] = (),
    disconnected_inputs: str = "raise",
    known_grads: Mapping[Variable, Variable] | None = None,
) -> Variable | list[Variable]:
    """Return the derivative of `cost` by `wrt`, of the same type: one variable, or a list of them.

    Parameters
    ----------
    cost
        A float scalar; None where `known_grads` says what it depends on.
    wrt
        One variable or several; inputs, shared variables or any intermediate value.
    consider_constant
        Variables through which nothing is differentiated.
    disconnected_inputs
        What to do about a variable that the cost does not depend on: ``"raise"``, ``"warn"`` or
        ``"ignore"``; the latter two give zeros.
    known_grads
        Derivatives of the cost by intermediate values, which take the place of what would be found.

    Raises
    ------
    GraphError
        The cost is no float scalar, a variable is no float, or the cost does not depend on it
        differentiably; the message names the operations between them.
    """
    if disconnected_inputs not in ("raise", "warn", "ignore"):
        raise GraphError(
            f"grad got disconnected_inputs={disconnected_inputs!r}.",
            'Use "raise", "warn" or "ignore".',
        )
    several = not isinstance(wrt, Variable)
    variables = list(wrt) if not isinstance(wrt, Variable) else [wrt]
    known = dict(known_grads or {})
    _check(cost, variables, known)
    roots = [cost] if cost is not None and cost not in known else []
    roots = stabilise([*roots, *known], keep=[*variables, *known, *consider_constant])
    slopes = [ones_like(root) for root in roots[: len(roots) - len(known)]]
    seeds = list(zip(roots, [*slopes, *known.values()], strict=True))
    found = _accumulate(seeds, variables, consider_constant, known)
    result = [
        found[v.serial] if v.serial in found else _missing(roots, v, found, disconnected_inputs)
        for v in variables
    ]
    for v in variables:
        v.is_varied = True
    return result if several else result[0]


FUNCTIONS.add("grad")(grad)


def pull_back(
    outputs: Sequence[tuple[Variable, Variable]], wrt: Sequence[Variable]
) -> list[Variable | None]:
    """Return the derivative of a cost by each of `wrt`; None where it does not depend on it.

    Parameters
    ----------
    outputs
        Variables that the cost depends on, each with its derivative by it.
    """
    stable = stabilise([v for v, _ in outputs], keep=wrt)
    floats = [v for v in wrt if v.type.is_float]
    seeds = [(v, slope) for v, (_, slope) in zip(stable, outputs, strict=True)]
    found = _accumulate(seeds, floats, ())
    return [found.get(v.serial) if v.type.is_float else None for v in wrt]


def _check(
    cost: Variable | None, variables: Sequence[Variable], known: Mapping[Variable, Variable]
) -> None:
    if cost is None and not known:
        raise GraphError("grad got neither a cost nor known_grads.", "Give the cost.")
    if cost is not None and (cost.ndim or not cost.type.is_float):
        raise GraphError(
            f"Only a float scalar can be differentiated, not {cost.describe()}.",
            "Take its mean() or sum().",
        )
    for v in variables:
        if not isinstance(v, Variable):
            raise GraphError(f"grad by {v!r}, which is no variable.", "Give variables.")
        if not v.type.is_float:
            raise GraphError(f"Nothing can be differentiated by {v.describe()}.", "Use floats.")
    for v, slope in known.items():
        if slope.ndim != v.ndim or not (slope.type.is_float and v.type.is_float):
            raise GraphError(
                f"{slope.describe()} is no derivative by {v.describe()}.",
                "Both must be floats with one number of axes.",
            )


def _accumulate(
    seeds: Sequence[tuple[Variable, Variable]],
    variables: Sequence[Variable],
    constants: Collection[Variable],
    known: Collection[Variable] = (),
) -> dict[int, Variable]:
    """Return the derivative by every variable that leads to the wanted ones, by serial number.

    `seeds` are variables that the cost depends on, with its derivatives by them. To those of the
    `known`, nothing is added.
    """
    order = topological([v for v, _ in seeds], stop=constants)
    wanted = {v.serial for v in variables}
    blocked = {v.serial for v in constants}
    settled = {v.serial for v in known}
    leading: set[int] = set()
    for v in order:
        above = v.owner is not None and any(i.serial in leading for i in v.owner.inputs)
        if v.serial in wanted or (above and v.serial not in blocked):
            leading.add(v.serial)
    grads: dict[int, Variable] = {}
    for v, slope in seeds:
        slope = _conforming(slope, v)
        grads[v.serial] = add(grads[v.serial], slope) if v.serial in grads else slope
    for v in reversed(order):
        if v.serial not in leading or v.serial not in grads:
            continue
        if v.owner is None or v.serial in blocked:
            continue
        # What a layer's derivative takes, profiles and messages count as the layer's.
        with made_with(v.origin):
            parts = v.owner.op.vjp(v.owner.inputs, v, grads[v.serial])
        for x, part in zip(v.owner.inputs, parts, strict=True):
            if part is None or x.serial not in leading or x.serial in settled:
                continue
            part = _conforming(part, x)
            grads[x.serial] = add(grads[x.serial], part) if x.serial in grads else part
    return grads


def _conforming(grad: Variable, model: Variable) -> Variable:
    """Return `grad` with the dtype and axes of `model`."""
    grad = with_dtype(grad, model.dtype)
    if grad.ndim == model.ndim:
        flags = zip(grad.broadcastable, model.broadcastable, strict=True)
        grad = retype(grad, [a or b for a, b in flags])
    if grad.broadcastable != model.broadcastable:
        grad = broadcast_to(grad, model.shape)
    return grad


def _missing(
    costs: Sequence[Variable], variable: Variable, grads: dict[int, Variable], policy: str
) -> Variable:
    paths = [(cost, _path(cost, variable)) for cost in costs]
    cost, path = next((pair for pair in paths if pair[1] is not None), paths[0])
    if path is None:
        message = f"The cost {cost.describe()} does not depend on {variable.describe()}."
        hint = "Leave it out, or build the cost from it."
    else:
        names = " <- ".join(v.owner.op.name for v in path if v.owner is not None)
        stop = next((v for v, x in itertools.pairwise(path) if x.serial not in grads), cost)
        name = stop.owner.op.name if stop.owner is not None else "it"
        message = (
            f"The cost depends on {variable.describe()} only through {names}, "
            f"where {name} passes no derivative on."
        )
        hint = "Use operations that have a derivative."
    if policy == "raise":
        raise GraphError(message, f'{hint} disconnected_inputs="ignore" gives zeros.')
    if policy == "warn":
        warnings.warn(message, stacklevel=3)
    return zeros_like(variable)


def _path(cost: Variable, target: Variable) -> list[Variable] | None:
    """Return the variables on a way from `cost` down to `target`, or None; lengths are no way."""
    above: dict[int, Variable | None] = {cost.serial: None}
    waiting = [cost]
    for v in waiting:
        if v.owner is None or isinstance(v.owner.op, Length):
            continue
        for i, x in enumerate(v.owner.inputs):
            if i not in v.owner.op.shape_inputs and x.serial not in above:
                above[x.serial] = v
                waiting.append(x)
    if target.serial not in above:
        return None
    path = [target]
    while (user := above[path[-1].serial]) is not None:
        path.append(user)
    return path[::-1]

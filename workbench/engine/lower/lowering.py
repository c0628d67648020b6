"""Lowering as a whole: nodes, groups, plan.

Responsible for the order of the passes; knows nothing of what each does inside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.rewrite import substitute
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.variable import Constant, Variable
from workbench.engine.lower.fuse import FuseOptions, Fusion
from workbench.engine.lower.node import Node
from workbench.engine.lower.plan import Plan
from workbench.engine.lower.schedule import Scheduler, Turn, Update, is_run
from workbench.engine.lower.shapes import HostVariables, Shaped, find_host_variables, shape_pass
from workbench.engine.lower.specialise import specialise
from workbench.engine.lower.turns import Turns


def lower(
    host: HostVariables,
    shaped: Shaped,
    inputs: Sequence[Variable],
    shared: Sequence[Variable],
    outputs: Sequence[Variable],
    updates: Sequence[tuple[Variable, Variable]],
    options: FuseOptions,
    elements: int = 0,
) -> tuple[Plan, tuple[Variable, ...]]:
    """Return the plan for one choice of shapes, and the variables that it is passed by value.

    Parameters
    ----------
    host, shaped
        The expression's host variables and the shapes of this call.
    inputs
        The array inputs (0-d inputs are host scalars), in order.
    shared
        Every shared variable of the expression, in the order of the plan's shared buffers.
    outputs, updates
        What the function returns, and the new values of shared variables.
    elements
        How many inputs, the first ones, are elements of what is walked along.
    """
    roots = [*outputs, *(new for _, new in updates)]
    made = specialise(host, shaped, inputs, shared, roots, elements)
    position = {v.serial: len(inputs) + i for i, v in enumerate(shared)}
    output_nodes = [made.of[v.serial] for v in outputs]
    update_nodes = [Update(position[s.serial], made.of[new.serial]) for s, new in updates]
    groups = Fusion([*output_nodes, *(u.value for u in update_nodes)], options).run()
    turns = {id(g): _turn(g.sinks, options) for g in groups if is_run(g)}
    plan = Scheduler(made, groups, output_nodes, update_nodes, turns).run()
    return plan, tuple(made.scalars)


def _turn(results: Sequence[Node], options: FuseOptions) -> Turn:
    """Return the plan for a turn of the loop that gives `results`."""
    op, given = results[0].op, results[0].inputs
    assert isinstance(op, Turns)
    body = op.body.lowered
    ops = [n.op for n in results if isinstance(n.op, Turns)]
    wanted = [body.value(o.kind, o.number) for o in ops if o.kind != "last"]
    states = _carried(
        body.states, body.following, wanted, [o.number for o in ops if o.kind == "last"]
    )
    deciding = zip(op.body.deciding, op.deciding, strict=True)
    fixed: dict[Variable, Variable] = {
        body.given[i]: Constant(np.asarray(n, body.given[i].dtype)) for i, n in deciding
    }
    roots = substitute([*wanted, *(body.following[j] for j in states)], fixed)
    split, elements = len(wanted), len(body.elements)
    host = find_host_variables(roots, ())
    shapes = {
        v.serial: n.shape[1:] if i < elements else n.shape
        for i, (v, n) in enumerate(zip(body.variables, given, strict=True))
    }
    shaped = shape_pass(host, shapes, {})
    updates = [(body.states[j], new) for j, new in zip(states, roots[split:], strict=True)]
    for state, new in updates:
        if shapes[state.serial] != shaped.shapes[new.serial]:
            raise GraphError(
                f"A loop's state {state.describe()} has shape {shaped.shapes[new.serial]} "
                f"after a turn instead of {shapes[state.serial]}.",
                "A state keeps its shape: start from one like what a turn gives.",
            )
    plan, scalars = lower(
        host,
        shaped,
        [*body.elements, *body.given],
        [state for state, _ in updates],
        roots[:split],
        updates,
        options,
        elements,
    )
    return Turn(plan, tuple(shaped.values[v.serial] for v in scalars), tuple(states))


def _carried(
    states: Sequence[Variable],
    following: Sequence[Variable],
    wanted: Sequence[Variable],
    last: Sequence[int],
) -> list[int]:
    """Return the numbers of the states that must be carried for some results of a loop."""
    needed = set(last)
    while True:
        below = topological([*wanted, *(following[j] for j in needed)])
        used = {v.serial for v in below}
        found = {j for j, state in enumerate(states) if state.serial in used} - needed
        if not found:
            return sorted(needed)
        needed |= found

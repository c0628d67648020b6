"""Lowering as a whole: nodes, groups, plan.

Responsible for the order of the passes; knows nothing of what each does inside.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.engine.graph.variable import SharedVariable, Variable
from workbench.engine.lower.fuse import FuseOptions, Fusion
from workbench.engine.lower.plan import Plan
from workbench.engine.lower.schedule import Scheduler, Update
from workbench.engine.lower.shapes import HostVariables, Shaped
from workbench.engine.lower.specialise import specialise


def lower(
    host: HostVariables,
    shaped: Shaped,
    inputs: Sequence[Variable],
    shared: Sequence[SharedVariable],
    outputs: Sequence[Variable],
    updates: Sequence[tuple[SharedVariable, Variable]],
    options: FuseOptions,
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
    """
    roots = [*outputs, *(new for _, new in updates)]
    made = specialise(host, shaped, inputs, shared, roots)
    position = {v.serial: len(inputs) + i for i, v in enumerate(shared)}
    output_nodes = [made.of[v.serial] for v in outputs]
    update_nodes = [Update(position[s.serial], made.of[new.serial]) for s, new in updates]
    groups = Fusion([*output_nodes, *(u.value for u in update_nodes)], options).run()
    plan = Scheduler(made, groups, output_nodes, update_nodes).run()
    return plan, tuple(made.scalars)

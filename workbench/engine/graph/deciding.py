"""Which numbers decide shapes without being known before a device has computed them.

Responsible for finding them; knows nothing of what is done about it.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.engine.graph.op import Elementwise, Length
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.variable import SharedVariable, Variable


def unknown_sizes(roots: Sequence[Variable]) -> list[Variable]:
    """Return the 0-d variables below `roots` on which shapes depend and which the host cannot tell.

    The host can tell 0-d inputs, constants, lengths and arithmetic on them; not an element of a
    vector, a sum, or the value of a shared variable.
    """
    applied = [v.owner for v in topological(roots) if v.owner is not None]
    waiting = [a.inputs[i] for a in applied for i in a.op.shape_inputs]
    seen: set[int] = set()
    found: list[Variable] = []
    for v in waiting:
        if v.serial in seen:
            continue
        seen.add(v.serial)
        op = v.owner.op if v.owner is not None else None
        if v.owner is not None and isinstance(op, Elementwise):
            waiting += v.owner.inputs
        elif isinstance(v, SharedVariable) or not (op is None or isinstance(op, Length)):
            found.append(v)
    return found

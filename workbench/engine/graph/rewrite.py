"""Rewriting expressions: rules applied from the leaves up until none applies.

Responsible for sharing what does not change and for names and origins; the rules are `rules`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from workbench.engine.graph.op import Composite
from workbench.engine.graph.rules import SIMPLIFYING, STABILISING, OwnerOf, Rule
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.variable import Apply, Variable

#: More passes than any expression needs; a pair of rules that undo each other ends here.
_MAX_PASSES = 50


def stabilise(outputs: Sequence[Variable], keep: Collection[Variable] = ()) -> list[Variable]:
    """Return `outputs` in forms that neither overflow nor cancel, and simplified.

    Parameters
    ----------
    keep
        Variables that stay as they are, and that no rule looks through.
    """
    return rewrite(outputs, (*STABILISING, *SIMPLIFYING), keep)


def expand_composites(outputs: Sequence[Variable]) -> list[Variable]:
    """Return `outputs` with every composite spelled out in simpler operations, and simplified."""
    return rewrite(outputs, (expand_composite, *SIMPLIFYING))


def expand_composite(variable: Variable, owner: OwnerOf) -> Variable | None:
    """Spell out a composite."""
    apply = owner(variable)
    if apply is None or not isinstance(apply.op, Composite):
        return None
    return apply.op.expand(*apply.inputs)


def rewrite(
    outputs: Sequence[Variable], rules: Sequence[Rule], keep: Collection[Variable] = ()
) -> list[Variable]:
    """Return `outputs` with `rules` applied until none applies any more.

    A result that has another type than what it replaces is not used. What no rule touches is
    shared with the original expression.
    """
    kept = {v.serial for v in keep}

    def owner(variable: Variable) -> Apply | None:
        return None if variable.serial in kept else variable.owner

    current = list(outputs)
    for _ in range(_MAX_PASSES):
        following = _one_pass(current, rules, keep, owner)
        if all(a is b for a, b in zip(current, following, strict=True)):
            return current
        current = following
    raise AssertionError(f"rules still apply after {_MAX_PASSES} passes")


def _one_pass(
    outputs: Sequence[Variable], rules: Sequence[Rule], keep: Collection[Variable], owner: OwnerOf
) -> list[Variable]:
    made: dict[int, Variable] = {}
    for variable in topological(outputs, stop=keep):
        result = _rebuilt(variable, owner(variable), made)
        made[variable.serial] = _ruled(result, rules, owner)
    return [made[v.serial] for v in outputs]


def _rebuilt(variable: Variable, apply: Apply | None, made: Mapping[int, Variable]) -> Variable:
    """Return `variable` on its rewritten inputs: itself if they are the same."""
    if apply is None:
        return variable
    inputs = [made[v.serial] for v in apply.inputs]
    if all(a is b for a, b in zip(inputs, apply.inputs, strict=True)):
        return variable
    result = apply.op(*inputs)
    result.name, result.origin = variable.name, variable.origin
    return result


def _ruled(variable: Variable, rules: Sequence[Rule], owner: OwnerOf) -> Variable:
    if owner(variable) is None:
        return variable
    for rule in rules:
        result = rule(variable, owner)
        if result is not None and result is not variable and result.type == variable.type:
            _give_origin(result, variable)
            return _ruled(result, rules, owner)
    return variable


def _give_origin(result: Variable, replaced: Variable) -> None:
    """Let what a rule has made say where that came from which it replaces."""
    if result.serial > replaced.serial and result.owner is not None:
        result.name = result.name or replaced.name
    stack = [result]
    while stack:
        variable = stack.pop()
        if variable.serial > replaced.serial and variable.origin != replaced.origin:
            variable.origin = replaced.origin
            if variable.owner is not None:
                stack.extend(variable.owner.inputs)


def substitute(
    outputs: Sequence[Variable], replacements: Mapping[Variable, Variable]
) -> list[Variable]:
    """Return `outputs` with variables replaced; what lies in a replacement is not replaced again.

    The caller has made sure that each replacement has the type of what it replaces.
    """
    made = {v.serial: replacement for v, replacement in replacements.items()}
    for variable in topological(outputs, stop=tuple(replacements)):
        if variable.serial not in made:
            made[variable.serial] = _rebuilt(variable, variable.owner, made)
    return [made[v.serial] for v in outputs]

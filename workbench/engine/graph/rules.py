"""Rewrite rules: small pure functions from a variable to a better one, in named lists.

Responsible for which forms are better; the driver that applies them is `rewrite`.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np

from workbench.engine.graph.op import Elementwise, Movement
from workbench.engine.graph.ops.arithmetic import cast
from workbench.engine.graph.ops.comparison import Switch
from workbench.engine.graph.ops.dimshuffle import Dimshuffle, dimshuffle
from workbench.engine.graph.ops.folds import Fold, Sum
from workbench.engine.graph.ops.shape import like
from workbench.engine.graph.ops.slicing import Slice
from workbench.engine.graph.ops.softmax import log_softmax
from workbench.engine.graph.ops.transcendental import expm1, log1p, softplus
from workbench.engine.graph.variable import Apply, Constant, Variable

#: What computes a variable, or None where a rule must not look further.
OwnerOf = Callable[[Variable], Apply | None]
#: Returns a better variable of the same type and value, or None.
Rule = Callable[[Variable, OwnerOf], Variable | None]


def _inputs(variable: Variable, owner: OwnerOf, name: str) -> tuple[Variable, ...] | None:
    """Return the inputs of the operation called `name` if that computes `variable`."""
    apply = owner(variable)
    return apply.inputs if apply is not None and apply.op.name == name else None


def _single(variable: Variable, owner: OwnerOf) -> Variable:
    """Return the 0-d variable that `variable` repeats, or itself."""
    source = variable
    while source.ndim:
        apply = owner(source)
        if apply is None or not isinstance(apply.op, Movement):
            return variable
        source = apply.inputs[0]
    return source


def _number(variable: Variable, owner: OwnerOf) -> float | None:
    """Return the number that every element of a constant is, or None."""
    single = _single(variable, owner)
    return float(single.value) if isinstance(single, Constant) and not single.ndim else None


def _other(
    variable: Variable, owner: OwnerOf, name: str, number: float
) -> tuple[Variable, ...] | None:
    """Return the inputs of a commutative operation, the one that is always `number` last."""
    pair = _inputs(variable, owner, name)
    if pair is None:
        return None
    if _number(pair[0], owner) == number:
        return pair[1], pair[0]
    return pair if _number(pair[1], owner) == number else None


def _moved(variable: Variable, owner: OwnerOf) -> tuple[Variable, list[Apply]]:
    """Return what a chain of movements starts from, and the movements, last first."""
    moves = []
    apply = owner(variable)
    while apply is not None and isinstance(apply.op, Movement):
        moves.append(apply)
        variable = apply.inputs[0]
        apply = owner(variable)
    return variable, moves


def _move(variable: Variable, moves: list[Apply]) -> Variable:
    """Return `variable` after the movements that `_moved` found elsewhere."""
    for apply in reversed(moves):
        variable = apply.op(variable, *apply.inputs[1:])
    return variable


# --- stabilising -----------------------------------------------------------------------------


def log_of_softmax(variable: Variable, owner: OwnerOf) -> Variable | None:
    """``log(softmax(x))`` is ``log_softmax(x)``: finite where the probability underflows.

    The same holds of any of its elements: ``log(softmax(x)[i])`` is ``log_softmax(x)[i]``.
    """
    of_log = _inputs(variable, owner, "log")
    if of_log is None:
        return None
    source, moves = _moved(of_log[0], owner)
    of_softmax = _inputs(source, owner, "softmax")
    return _move(log_softmax(of_softmax[0]), moves) if of_softmax else None


def log_of_sigmoid(variable: Variable, owner: OwnerOf) -> Variable | None:
    """``log(sigmoid(x))`` is ``-softplus(-x)``, ``log(1 - sigmoid(x))`` is ``-softplus(x)``."""
    of_log = _inputs(variable, owner, "log")
    if of_log is None:
        return None
    argument, outer = _moved(of_log[0], owner)
    of_sub = _inputs(argument, owner, "sub")
    complement = of_sub is not None and _number(of_sub[0], owner) == 1
    source, inner = _moved(of_sub[1], owner) if of_sub and complement else (argument, [])
    of_sigmoid = _inputs(source, owner, "sigmoid")
    if of_sigmoid is None:
        return None
    x = _move(of_sigmoid[0], inner)
    # Stretched as 1 was, if 1 was a tensor.
    x = _move(like(x, argument), outer)
    return -softplus(x if complement else -x)


def log_of_one_plus(variable: Variable, owner: OwnerOf) -> Variable | None:
    """``log(1 + x)`` is ``log1p(x)``, and ``log(1 - x)`` is ``log1p(-x)``."""
    of_log = _inputs(variable, owner, "log")
    if of_log is None:
        return None
    pair = _other(of_log[0], owner, "add", 1)
    if pair is not None:
        return like(log1p(pair[0]), variable)
    pair = _inputs(of_log[0], owner, "sub")
    if pair is not None and _number(pair[0], owner) == 1:
        return like(log1p(-pair[1]), variable)
    return None


def log1p_of_exp(variable: Variable, owner: OwnerOf) -> Variable | None:
    """``log1p(exp(x))`` is ``softplus(x)``, which does not overflow."""
    of_log = _inputs(variable, owner, "log1p")
    of_exp = of_log and _inputs(of_log[0], owner, "exp")
    return softplus(of_exp[0]) if of_exp else None


def exp_minus_one(variable: Variable, owner: OwnerOf) -> Variable | None:
    """``exp(x) - 1`` is ``expm1(x)``."""
    pair = _inputs(variable, owner, "sub")
    if pair is None or _number(pair[1], owner) != 1:
        return None
    of_exp = _inputs(pair[0], owner, "exp")
    return expm1(of_exp[0]) if of_exp else None


# --- simplifying -----------------------------------------------------------------------------


def fold_constants(variable: Variable, owner: OwnerOf) -> Variable | None:
    """Compute an elementwise operation on 0-d constants."""
    apply = owner(variable)
    if apply is None or not isinstance(apply.op, Elementwise) or variable.ndim:
        return None
    values = [v.value for v in apply.inputs if isinstance(v, Constant)]
    if len(values) < len(apply.inputs):
        return None
    return Constant(np.asarray(apply.op.reference(values, ())), variable.name)


def without_neutral(variable: Variable, owner: OwnerOf) -> Variable | None:
    """``x * 1``, ``x / 1``, ``x + 0`` and ``x - 0`` are ``x``."""
    for name, neutral in (("mul", 1), ("add", 0)):
        pair = _other(variable, owner, name, neutral)
        if pair is not None:
            return pair[0]
    for name, neutral in (("true_div", 1), ("sub", 0)):
        pair = _inputs(variable, owner, name)
        if pair is not None and _number(pair[1], owner) == neutral:
            return pair[0]
    return None


def double_negation(variable: Variable, owner: OwnerOf) -> Variable | None:
    """``-(-x)`` is ``x``."""
    once = _inputs(variable, owner, "neg")
    twice = once and _inputs(once[0], owner, "neg")
    return twice[0] if twice else None


def single_numbers(variable: Variable, owner: OwnerOf) -> Variable | None:
    """Leave a single number unstretched in an elementwise operation."""
    apply = owner(variable)
    if apply is None or not isinstance(apply.op, Elementwise):
        return None
    inputs = [_single(v, owner) for v in apply.inputs]
    if all(a is b for a, b in zip(inputs, apply.inputs, strict=True)):
        return None
    return apply.op(*inputs)


def chosen_branch(variable: Variable, owner: OwnerOf) -> Variable | None:
    """``switch`` by a constant is what it chooses."""
    inputs = _inputs(variable, owner, Switch.name)
    condition = _number(inputs[0], owner) if inputs else None
    if inputs is None or condition is None:
        return None
    return like(inputs[1] if condition else inputs[2], variable)


def needless_cast(variable: Variable, owner: OwnerOf) -> Variable | None:
    """Drop a cast to the dtype that is there already; cast constants."""
    inputs = _inputs(variable, owner, "cast")
    if inputs is None or not (isinstance(inputs[0], Constant) or inputs[0].type == variable.type):
        return None
    return cast(inputs[0], variable.dtype)


def merged_dimshuffles(variable: Variable, owner: OwnerOf) -> Variable | None:
    """Two dimshuffles are one; one that moves nothing is none."""
    outer = owner(variable)
    if outer is None or not isinstance(outer.op, Dimshuffle):
        return None
    (x,) = outer.inputs
    inner = owner(x)
    if outer.op.order == tuple(range(x.ndim)):
        return x
    if inner is None or not isinstance(inner.op, Dimshuffle):
        return None
    first = inner.op.order
    return dimshuffle(
        inner.inputs[0], [o if isinstance(o, str) else first[o] for o in outer.op.order]
    )


def dropped_after_fold(variable: Variable, owner: OwnerOf) -> Variable | None:
    """Fold without keeping the axes that are dropped right after."""
    outer = owner(variable)
    inner = owner(outer.inputs[0]) if outer is not None else None
    if outer is None or inner is None or not isinstance(outer.op, Dimshuffle):
        return None
    fold = inner.op
    if not isinstance(fold, Fold) or not fold.keepdims:
        return None
    left = tuple(axis for axis in range(inner.output.ndim) if axis not in fold.axes)
    if outer.op.order != left:
        return None
    return attrs.evolve(fold, keepdims=False)(*inner.inputs)


def needless_slice(variable: Variable, owner: OwnerOf) -> Variable | None:
    """Drop a slice of no axis, and a sum over none."""
    apply = owner(variable)
    if apply is not None and isinstance(apply.op, Slice | Sum) and not apply.op.axes:
        return apply.inputs[0]
    return None


STABILISING: tuple[Rule, ...] = (
    log_of_softmax,
    log_of_sigmoid,
    log_of_one_plus,
    log1p_of_exp,
    exp_minus_one,
)
SIMPLIFYING: tuple[Rule, ...] = (
    fold_constants,
    single_numbers,
    without_neutral,
    double_negation,
    chosen_branch,
    needless_cast,
    merged_dimshuffles,
    dropped_after_fold,
    needless_slice,
)

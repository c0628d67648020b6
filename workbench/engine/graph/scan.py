"""Scan: loops as Theano's programs write them.

Responsible for the forms of its arguments and results; what a loop is and what its derivative is
stand in `loop`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.arguments import pairs
from workbench.engine.graph.loop import Body, Inputs, brought_updates, result
from workbench.engine.graph.ops.arithmetic import minimum
from workbench.engine.graph.ops.elementwise import with_dtype
from workbench.engine.graph.ops.indexing import index
from workbench.engine.graph.ops.lengths import axis_length, size
from workbench.engine.graph.ops.shape import retype
from workbench.engine.graph.promotion import DEFAULTS, as_variable, is_weak
from workbench.engine.graph.rewrite import substitute
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Constant, SharedVariable, Variable


class Updates(dict[Variable, Any]):
    """New values of shared variables; two add up to those of both."""

    def __add__(self, other: Any) -> Updates:
        return Updates([*self.items(), *pairs(other)])

    def __radd__(self, other: Any) -> Updates:
        return Updates([*pairs(other), *self.items()])


@attrs.define(eq=False)
class _State:
    """What is carried from turn to turn: its free variable, where it starts, what follows."""

    variable: Variable
    initial: Variable
    following: Variable | None = None


@attrs.define(eq=False)
class _Loop:
    """A loop in the making, in the order of the arguments of the program's function."""

    elements: list[tuple[Variable, Variable]] = attrs.Factory(list)
    states: list[_State] = attrs.Factory(list)
    arguments: list[Variable] = attrs.Factory(list)
    #: The newest state of each recurrent output, and what the others shift to.
    newest: dict[int, _State] = attrs.Factory(dict)
    #: What stands within a step for a shared variable that steps update.
    carried: dict[Variable, Variable] = attrs.Factory(dict)


def scan(
    fn: Callable[..., Any],
    sequences: Any = None,
    outputs_info: Any = None,
    non_sequences: Any = None,
    n_steps: Any = None,
    truncate_gradient: int = -1,
    go_backwards: bool = False,
    name: str | None = None,
    return_list: bool = False,
) -> tuple[Any, Updates]:
    """Repeat an expression, and return what each step gives and the updates of shared variables.

    Parameters
    ----------
    fn
        Returns a step's outputs, and perhaps updates, from: the present elements of the sequences
        (one for each tap), the outputs of earlier steps (one for each tap), the non-sequences. What
        else it uses is found by itself.
    sequences
        Variables that are walked along their first axes; ``dict(input=x, taps=[-1, 0])`` gives
        several elements at each step. The shortest decides the number of steps.
    outputs_info
        For each output its initial value; None for one that no step looks back at;
        ``dict(initial=x, taps=[-2, -1])`` for what looks back further: `x` then holds the values
        before the first step, oldest first.
    non_sequences
        What is handed to every step as it is.
    n_steps
        The number of steps, if fewer than the sequences have elements, or if there are none: a
        number, or 0-d arithmetic on inputs and shapes.
    truncate_gradient
        How many steps back derivatives are taken; -1 for all.
    go_backwards
        Whether sequences are walked from their ends; outputs stand in the order of the steps.
    name
        What messages call it.
    return_list
        Whether a single output, too, is returned in a list.

    Returns
    -------
    The outputs stacked along a new first axis (one, a list, or None), and the updates.

    Raises
    ------
    GraphError
        What was given does not make a loop.
    """
    called = name or "scan"
    made = _Loop()
    count = _add_sequences(made, _listed(sequences), n_steps, go_backwards, called)
    infos = [_info(i) for i in _listed(outputs_info)]
    for number, info in enumerate(infos):
        if info is not None:
            _add_states(made, number, *info)
    # A step uses them as they are: what is the same in all steps is found by itself.
    made.arguments += [as_variable(value) for value in _listed(non_sequences)]
    outputs, updates = _returned(fn(*made.arguments), called)
    if infos and len(infos) != len(outputs):
        raise GraphError(
            f"The function of {called} returns {len(outputs)} outputs, "
            f"but outputs_info has {len(infos)}.",
            "Give one for each output, None where no step looks back.",
        )
    for number, state in made.newest.items():
        state.following = _followed(outputs[number], state, called)
    streams = _add_shared(made, outputs, updates, called)
    body, run = _closed(made, outputs, truncate_gradient, streams, count)
    results = [result(body, run, "each", i) for i in range(len(outputs))]
    first = len(made.states) - len(updates)
    changed = Updates(
        (shared, result(body, run, "last", first + i)) for i, shared in enumerate(updates)
    )
    if return_list or len(results) > 1:
        return results, changed
    return (results[0] if results else None), changed


def _listed(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _taps(given: Any, default: int) -> list[int]:
    if given is None:
        return [default]
    return [int(tap) for tap in (given if isinstance(given, (list, tuple)) else [given])]


def _label(variable: Variable, tap: int) -> str:
    return f"{variable.name or 'an unnamed variable'}[t{tap:+d}]".replace("[t+0]", "[t]")


def _add_sequences(
    made: _Loop, sequences: Sequence[Any], n_steps: Any, go_backwards: bool, called: str
) -> Variable:
    """Add an element for each tap of each sequence; return the number of steps."""
    walked: list[tuple[Variable, str]] = []
    for sequence in sequences:
        known = sequence if isinstance(sequence, Mapping) else {"input": sequence}
        x, taps = as_variable(known["input"]), _taps(known.get("taps"), 0)
        if not x.ndim:
            raise GraphError(
                f"{called} cannot walk along {x.describe()}.", "Give it as a non-sequence."
            )
        low, high = min(*taps, 0), max(*taps, 0)
        for tap in taps:
            length = axis_length(x, 0) - (high - low) if high > low else axis_length(x, 0)
            part = index(x, slice(tap - low, tap - low + length)) if high > low else x
            walked.append((part, _label(x, tap)))
    if n_steps is None and not walked:
        raise GraphError(
            f"{called} got neither sequences nor n_steps.", "Give n_steps: how often to repeat."
        )
    lengths = [axis_length(x, 0) for x, _ in walked]
    count = size(n_steps) if n_steps is not None else lengths[0]
    if n_steps is None:
        for length in lengths[1:]:
            count = count if length is count else minimum(count, length)
    if isinstance(count, Constant) and int(count.value) < 0:
        raise GraphError(
            f"{called} was asked for {int(count.value)} steps.",
            "Ask for 0 or more; go_backwards=True walks from the end.",
        )
    for (x, label), length in zip(walked, lengths, strict=True):
        if go_backwards:
            x = index(x, slice(None, None, -1))
        if length is not count:
            x = index(x, slice(0, count))
        element = Variable(TensorType(x.dtype, x.broadcastable[1:]), None, label)
        made.elements.append((element, x))
        made.arguments.append(element)
    return count


def _info(given: Any) -> tuple[Variable, list[int]] | None:
    """Return an output's initial value and taps; None if no step looks back at it."""
    known = given if isinstance(given, Mapping) else {"initial": given}
    if known.get("initial") is None:
        return None
    initial = as_variable(known["initial"])
    if is_weak(initial) and initial.type.is_float:
        initial = with_dtype(initial, DEFAULTS.float_dtype)
    return initial, _taps(known.get("taps"), -1)


def _add_states(made: _Loop, number: int, initial: Variable, taps: list[int]) -> None:
    """Add what an output looks back at: a state for each step up to the furthest."""
    if max(taps) >= 0:
        raise GraphError(
            f"An output of scan looks back at the taps {taps}.", "Taps of outputs are below 0."
        )
    furthest = -min(taps)
    if taps != [-1] and not initial.ndim:
        raise GraphError(
            f"The taps {taps} need {furthest} initial values, but got {initial.describe()}.",
            "Stack them along a first axis, oldest first.",
        )
    found: dict[int, _State] = {}
    for tap in range(-1, -furthest - 1, -1):
        start = initial if taps == [-1] else index(initial, furthest + tap)
        variable = Variable(start.type, None, _label(initial, tap))
        newer = found.get(tap + 1)
        found[tap] = _State(variable, start, newer.variable if newer else None)
    made.newest[number] = found[-1]
    made.states += found.values()
    made.arguments += [found[tap].variable for tap in taps]


def _returned(found: Any, called: str) -> tuple[list[Variable], dict[SharedVariable, Variable]]:
    """Take apart what a program's function returns: outputs, updates, or both."""
    parts = list(found) if isinstance(found, (list, tuple)) else [found]
    if _are_updates(found):
        outputs, updates = [], found
    elif len(parts) == 2 and _are_updates(parts[1]):
        outputs, updates = _listed(parts[0]), parts[1]
    elif len(parts) == 2 and _are_updates(parts[0]):
        outputs, updates = _listed(parts[1]), parts[0]
    else:
        outputs, updates = ([] if found is None else parts), {}
    changes: dict[SharedVariable, Variable] = {}
    for shared, new in pairs(updates):
        if not isinstance(shared, SharedVariable):
            raise GraphError(
                f"The function of {called} updates {shared!r}, which is no shared variable.",
                "Return it as an output that the next step looks back at.",
            )
        changes[shared] = as_variable(new)
    return [as_variable(output) for output in outputs], changes


def _are_updates(found: Any) -> bool:
    if isinstance(found, Mapping):
        return True
    return (
        isinstance(found, (list, tuple))
        and bool(found)
        and all(
            isinstance(p, (list, tuple)) and len(p) == 2 and isinstance(p[0], SharedVariable)
            for p in found
        )
    )


def _followed(new: Variable, state: _State, called: str) -> Variable:
    """Return what a step leaves, in the type that the next one takes."""
    wanted = state.variable.type
    fits = new.ndim == wanted.ndim and np.can_cast(new.dtype, wanted.dtype, "safe")
    if not fits and not (new.ndim == wanted.ndim and isinstance(new, Constant) and new.weak):
        raise GraphError(
            f"{called} starts from {state.initial.describe()}, but a step gives {new.describe()}.",
            "Both must have one dtype and number of axes: start from floats, or cast().",
        )
    return retype(with_dtype(new, wanted.dtype), wanted.broadcastable)


def _add_shared(
    made: _Loop,
    outputs: list[Variable],
    updates: dict[SharedVariable, Variable],
    called: str,
) -> tuple[int, ...]:
    """Carry on the shared variables that steps update, and random streams; return these' numbers.

    `updates` receives the streams' updates.
    """
    streams: list[int] = []
    following = [s.following for s in made.states if s.following is not None]
    while True:
        roots = [*outputs, *following, *updates.values()]
        brought = brought_updates(roots)
        found = [(v, new) for v, new in brought.items() if v not in updates]
        if not found:
            break
        for v, new in found:
            streams.append(len(made.states) + len(updates))
            updates[v] = new
    for shared, new in updates.items():
        state = _State(Variable(shared.type, None, shared.name), shared)
        state.following = _followed(new, state, called)
        made.states.append(state)
        made.carried[shared] = state.variable
    return tuple(streams)


def _closed(
    made: _Loop, outputs: list[Variable], truncate: int, streams: tuple[int, ...], count: Variable
) -> tuple[Body, Inputs]:
    """Return the loop with all that its steps use as inputs of its own."""
    following = [s.following for s in made.states if s.following is not None]
    roots = substitute([*outputs, *following], made.carried)
    inner = [*(v for v, _ in made.elements), *(s.variable for s in made.states)]
    captured = {v: Variable(v.type, None, v.name) for v in _captured(roots, inner)}
    roots = substitute(roots, captured)
    body = Body(
        tuple(v for v, _ in made.elements),
        tuple(s.variable for s in made.states),
        tuple(captured.values()),
        tuple(roots[: len(outputs)]),
        tuple(roots[len(outputs) :]),
        truncate=truncate,
        streams=streams,
    )
    run = Inputs(
        tuple(x for _, x in made.elements),
        tuple(s.initial for s in made.states),
        tuple(captured),
        count,
    )
    return body, run


def _captured(roots: Sequence[Variable], inner: Sequence[Variable]) -> list[Variable]:
    """Return what is the same in all steps and what steps start from, but constants."""
    depends = {v.serial for v in inner}
    found: dict[Variable, None] = {}
    for v in topological(roots):
        if v.serial in depends or v.owner is None:
            continue
        if any(x.serial in depends for x in v.owner.inputs):
            depends.add(v.serial)
            found.update(dict.fromkeys(x for x in v.owner.inputs if x.serial not in depends))
    found.update(dict.fromkeys(v for v in roots if v.serial not in depends))
    return [v for v in found if not isinstance(v, Constant)]

"""Loops: what happens in one turn, and the operation that repeats it.

Responsible for the loop's types, shapes, value and derivative; knows neither how programs write a
loop nor how a device runs one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Literal

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.grad import pull_back
from workbench.engine.graph.op import Length, LengthSource, Op
from workbench.engine.graph.ops.arithmetic import add, minimum
from workbench.engine.graph.ops.comparison import eq, switch
from workbench.engine.graph.ops.indexing import index
from workbench.engine.graph.ops.joining import concatenate
from workbench.engine.graph.ops.lengths import axis_length
from workbench.engine.graph.ops.shape import broadcast_to, retype, zeros_like
from workbench.engine.graph.rewrite import expand_composites, stabilise, substitute
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import SharedVariable, Variable

Kind = Literal["each", "last", "before"]


@attrs.frozen(eq=False, repr=False)
class Body:
    """What happens in one turn of a loop, written on free variables.

    Parameters
    ----------
    elements
        Stand for the present element of each sequence.
    states
        Stand for what the turn before has left.
    given
        Stand for what is the same in all turns.
    outputs
        What each turn gives.
    following
        What each turn leaves of each state.
    backwards
        Whether the last element comes first. Outputs keep the places of their elements.
    truncate
        How many turns back derivatives are taken; -1 for all.
    streams
        Numbers of the states that are the steps of random streams.
    """

    elements: tuple[Variable, ...]
    states: tuple[Variable, ...]
    given: tuple[Variable, ...]
    outputs: tuple[Variable, ...]
    following: tuple[Variable, ...]
    backwards: bool = False
    truncate: int = -1
    streams: tuple[int, ...] = ()

    def __repr__(self) -> str:
        taken = ", ".join(v.name or "given" for v in self.variables)
        gives = ", ".join(v.owner.op.name if v.owner else v.name or "?" for v in self.outputs)
        return f"({taken}) -> ({gives})"

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All free variables, in order."""
        return (*self.elements, *self.states, *self.given)

    def value(self, kind: Kind, number: int) -> Variable:
        """Return what a loop's output is one element of, or is at the end."""
        if kind == "each":
            return self.outputs[number]
        return self.states[number] if kind == "before" else self.following[number]

    @cached_property
    def lowered(self) -> Body:
        """The same in stable forms, without composites."""
        roots = expand_composites(stabilise([*self.outputs, *self.following]))
        split = len(self.outputs)
        return attrs.evolve(self, outputs=tuple(roots[:split]), following=tuple(roots[split:]))

    @cached_property
    def deciding(self) -> tuple[int, ...]:
        """Numbers of the `given` whose values decide shapes within the turn."""
        roots = (*self.lowered.outputs, *self.lowered.following)
        applied = [v.owner for v in topological(roots) if v.owner is not None]
        waiting = [a.inputs[i] for a in applied for i in a.op.shape_inputs]
        seen: set[int] = set()
        while waiting:
            variable = waiting.pop()
            if variable.serial not in seen:
                seen.add(variable.serial)
                if variable.owner is not None and not isinstance(variable.owner.op, Length):
                    waiting += variable.owner.inputs
        return tuple(i for i, v in enumerate(self.given) if v.serial in seen and v.ndim == 0)


@attrs.frozen
class Inputs:
    """What a loop runs on.

    Parameters
    ----------
    sequences, initial, given
        What `Body.elements`, `Body.states` and `Body.given` stand for.
    count
        The number of turns.
    """

    sequences: tuple[Variable, ...]
    initial: tuple[Variable, ...]
    given: tuple[Variable, ...]
    count: Variable


@attrs.frozen
class Loop(Op):
    """One result of a loop. Results of one body on the same inputs are computed together.

    Its inputs are those of the loop; then, for its shape: the number of turns, the lengths of a
    turn's result, and the given numbers that decide shapes within the turn.

    Parameters
    ----------
    body
        What happens in a turn.
    kind
        Whether this is an output of ``each`` turn, the ``last`` of a state, or that state
        ``before`` each turn.
    number
        Of the output or state.
    """

    name = "loop"
    body: Body
    kind: Kind
    number: int

    @property
    def value(self) -> Variable:
        """What the output is one element of, or is at the end."""
        return self.body.value(self.kind, self.number)

    @property
    def is_stacked(self) -> bool:
        """Whether the output has an axis of turns."""
        return self.kind != "last"

    @property
    def shape_inputs(self) -> tuple[int, ...]:
        """Number of turns, lengths of the result, and what decides shapes within."""
        first = len(self.body.variables) + 1
        return tuple(range(first, first + 1 + self.value.ndim + len(self.body.deciding)))

    def infer_type(self, *types: TensorType) -> TensorType:
        """Put the axis of turns first."""
        value = self.value.type
        if not self.is_stacked:
            return self.body.states[self.number].type
        return TensorType(value.dtype, (False, *value.broadcastable))

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Check that each sequence has an element for each turn."""
        count, lengths = sizes[0], tuple(sizes[1 : 1 + self.value.ndim])
        if count < 0:
            raise GraphError(f"A loop was asked for {count} turns.", "Ask for 0 or more.")
        for of_sequence in shapes[: len(self.body.elements)]:
            if of_sequence[0] != count:
                raise GraphError(
                    f"A loop of {count} turns got a sequence of shape {of_sequence}.",
                    "Give it an element for each turn, or ask for fewer turns.",
                )
        return (count, *lengths) if self.is_stacked else lengths

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at the lengths given."""
        return inputs[self.shape_inputs[axis if self.is_stacked else axis + 1]]

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Take turn after turn by the oracle."""
        body = self.body
        count, a, b = int(arrays[-1]), len(body.elements), len(body.elements) + len(body.states)
        sequences, states, given = arrays[:a], list(arrays[a:b]), arrays[b:-1]
        found: dict[int, np.ndarray] = {}
        for turn in reversed(range(count)) if body.backwards else range(count):
            values = [*(s[turn] for s in sequences), *states, *given]
            roots = [*body.following, self.value]
            *states, found[turn] = evaluate(roots, dict(zip(body.variables, values, strict=True)))
        if not self.is_stacked:
            return states[self.number]
        stacked = [found[turn] for turn in range(count)]
        return np.stack(stacked) if stacked else np.zeros(shape, self.value.dtype)

    def split(self, inputs: Sequence[Variable]) -> Inputs:
        """Return the loop's inputs, without those that only decide the shape."""
        a, b = len(self.body.elements), len(self.body.elements) + len(self.body.states)
        last = len(self.body.variables)
        return Inputs(tuple(inputs[:a]), tuple(inputs[a:b]), tuple(inputs[b:last]), inputs[last])

    def advanced(self, inputs: Sequence[Variable]) -> list[tuple[SharedVariable, Variable]]:
        """Return the steps of random streams that the loop draws from, with those that follow."""
        run = self.split(inputs)
        starts = ((j, run.initial[j]) for j in self.body.streams)
        return [
            (start, result(self.body, run, "last", j))
            for j, start in starts
            if isinstance(start, SharedVariable)
        ]

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Go through the turns the other way."""
        parts = _Backward(self, self.split(inputs), grad).parts()
        return [*parts, *[None] * (len(inputs) - len(parts))]


def result(body: Body, run: Inputs, kind: Kind, number: int) -> Variable:
    """Return one result of a loop."""
    models = [_element(s, v) for s, v in zip(run.sequences, body.elements, strict=True)]
    outside = dict(zip(body.variables, (*models, *run.initial, *run.given), strict=True))
    # Only its shape matters: it is never computed.
    (model,) = substitute([body.value(kind if kind == "each" else "before", number)], outside)
    return Loop(body, kind, number)(
        *run.sequences,
        *run.initial,
        *run.given,
        run.count,
        run.count,
        *(axis_length(model, axis) for axis in range(model.ndim)),
        *(run.given[i] for i in body.deciding),
    )


def _element(sequence: Variable, element: Variable) -> Variable:
    """Return something in the shape of a sequence's elements."""
    zero = np.zeros((), element.dtype)
    return retype(broadcast_to(zero, sequence.shape[1:]), element.broadcastable)


class _Backward:
    """The loop that goes back through the turns of another with the derivative by one result."""

    def __init__(self, op: Loop, run: Inputs, grad: Variable) -> None:
        self.body = op.body
        self.op = op
        self.run = run
        self.grad = grad
        self.seed = Variable(op.value.type, None, "derivative by the turn's result")
        #: What the turns gave is not computed again.
        self.saved = {
            v: Variable(v.type, None, v.name) for v in op.body.outputs if v.owner is not None
        }
        #: Derivatives by the states after a turn, by number of the state.
        self.slopes: dict[int, Variable] = {}
        if op.kind == "last":
            self._slope(op.number)

    def _slope(self, number: int) -> None:
        of_state = self.body.states[number]
        self.slopes[number] = Variable(of_state.type, None, f"derivative by {of_state.name}")

    def parts(self) -> list[Variable | None]:
        """Return the derivative by each input, None where there is none."""
        within = self._within()
        a, b = len(self.body.elements), len(self.body.elements) + len(self.body.states)
        by_element = {i: p for i, p in enumerate(within[:a]) if p is not None}
        by_given = {i: p for i, p in enumerate(within[b:]) if p is not None}
        sums = {i: Variable(self.body.given[i].type, None, "sum") for i in by_given}
        after = {
            j: zeros_like(slope) if (p := within[a + j]) is None else p
            for j, slope in self.slopes.items()
        }
        back = self._body(
            [*self.slopes.values(), *sums.values()],
            list(by_element.values()),
            [*after.values(), *(add(sums[i], p) for i, p in by_given.items())],
        )
        run = self._inputs(back, list(by_given))
        found: list[Variable | None] = [None] * len(within)
        for number, i in enumerate(by_element):
            found[i] = self._padded(result(back, run, "each", number), self.run.sequences[i])
        for number, j in enumerate(self.slopes):
            last = result(back, run, "last", number)
            found[a + j] = last if self._cut is None else switch(self._whole, last, 0)
        for number, i in enumerate(by_given, len(self.slopes)):
            found[b + i] = result(back, run, "last", number)
        return found

    def _within(self) -> list[Variable | None]:
        """Return the derivative by each variable of a turn, and find the states that matter."""
        while True:
            after = [(self.body.following[j], slope) for j, slope in self.slopes.items()]
            if self.op.kind != "last":
                after.append((self.op.value, self.seed))
            found = pull_back(after, self.body.variables)
            first = len(self.body.elements)
            new = [
                j
                for j in range(len(self.body.states))
                if found[first + j] is not None and j not in self.slopes
            ]
            if not new:
                known = [v for v in found if v is not None]
                again = iter(substitute(known, self.saved))
                return [None if v is None else next(again) for v in found]
            for j in new:
                self._slope(j)

    def _body(
        self, states: list[Variable], outputs: list[Variable], following: list[Variable]
    ) -> Body:
        used = {v.serial for v in topological([*outputs, *following])}
        elements = (*self.body.elements, *self.body.states, *self.saved.values(), self.seed)
        return Body(
            tuple(v for v in elements if v.serial in used),
            tuple(states),
            tuple(v for v in self.body.given if v.serial in used),
            tuple(outputs),
            tuple(following),
            backwards=not self.body.backwards,
        )

    def _inputs(self, back: Body, summed: list[int]) -> Inputs:
        """Return what the loop runs on: among it, the states that the other one went through."""
        sources: dict[Variable, Variable] = dict(
            zip(self.body.elements, self.run.sequences, strict=True)
        )
        for j, state in enumerate(self.body.states):
            if state in back.elements:
                sources[state] = result(self.body, self.run, "before", j)
        for k, v in enumerate(self.body.outputs):
            if self.saved.get(v) in back.elements:
                sources[self.saved[v]] = result(self.body, self.run, "each", k)
        sources[self.seed] = self.grad
        last = self.op.number if self.op.kind == "last" else None
        starts = [self.grad if j == last else zeros_like(self.run.initial[j]) for j in self.slopes]
        kept = dict(zip(self.body.given, self.run.given, strict=True))
        count = self.run.count if self._cut is None else self._cut
        return Inputs(
            tuple(self._recent(sources[v]) for v in back.elements),
            (*starts, *(zeros_like(self.run.given[i]) for i in summed)),
            tuple(kept[v] for v in back.given),
            count,
        )

    @cached_property
    def _cut(self) -> Variable | None:
        """The number of turns to go back, if not all."""
        limit = self.body.truncate
        return None if limit < 0 else minimum(self.run.count, limit)

    @cached_property
    def _whole(self) -> Variable:
        assert self._cut is not None
        return eq(self._cut, self.run.count)

    def _recent(self, sequence: Variable) -> Variable:
        if self._cut is None:
            return sequence
        return index(sequence, slice(self.run.count - self._cut, self.run.count))

    def _padded(self, recent: Variable, sequence: Variable) -> Variable:
        if self._cut is None:
            return recent
        early = index(zeros_like(sequence), slice(0, self.run.count - self._cut))
        return concatenate([early, recent])


def brought_updates(
    roots: Sequence[Variable], stop: Collection[Variable] = ()
) -> dict[SharedVariable, Variable]:
    """Return the new values that shared variables below `roots` bring along, as streams do.

    A stream that a loop draws from goes on where the loop ends.
    """
    below = topological(roots, stop)
    found: dict[SharedVariable, Variable] = {}
    for v in below:
        if v.owner is not None and isinstance(v.owner.op, Loop):
            for step, new in v.owner.op.advanced(v.owner.inputs):
                found.setdefault(step, new)
    for v in below:
        if isinstance(v, SharedVariable) and v.default_update is not None:
            found.setdefault(v, v.default_update)
    return found

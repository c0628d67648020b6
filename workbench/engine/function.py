"""Compiled functions: expressions that can be called.

Responsible for checking what a function is made of and called with, and for choosing the plan for
each call's shapes; knows nothing of how plans are made or run.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.backends.base import Device, Executable
from workbench.engine.graph.arguments import (
    Pairs,
    check_inputs,
    checked_givens,
    checked_updates,
    coerced,
    pairs,
)
from workbench.engine.graph.loop import brought_updates
from workbench.engine.graph.rewrite import expand_composites, stabilise, substitute
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.types import Shape
from workbench.engine.graph.variable import Constant, SharedVariable, Variable
from workbench.engine.lower.fuse import FuseOptions
from workbench.engine.lower.lowering import lower
from workbench.engine.lower.plan import Plan
from workbench.engine.lower.shapes import (
    HostVariables,
    Shaped,
    find_host_variables,
    shape_pass,
    with_scalars,
)

#: Remembered combinations of shapes and scalars; beyond this many the memory starts afresh.
_MAX_REMEMBERED = 4096

#: Most plans that a function keeps. Each has memory on the device; of more, those that were used
#: longest ago are given up.
MAX_PLANS = 64


@attrs.frozen
class CompileOptions:
    """How an expression is lowered.

    Parameters
    ----------
    rewrite
        Whether unstable forms are replaced by stable ones; without, the expression is run as
        written.
    fuse
        Whether operations share kernels; without, each is one.
    """

    rewrite: bool = True
    fuse: bool = True


@attrs.define(eq=False)
class _Bound:
    shaped: Shaped
    plan: Plan
    executable: Executable
    scalars: tuple[Variable, ...]
    #: Which of the function's runs was the last one of this plan.
    last_run: int = 0


@attrs.frozen(eq=False)
class _Call:
    """All that a combination of shapes and scalar inputs determines."""

    bound: _Bound
    scalars: tuple[np.generic, ...]


class Function:
    """An expression that can be called; made by `function`.

    A call with new shapes makes a plan for them; further calls reuse it. Updates of shared
    variables happen together, after the outputs have been computed.
    """

    def __init__(
        self,
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        updates: Sequence[tuple[SharedVariable, Variable]],
        device: Device,
        slots: int,
        name: str,
        options: CompileOptions,
        single: bool,
    ) -> None:
        self.name = name
        self.device = device
        self.inputs = list(inputs)
        self._outputs = list(outputs)
        self._updates = list(updates)
        self._slots = slots
        self._single = single
        self._options = options
        self._array_inputs = [v for v in inputs if v.ndim > 0]
        self._scalar_inputs = [v for v in inputs if v.ndim == 0]
        roots = [*outputs, *(new for _, new in updates)]
        self._host: HostVariables = find_host_variables(roots, self._scalar_inputs)
        found = [v for v in self._host.order if isinstance(v, SharedVariable)]
        self._shared = list(dict.fromkeys([*found, *(s for s, _ in updates)]))
        for shared in self._shared:
            device.place(shared)
        self._plans: dict[tuple[tuple[Shape, ...], tuple[int, ...]], _Bound] = {}
        self._calls: dict[tuple[Any, ...], _Call] = {}
        #: The same by what was given, where that was plain numbers.
        self._by_numbers: dict[tuple[Any, ...], _Call] = {}
        self._pending: list[_Bound] = []
        self._slots_used: dict[int, int] = {}
        self._runs = 0

    def __call__(self, *arguments: Any) -> Any:
        """Run once and return the outputs: one array, or a list as `outputs` was.

        Raises
        ------
        GraphError
            An argument is missing, has the wrong dtype or number of axes, or shapes do not fit.
        """
        if self._pending:
            raise GraphError(
                f"{self._called()} has results that were not collected.", "Call collect() first."
            )
        self.enqueue(*arguments)
        results = [result[0] for result in self.collect()]
        return results[0] if self._single else results

    def enqueue(self, *arguments: Any) -> None:
        """Start one run without waiting for it; its outputs wait on the device for `collect`.

        Raises
        ------
        GraphError
            As for a call; or `slots` runs are waiting already.
        """
        if len(self._pending) >= self._slots:
            raise GraphError(
                f"{self._called()} has {self._slots} runs waiting, as many as it has slots.",
                "Call collect(), or give function() more slots.",
            )
        arrays, call = self._resolve(arguments)
        if self._pending and self._pending[0] is not call.bound:
            self._check_same_outputs(call.bound)
        slot = self._slots_used.get(id(call.bound), 0)
        call.bound.executable.enqueue(arrays, call.scalars, slot)
        self._slots_used[id(call.bound)] = slot + 1
        self._pending.append(call.bound)
        self._runs += 1
        call.bound.last_run = self._runs

    def collect(self) -> list[np.ndarray]:
        """Wait for all runs since the last `collect`; return each output with an axis of runs."""
        pending, self._pending = self._pending, []
        used, self._slots_used = self._slots_used, {}
        if not pending:
            return [np.zeros((0,) + (0,) * v.ndim, v.dtype) for v in self._outputs]
        by_plan: dict[int, list[np.ndarray]] = {}
        for bound in {id(b): b for b in pending}.values():
            by_plan[id(bound)] = bound.executable.collect(used[id(bound)])
        if len(by_plan) == 1:
            return by_plan[id(pending[0])]
        taken = dict.fromkeys(by_plan, 0)
        rows: list[list[np.ndarray]] = [[] for _ in self._outputs]
        for bound in pending:
            slot = taken[id(bound)]
            taken[id(bound)] += 1
            for output, results in zip(rows, by_plan[id(bound)], strict=True):
                output.append(results[slot])
        return [np.stack(output) for output in rows]

    def prepare(self, *arguments: Any) -> None:
        """Make the plan and build the kernels for arguments like these, without running them."""
        self._resolve(arguments)

    @property
    def plans(self) -> list[Plan]:
        """The plans made so far, one for each combination of shapes."""
        return [bound.plan for bound in self._plans.values()]

    def plan_text(self) -> str:
        """Return the plans made so far as text."""
        return "\n\n".join(plan.text for plan in self.plans)

    def _called(self) -> str:
        return f"The function {self.name!r}" if self.name else "The function"

    def _check_same_outputs(self, bound: _Bound) -> None:
        first = self._pending[0].plan
        shapes = [[p.buffers[b].shape for b in p.outputs] for p in (first, bound.plan)]
        if shapes[0] != shapes[1]:
            raise GraphError(
                f"{self._called()} has runs waiting whose outputs have other shapes.",
                "Call collect() first.",
            )

    def _resolve(self, arguments: tuple[Any, ...]) -> tuple[Sequence[np.ndarray], _Call]:
        """Return the arrays among the arguments, and what all of them determine."""
        key = self._number_key(arguments)
        if key is not None and (known := self._by_numbers.get(key)) is not None:
            return (), known
        arrays, scalars = self._coerce(arguments)
        call = self._find_call(arrays, scalars)
        if key is not None:
            if len(self._by_numbers) >= _MAX_REMEMBERED:
                self._by_numbers.clear()
            self._by_numbers[key] = call
        return arrays, call

    def _number_key(self, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Return by what a call with plain numbers is known; None where there is anything else.

        A training step has nothing else and is called thousands of times a second: checking and
        converting its numbers would take half of the host's time.
        """
        kinds = tuple([a.__class__ for a in arguments])
        for kind, value in zip(kinds, arguments, strict=True):
            # 0.0 equals -0.0 and is another number; NaN equals nothing.
            if kind is not int and (kind is not float or not (value > 0 or value < 0)):
                return None
        # Equal numbers of different kinds are not the same either.
        return kinds, arguments, tuple([s.storage.shape for s in self._shared])

    def _coerce(self, arguments: Sequence[Any]) -> tuple[list[np.ndarray], tuple[np.generic, ...]]:
        if len(arguments) != len(self.inputs):
            raise GraphError(
                f"{self._called()} takes {len(self.inputs)} arguments, not {len(arguments)}.",
                f"Give: {', '.join(v.name or str(v.type) for v in self.inputs)}.",
            )
        arrays: list[np.ndarray] = []
        scalars: list[np.generic] = []
        for variable, value in zip(self.inputs, arguments, strict=True):
            array = coerced(variable, value)
            if variable.ndim:
                arrays.append(array)
            else:
                scalars.append(array.dtype.type(array.item()))
        return arrays, tuple(scalars)

    def _find_call(self, arrays: Sequence[np.ndarray], scalars: tuple[np.generic, ...]) -> _Call:
        shapes = tuple(a.shape for a in arrays) + tuple(s.storage.shape for s in self._shared)
        # As bytes: 0.0 equals -0.0 and is another number, NaN equals nothing and is the same one.
        key = (shapes, tuple(s.tobytes() for s in scalars))
        call = self._calls.get(key)
        if call is None:
            if len(self._calls) >= _MAX_REMEMBERED:
                self._calls.clear()
            call = self._calls[key] = self._make_call(shapes, scalars)
        return call

    def _make_call(self, shapes: tuple[Shape, ...], scalars: tuple[np.generic, ...]) -> _Call:
        values = {v.serial: value for v, value in zip(self._scalar_inputs, scalars, strict=True)}
        for (known, _), bound in self._plans.items():
            again = with_scalars(self._host, bound.shaped, values) if known == shapes else None
            if again is not None:
                return _Call(bound, tuple(again.values[v.serial] for v in bound.scalars))
        given = [*self._array_inputs, *self._shared]
        of_inputs = {v.serial: shape for v, shape in zip(given, shapes, strict=True)}
        shaped = shape_pass(self._host, of_inputs, values)
        if len(self._plans) >= MAX_PLANS:
            self._give_up_oldest()
        bound = self._plans[shapes, shaped.sizes(self._host)] = self._bind(shaped)
        return _Call(bound, tuple(shaped.values[v.serial] for v in bound.scalars))

    def _give_up_oldest(self) -> None:
        """Forget the plan that was used longest ago; runs of it that wait keep it until then."""
        key = min(self._plans, key=lambda key: self._plans[key].last_run)
        gone = self._plans.pop(key)
        self._calls = {key: call for key, call in self._calls.items() if call.bound is not gone}
        self._by_numbers.clear()

    def _bind(self, shaped: Shaped) -> _Bound:
        for shared, new in self._updates:
            if shaped.shapes[new.serial] != shaped.shapes[shared.serial]:
                raise GraphError(
                    f"The update of {shared.describe()} has shape {shaped.shapes[new.serial]} "
                    f"instead of {shaped.shapes[shared.serial]}: it is {new.describe()}.",
                    "An update keeps its variable's shape.",
                )
        plan, scalars = lower(
            self._host,
            shaped,
            self._array_inputs,
            self._shared,
            self._outputs,
            self._updates,
            FuseOptions(self._options.fuse),
        )
        return _Bound(shaped, plan, self.device.bind(plan, self._shared, self._slots), scalars)


def function(
    inputs: Sequence[Variable],
    outputs: Variable | Sequence[Variable] | None = None,
    updates: Pairs = (),
    givens: Pairs = (),
    *,
    device: Device,
    slots: int = 1,
    name: str = "",
    on_unused_input: Literal["raise", "warn", "ignore"] = "raise",
    no_default_updates: bool | Collection[SharedVariable] = False,
    options: CompileOptions = CompileOptions(),
) -> Function:
    """Compile an expression.

    Parameters
    ----------
    inputs
        The arguments of the call, in order. Shared variables cannot be among them: use `givens`.
    outputs
        What a call returns: one variable, several, or nothing.
    updates
        Pairs of a shared variable and its new value; all take effect together after the outputs.
    givens
        Pairs of a variable and what stands in for it.
    device
        Where it runs.
    slots
        How many runs may be enqueued before their outputs are collected.
    on_unused_input
        Whether an input that nothing depends on is an error, a warning or neither.
    no_default_updates
        Whether the default updates of shared variables are left out, or of which ones. An update
        in `updates` takes the place of a default one.

    Raises
    ------
    GraphError
        What was given does not make a function; the message names the variable and where it was
        made.
    """
    single = isinstance(outputs, Variable)
    results = [outputs] if isinstance(outputs, Variable) else list(outputs or ())
    changes = checked_updates(pairs(updates))
    check_inputs(inputs)
    roots = [*results, *(new for _, new in changes)]
    replacements = checked_givens(pairs(givens), inputs)
    roots = substitute(roots, replacements)
    if no_default_updates is not True:
        left_out = [*(shared for shared, _ in changes), *(no_default_updates or ())]
        found = default_updates(roots, left_out, replacements)
        changes += found
        roots += [new for _, new in found]
    if options.rewrite:
        roots = stabilise(roots)
    roots = expand_composites(roots)
    _check_free(roots, inputs, on_unused_input)
    split = len(results)
    new_updates = [(shared, new) for (shared, _), new in zip(changes, roots[split:], strict=True)]
    return Function(inputs, roots[:split], new_updates, device, slots, name, options, single)


def _check_free(roots: Sequence[Variable], inputs: Sequence[Variable], on_unused: str) -> None:
    """Raise GraphError unless the inputs are just the free variables that the roots depend on."""
    used = {v.serial for v in topological(roots)}
    unused = [v for v in inputs if v.serial not in used and not v.is_varied]
    if unused and on_unused != "ignore":
        message = f"Nothing depends on the input {unused[0].describe()}."
        if on_unused != "warn":
            raise GraphError(message, "Leave it out, or pass on_unused_input='ignore'.")
        warnings.warn(message, stacklevel=3)
    for root in roots:
        for v in topological([root], stop=inputs):
            free = v.owner is None and not isinstance(v, Constant | SharedVariable)
            if free and all(v is not given for given in inputs):
                raise GraphError(
                    f"No value is given for {v.describe()}, which {root.describe()} needs.",
                    "Add it to inputs or givens.",
                )


def default_updates(
    roots: Sequence[Variable],
    left_out: Collection[SharedVariable],
    replacements: Mapping[Variable, Variable],
) -> list[tuple[SharedVariable, Variable]]:
    """Return the default updates of what `roots` depend on, and of what these depend on in turn."""
    updates: dict[SharedVariable, Variable] = {}
    while True:
        brought = brought_updates([*roots, *updates.values()])
        found = [(v, new) for v, new in brought.items() if v not in left_out and v not in updates]
        if not found:
            return list(updates.items())
        for shared, new in checked_updates(found):
            (updates[shared],) = substitute([new], replacements)

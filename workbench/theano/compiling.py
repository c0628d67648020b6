"""Theano's ``function``: inputs with names and defaults, outputs in the form they were asked for.

Responsible for what a call looks like from outside; plans and devices are the engine's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import attrs
import numpy as np

from workbench.core.errors import GraphError, NotSupported
from workbench.engine.backends.base import Counters, Device, DeviceInfo
from workbench.engine.graph.arguments import Pairs, checked_givens, pairs
from workbench.engine.graph.ops.passing import Watched
from workbench.engine.graph.origin import here
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.rewrite import substitute
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.variable import FUNCTIONS, Lengths, SharedVariable, Variable
from workbench.theano.configuration import config
from workbench.theano.inputs import In, Out
from workbench.theano.staging import staged


@attrs.frozen(eq=False)
class _Program:
    """What a function is made of."""

    inputs: Sequence[In]
    outputs: Sequence[Variable]
    keys: Sequence[str] | None
    single: bool
    updates: Sequence[tuple[Variable, Any]]
    givens: Sequence[tuple[Variable, Any]]
    no_default_updates: bool | Collection[SharedVariable]
    name: str
    downcast: bool | None
    on_unused: str

    def watched(self) -> list[tuple[Watched, Variable]]:
        """Return what is to be shown at every call, and the operations that say how."""
        given = [new for _, new in (*self.updates, *self.givens)]
        roots = [v for v in (*self.outputs, *given) if isinstance(v, Variable)]
        below = topological(roots, stop=[v for v, _ in self.givens])
        applied = [v.owner for v in below if v.owner is not None]
        return [(a.op, a.inputs[0]) for a in applied if isinstance(a.op, Watched)]

    def swapped(self, replacements: Mapping[Variable, Variable]) -> _Program:
        """Return the same with other shared variables."""

        def other(value: Any) -> Any:
            return substitute([value], replacements)[0] if isinstance(value, Variable) else value

        return attrs.evolve(
            self,
            outputs=[other(v) for v in self.outputs],
            updates=[(other(v), other(new)) for v, new in self.updates],
            givens=[(v, other(new)) for v, new in self.givens],
        )

    def free(self) -> _Program:
        """Return the same with a free variable for each input that is an expression."""
        inputs, givens = [], list(self.givens)
        for declared in self.inputs:
            variable = declared.variable
            if variable.owner is not None:
                stand_in = variable.type(variable.name or f"{variable.owner.op.name}(...)")
                stand_in.origin = variable.origin
                givens.append((variable, stand_in))
                declared = attrs.evolve(declared, variable=stand_in)
            inputs.append(declared)
        return attrs.evolve(self, inputs=inputs, givens=givens)


class Function:
    """A compiled expression; made by `function`.

    Attributes
    ----------
    name
        What messages call it.
    counters
        What its device has been asked to do for it: kernels launched, programs compiled, buffers
        allocated, bytes copied.
    """

    def __init__(self, program: _Program) -> None:
        device, made = config.opened(), program.free()
        watched = made.watched()
        self.name = program.name
        self.counters = Counters()
        self._origin = here()
        self._program = program
        self._inputs = made.inputs
        self._watched = [op for op, _ in watched]
        with counted(device, self.counters):
            self._compiled = staged(
                [i.variable for i in made.inputs],
                [*made.outputs, *(v for _, v in watched)],
                made.updates,
                made.givens,
                device=device,
                name=made.name,
                on_unused_input=made.on_unused,
                no_default_updates=made.no_default_updates,
            )
        self._defaults = [
            None if i.value is None else i.taken(i.value, program.downcast) for i in made.inputs
        ]

    @property
    def device(self) -> DeviceInfo:
        """The device that it runs on."""
        return self._compiled.device.info

    def plan_text(self) -> str:
        """Return the kernels of the plans made so far as text; a call with new shapes makes one."""
        return "\n\n".join(plan.text for plan in self._compiled.plans)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Run once; inputs are given by position or by name.

        Returns
        -------
        An array, a list, or a dictionary of arrays, as the outputs were given.

        Raises
        ------
        GraphError
            An input is missing, unknown, given twice, or does not fit; or shapes do not.
        """
        with counted(self._compiled.device, self.counters):
            results = self._compiled(*self._values(args, named))
        arrays = [np.asarray(result) for result in results]
        count = len(arrays) - len(self._watched)
        for op, array in zip(self._watched, arrays[count:], strict=True):
            _show(op, array)
        if self._program.keys is not None:
            return dict(zip(self._program.keys, arrays[:count], strict=True))
        return arrays[0] if self._program.single else arrays[:count]

    def copy(
        self,
        share_memory: bool = False,
        swap: Pairs | None = None,
        delete_updates: bool = False,
        name: str | None = None,
        profile: Any = None,
    ) -> Function:
        """Return a function that does the same.

        Parameters
        ----------
        swap
            Pairs of a shared variable and another that takes its place, or a dictionary.
        delete_updates
            Whether no shared variable is updated.
        name
            What messages call it.
        share_memory, profile
            Without effect.

        Raises
        ------
        GraphError
            A shared variable's place is to be taken by something of another type.
        """
        program = self._program.swapped(checked_givens(pairs(swap or ()), ()))
        if delete_updates:
            program = attrs.evolve(program, updates=[], no_default_updates=True, on_unused="ignore")
        return Function(attrs.evolve(program, name=name or self.name))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"a compiled function has no {name!r}: "
            "it has copy(), counters, device, name and plan_text()"
        )

    def __reduce__(self) -> Any:
        raise NotSupported(
            f"{self._called()} cannot be pickled.",
            "Pickle what it was made of, or get_value() of its shared variables.",
        )

    def _values(self, args: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        if len(args) > len(self._inputs):
            raise GraphError(
                f"{self._called()} takes {len(self._inputs)} inputs, not {len(args)}.",
                f"Give: {', '.join(i.name or str(i.variable.type) for i in self._inputs)}.",
            )
        given = list(args) + [None] * (len(self._inputs) - len(args))
        for name, value in named.items():
            places = [p for p, i in enumerate(self._inputs) if i.name == name]
            if not places or places[0] < len(args):
                fault = "twice" if places else "but has no such input"
                names = ", ".join(i.name for i in self._inputs if i.name)
                raise GraphError(f"{self._called()} got {name!r} {fault}.", f"Names: {names}.")
            given[places[0]] = value
        return [
            self._value(i, value, default)
            for i, value, default in zip(self._inputs, given, self._defaults, strict=True)
        ]

    def _value(self, declared: In, value: Any, default: Any) -> Any:
        if value is not None:
            return declared.taken(value, self._program.downcast)
        if default is None:
            raise GraphError(
                f"{self._called()} got no value for {declared.variable.describe()}.", "Give one."
            )
        return default

    def _called(self) -> str:
        name = f"The function {self.name!r}" if self.name else "The function"
        return f"{name} made at {self._origin}"


@contextmanager
def counted(device: Device, counters: Counters) -> Iterator[None]:
    """Add to `counters` what the device is asked to do inside the block."""
    before = device.counters.snapshot()
    try:
        yield
    finally:
        for field in attrs.fields(Counters):
            done = getattr(device.counters, field.name) - getattr(before, field.name)
            setattr(counters, field.name, getattr(counters, field.name) + done)


def _show(op: Watched, array: np.ndarray) -> None:
    for attribute in op.attributes:
        found = getattr(array, attribute)
        print(op.message, attribute, "=", found() if callable(found) else found)


def function(
    inputs: Sequence[Variable | In],
    outputs: Any = None,
    mode: Any = None,
    updates: Pairs | None = None,
    givens: Pairs | None = None,
    no_default_updates: bool | Collection[SharedVariable] = False,
    accept_inplace: bool = False,
    name: str | None = None,
    rebuild_strict: bool = True,
    allow_input_downcast: bool | None = None,
    profile: Any = None,
    on_unused_input: Literal["raise", "warn", "ignore"] | None = None,
) -> Function:
    """Compile an expression for ``config.device``.

    Parameters
    ----------
    inputs
        Variables, or `In`s that give them names and defaults.
    outputs
        One expression, a list or a dictionary of them, or None; a call returns the same form.
    updates
        Pairs of a shared variable and its new value, or a dictionary; all take effect together
        after the outputs are computed.
    givens
        Pairs of a variable and what stands in for it, or a dictionary.
    no_default_updates
        Whether shared variables keep their values where `updates` does not name them; or which.
    name
        What messages call it.
    allow_input_downcast
        Whether values may lose precision on the way in.
    on_unused_input
        What to do about an input that nothing depends on; an error unless told.
    mode, accept_inplace, rebuild_strict, profile
        Taken for Theano's sake; without effect.

    Raises
    ------
    GraphError
        What was given does not make a function; the message names the variable and where it was
        made.
    """
    if isinstance(inputs, (Variable, In, str)):
        raise GraphError(f"function() got the inputs {inputs!r}.", "Give a list: [x].")
    results, keys, single = _listed(outputs)
    return Function(
        _Program(
            [i if isinstance(i, In) else In(i) for i in inputs],
            results,
            keys,
            single,
            pairs(updates or ()),
            pairs(givens or ()),
            no_default_updates,
            name or "",
            allow_input_downcast,
            on_unused_input or "raise",
        )
    )


def _listed(outputs: Any) -> tuple[list[Variable], list[str] | None, bool]:
    """Return the outputs as a list, their keys if they have any, and whether there is just one."""
    if outputs is None:
        return [], None, False
    if isinstance(outputs, Mapping):
        return [_output(v) for v in outputs.values()], list(outputs), False
    if isinstance(outputs, (list, tuple)) and not isinstance(outputs, Lengths):
        return [_output(v) for v in outputs], None, False
    return [_output(outputs)], None, True


def _output(given: Any) -> Variable:
    given = given.variable if isinstance(given, Out) else given
    return given.vector() if isinstance(given, Lengths) else as_variable(given)


def clone(
    output: Any, replace: Pairs | None = None, strict: bool = True, share_inputs: bool = True
) -> Any:
    """Return one expression, or a list of them, with other variables in the place of some.

    Parameters
    ----------
    replace
        Pairs of a variable and what takes its place, or a dictionary.
    strict
        Without effect: dtypes and numbers of axes must be equal.

    Raises
    ------
    GraphError
        A variable and what takes its place are of different types.
    NotSupported
        Inputs are not to be shared.
    """
    if not share_inputs:
        raise NotSupported(
            "clone does not copy inputs.", "Name them in replace: {x: x.type(), ...}."
        )
    several = isinstance(output, (list, tuple))
    replacements = checked_givens(pairs(replace or ()), ())
    found = substitute(list(output) if several else [output], replacements)
    return found if several else found[0]


def _eval(x: Variable, inputs_to_values: Mapping[Variable, Any] | None = None) -> Any:
    """Return the value of `x`, computed on ``config.device``, given those of its inputs."""
    given = inputs_to_values or {}
    return function(list(given), x, on_unused_input="ignore")(*given.values())


FUNCTIONS.add("eval")(_eval)

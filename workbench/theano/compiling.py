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
from workbench.engine import function as engine
from workbench.engine.backends.base import Counters, Device, DeviceInfo
from workbench.engine.graph.arguments import Pairs, coerced, pairs
from workbench.engine.graph.ops.passing import Watched
from workbench.engine.graph.origin import here
from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.variable import FUNCTIONS, Lengths, SharedVariable, Variable
from workbench.theano.configuration import config


@attrs.frozen(eq=False)
class In:
    """An input of a function, with what belongs to it.

    Parameters
    ----------
    variable
        The free variable that it gives a value.
    name
        What a call may name it by; the variable's name unless told.
    value
        What it is when a call leaves it out; None for an input that must be given.
    allow_downcast
        Whether values may lose precision on the way in; the function's choice unless told.
    update, mutable, strict, borrow, autoname, implicit
        Taken for Theano's sake; only `update` would have an effect, and is refused.
    """

    variable: Variable
    name: str | None = attrs.field(
        default=attrs.Factory(lambda self: getattr(self.variable, "name", None), takes_self=True)
    )
    value: Any = None
    update: Any = None
    mutable: Any = None
    strict: bool = False
    borrow: Any = None
    allow_downcast: bool | None = None
    autoname: bool = True
    implicit: Any = None

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.variable, Variable):
            raise GraphError(
                f"{self.variable!r} is no variable, so it cannot be an input.",
                "Make one: tensor.vector('x').",
            )
        if self.update is not None:
            raise NotSupported(
                f"The input {self.variable.describe()} cannot have an update.",
                "Make it a shared variable, and give function() its update.",
            )

    def taken(self, value: Any, downcast: bool | None) -> Any:
        """Return a value that the variable admits; raise GraphError if this cannot be one."""
        if self.allow_downcast if self.allow_downcast is not None else downcast:
            value = np.asarray(value).astype(self.variable.dtype)
        return coerced(self.variable, value)


def Param(  # noqa: N802 - Theano's name
    variable: Variable, default: Any = None, name: str | None = None, **options: Any
) -> In:
    """Return an input with a default; Theano's older way to write `In`."""
    if name is not None:
        options["name"] = name
    return In(variable, value=default, **options)


@attrs.frozen(eq=False)
class Out:
    """An output of a function; `borrow` is a permission that is not made use of."""

    variable: Any
    borrow: bool = False


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

    def __init__(
        self,
        compiled: engine.Function,
        inputs: Sequence[In],
        keys: Sequence[str] | None,
        single: bool,
        watched: Sequence[Watched],
        downcast: bool | None,
        counters: Counters,
    ) -> None:
        self.name = compiled.name
        self.counters = counters
        self._origin = here()
        self._compiled = compiled
        self._inputs = list(inputs)
        self._keys = keys
        self._single = single
        self._watched = list(watched)
        self._downcast = downcast
        self._defaults = [
            None if i.value is None else i.taken(i.value, downcast) for i in self._inputs
        ]

    @property
    def device(self) -> DeviceInfo:
        """The device that it runs on."""
        return self._compiled.device.info

    def plan_text(self) -> str:
        """Return the kernels of the plans made so far as text; a call with new shapes makes one."""
        return self._compiled.plan_text()

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
        if self._keys is not None:
            return dict(zip(self._keys, arrays[:count], strict=True))
        return arrays[0] if self._single else arrays[:count]

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"a compiled function has no {name!r}: it has device, counters, name and plan_text()"
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
            return declared.taken(value, self._downcast)
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
    declared = [i if isinstance(i, In) else In(i) for i in inputs]
    results, keys, single = _listed(outputs)
    changes, replaced = pairs(updates or ()), pairs(givens or ())
    watched = _watched([*results, *(new for _, new in changes)], replaced)
    device, counters = config.opened(), Counters()
    with counted(device, counters):
        compiled = engine.function(
            [i.variable for i in declared],
            [*results, *(v for _, v in watched)],
            changes,
            replaced,
            device=device,
            name=name or "",
            on_unused_input=on_unused_input or "raise",
            no_default_updates=no_default_updates,
        )
    ops = [op for op, _ in watched]
    return Function(compiled, declared, keys, single, ops, allow_input_downcast, counters)


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


def _watched(
    roots: Sequence[Any], givens: Sequence[tuple[Variable, Any]]
) -> list[tuple[Watched, Variable]]:
    """Return what is to be shown at every call, and the operations that say how."""
    variables = [v for v in (*roots, *(v for _, v in givens)) if isinstance(v, Variable)]
    below = topological(variables, stop=[v for v, _ in givens])
    applied = [v.owner for v in below if v.owner is not None]
    return [(a.op, a.inputs[0]) for a in applied if isinstance(a.op, Watched)]


def _eval(x: Variable, inputs_to_values: Mapping[Variable, Any] | None = None) -> Any:
    """Return the value of `x`, computed on ``config.device``, given those of its inputs."""
    given = inputs_to_values or {}
    return function(list(given), x, on_unused_input="ignore")(*given.values())


FUNCTIONS.add("eval")(_eval)

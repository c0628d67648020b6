"""What a function is given: inputs with names and defaults, and outputs.

Responsible for what belongs to one of them; knows nothing of functions.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError, NotSupported
from workbench.engine.graph.arguments import coerced
from workbench.engine.graph.variable import Variable


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

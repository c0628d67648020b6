"""The functions of the expression language under one name.

Responsible for handing them on: ``from workbench.nn import expressions as T``, then ``T.tanh(x)``.
Knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable

import workbench.engine.graph.ops  # noqa: F401 - importing it registers the functions
from workbench.engine.graph.variable import FUNCTIONS, Variable


def __getattr__(name: str) -> Callable[..., Variable]:
    """Return the function of the language called `name`."""
    if name.startswith("_") or name not in FUNCTIONS:
        raise AttributeError(f"the language has no function {name!r}")
    return FUNCTIONS[name]


def __dir__() -> list[str]:
    """Return the names of all functions of the language."""
    return list(FUNCTIONS)

"""Theano's older ``signal.downsample``: its pooling names the window and the step otherwise.

Responsible for the arguments' names; the pooling is the language's.
"""

from __future__ import annotations

from typing import Any

from workbench.engine.graph.variable import Variable
from workbench.theano.names import offer

__getattr__ = offer("theano.tensor.signal.downsample")


def max_pool_2d(
    input: Any,
    ds: Any,
    ignore_border: bool = False,
    st: Any = None,
    padding: Any = (0, 0),
    mode: str = "max",
) -> Variable:
    """Return the greatest (or the average) of each window of `ds` rows and columns."""
    result: Variable = __getattr__("pool_2d")(
        input, ws=ds, ignore_border=ignore_border, stride=st, pad=padding, mode=mode
    )
    return result

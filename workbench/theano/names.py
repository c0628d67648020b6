"""Which of Theano's names lead where.

Responsible for look-up, and for the way round what is not offered; knows no function.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import workbench.engine.graph.ops  # noqa: F401 - importing it registers the functions
from workbench.core.errors import NotSupported
from workbench.engine.graph.variable import FUNCTIONS

#: Theano's names for functions that the language calls otherwise.
ALIASES = {
    "abs_": "abs",
    "consider_constant": "zero_grad",
    "floor_div": "int_div",
    "logsoftmax": "log_softmax",
    "max_pool_2d": "pool_2d",
    "second": "fill",
    "square": "sqr",
}

_NUMPY = "Do it in NumPy, and pass the result in."
_DEVICE = "config.device or WORKBENCH_DEVICE names the device; nothing else is needed."
#: The way round what is not offered.
WAYS = {
    "Apply": "Compose functions of theano.tensor in a Python function.",
    "Op": "Compose functions of theano.tensor in a Python function.",
    "OpFromGraph": "A Python function that returns the expression does the same.",
    "Lop": "Use grad of the sum of the product.",
    "Rop": "Use grad twice.",
    "as_op": "Compose functions of theano.tensor in a Python function.",
    "argsort": _NUMPY,
    "crossentropy_categorical_1hot": "Use categorical_crossentropy.",
    "crossentropy_softmax_1hot": "Use categorical_crossentropy(softmax(x), y); it is as stable.",
    "crossentropy_softmax_argmax_1hot_with_bias": "Use softmax, categorical_crossentropy, argmax.",
    "cuda": _DEVICE,
    "gpuarray": _DEVICE,
    "hessian": "Use scan over the elements of the gradient.",
    "ifelse": "Use tensor.switch, which computes both sides.",
    "jacobian": "Use scan over the elements, with grad of each.",
    "nlinalg": _NUMPY,
    "nonzero": "Its shape would depend on values: multiply by the mask, or use switch.",
    "pydotprint": "Use printing.debugprint.",
    "slinalg": _NUMPY,
    "sort": _NUMPY,
    "sparse": "Use dense tensors.",
    "ultra_fast_sigmoid": "Use sigmoid, which is exact.",
    "while_loop": "Use scan with a known number of steps.",
}
WAYS |= dict.fromkeys(
    [f"{p}{n}" for p in "cz" for n in ("scalar", "vector", "matrix", "row", "col", "tensor3")],
    "There are no complex dtypes: keep real and imaginary parts apart.",
)


def offer(place: str) -> Callable[[str], Any]:
    """Return a module's ``__getattr__``: every function of the language is there by itself.

    Parameters
    ----------
    place
        What Theano calls the module.

    Raises
    ------
    NotSupported
        (By what is returned.) The language has no such function; the message says the way round.
    """

    def look_up(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{place} has no {name!r}")
        known = ALIASES.get(name, name)
        if known in FUNCTIONS:
            return FUNCTIONS[known]
        close = difflib.get_close_matches(name, [*FUNCTIONS, *ALIASES], 1, 0.75)
        guess = f"Did you mean {close[0]!r}?" if close else "docs/theano.md lists what is."
        raise NotSupported(f"{place}.{name} is not offered.", WAYS.get(name, guess))

    return look_up

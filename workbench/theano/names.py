"""Which of Theano's names lead where.

Responsible for look-up, and for the way round what is not offered; knows no function.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from typing import Any

import workbench.engine.graph.ops  # noqa: F401 - importing it registers the functions
from workbench.core.errors import NotSupported
from workbench.engine.graph.variable import FUNCTIONS, WAYS

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
_COMPOSE = "Compose functions of theano.tensor in a Python function."
_GRAPH = "x.owner leads to the operation and the inputs that a variable was made of."
_MODE = "Leave it out; function() takes any mode, without effect."
_PICTURE = "Use printing.debugprint."
_VALUES = "Its shape would depend on values: multiply by the mask, or use switch."
#: The way round what is not offered, as a function, as a method or as a module.
WAYS |= {
    **dict.fromkeys(["Apply", "Op", "as_op", "OpFromGraph"], _COMPOSE),
    **dict.fromkeys(["DebugMode", "Mode", "MonitorMode", "NanGuardMode", "ProfileMode"], _MODE),
    **dict.fromkeys(["d3viz", "pydotprint"], _PICTURE),
    **dict.fromkeys(["cuda", "gpuarray", "gpuarray_shared_constructor"], _DEVICE),
    **dict.fromkeys(["argsort", "nlinalg", "norm", "slinalg", "sort", "fft", "topk"], _NUMPY),
    **dict.fromkeys(["gof", "fgraph", "maker"], _GRAPH),
    **dict.fromkeys(["conj", "imag", "real"], "There are no complex dtypes."),
    **dict.fromkeys(["compress", "nonzero", "nonzero_values", "unique"], _VALUES),
    **dict.fromkeys(["tri", "tril", "triu"], "Use ge(arange(n)[:, None], arange(n))."),
    "batch_normalization": "Write it: (x - x.mean(0)) / sqrt(x.var(0) + 1e-4) * gamma + beta.",
    "bincount": "Use to_one_hot(x, n).sum(axis=0).",
    "choose": "Use switch.",
    "compile": "theano itself has function, In, Out, SharedVariable and shared.",
    "conv3d": "Use conv2d on each slice, and sum.",
    "conv3d2d": "Use conv2d on each slice, and sum.",
    "crossentropy_categorical_1hot": "Use categorical_crossentropy.",
    "crossentropy_softmax_1hot": "Use categorical_crossentropy(softmax(x), y); it is as stable.",
    "crossentropy_softmax_argmax_1hot_with_bias": "Use softmax, categorical_crossentropy, argmax.",
    "cumprod": "Use exp(cumsum(log(x))) of positive numbers.",
    "diagonal": "Use diag.",
    "diff": "Use x[1:] - x[:-1].",
    "identity_like": "Use eye(x.shape[0], x.shape[1]).",
    "ptp": "Use max() - min().",
    "ravel": "Use flatten().",
    "rng": "Streams are seeded as a whole: RandomStreams.seed(n).",
    "sharedvar": "theano.SharedVariable is their class.",
    "softsign": "Use x / (1 + abs(x)).",
    "sparse": "Use dense tensors.",
    "specify_shape": "Leave it out: lengths are checked at every call.",
    "stacklists": "Use stack, once an axis.",
    "take": "Index: x[i].",
    "trace": "Use diag(x).sum().",
    "ultra_fast_sigmoid": "Use sigmoid, which is exact.",
    "while_loop": "Use scan with a known number of steps.",
}
WAYS |= dict.fromkeys(
    [f"{p}{n}" for p in "cz" for n in ("scalar", "vector", "matrix", "row", "col", "tensor3")],
    "There are no complex dtypes: keep real and imaginary parts apart.",
)


class NotOffered(NotSupported, ImportError):
    """A name that is not there; programs that try to import it and go on without it do so."""


def not_offered(place: str, name: str) -> NotOffered:
    """Return the error that says so, and the way round."""
    close = difflib.get_close_matches(name, [*FUNCTIONS, *ALIASES], 1, 0.75)
    guess = f"Did you mean {close[0]!r}?" if close else "docs/theano.md lists what is."
    return NotOffered(f"{place}.{name} is not offered.", WAYS.get(name, guess))


class _Advice:
    """Answers ``import workbench.theano.sparse``: it is asked when no module has been found."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        """Raise NotSupported for a module of Theano's that is not here."""
        place, _, name = fullname.rpartition(".")
        if f"{place}.".startswith("workbench.theano.") and not name.startswith("_"):
            raise not_offered(place.removeprefix("workbench."), name)


sys.meta_path.append(_Advice())


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
        raise not_offered(place, name)

    return look_up

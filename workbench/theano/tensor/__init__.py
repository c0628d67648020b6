"""Theano's ``tensor``: every function of the language, and the makers of variables.

Responsible for what Theano calls or orders otherwise; all else is there by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.variable import FUNCTIONS, Lengths, Variable
from workbench.engine.graph.variable import Constant as TensorConstant
from workbench.engine.graph.variable import Variable as TensorVariable
from workbench.theano.gradient import Lop, Rop, grad, hessian, jacobian, verify_grad
from workbench.theano.names import ALIASES, offer
from workbench.theano.tensor import extra_ops, nnet, shared_randomstreams, signal
from workbench.theano.variables import (
    MAKERS,
    TensorSharedVariable,
    TensorType,
    as_tensor_variable,
    constant,
)

__all__ = [
    "Lop",
    "Rop",
    "TensorConstant",
    "TensorSharedVariable",
    "TensorType",
    "TensorVariable",
    "add",
    "as_tensor_variable",
    "constant",
    "extra_ops",
    "flatten",
    "grad",
    "hessian",
    "jacobian",
    "mul",
    "nnet",
    "patternbroadcast",
    "shape",
    "shared_randomstreams",
    "signal",
    "verify_grad",
]
__all__ += [name for name in (*MAKERS, *ALIASES, *FUNCTIONS) if name not in __all__]

_look_up = offer("theano.tensor")


def __getattr__(name: str) -> Any:
    """Return a maker of variables or a function of the language."""
    return MAKERS[name] if name in MAKERS else _look_up(name)


def _folded(function: Callable[..., Variable], terms: Sequence[Any]) -> Variable:
    return reduce(function, terms[1:], as_variable(terms[0]))


def add(first: Any, *others: Any) -> Variable:
    """Return the sum of all arguments, element by element."""
    return _folded(FUNCTIONS["add"], (first, *others))


def mul(first: Any, *others: Any) -> Variable:
    """Return the product of all arguments, element by element."""
    return _folded(FUNCTIONS["mul"], (first, *others))


def shape(x: Any) -> Lengths:
    """Return the lengths of the axes."""
    return as_variable(x).shape


def flatten(x: Any, ndim: int | None = None, outdim: int | None = None) -> Variable:
    """Return `x` with its last axes made one, so that `ndim` (1 unless told) are left."""
    result: Variable = FUNCTIONS["flatten"](x, ndim or outdim or 1)
    return result


def patternbroadcast(x: Any, broadcastable: Sequence[bool]) -> Variable:
    """Return `x` with just these axes marked as stretching."""
    result: Variable = FUNCTIONS["retype"](x, tuple(broadcastable))
    return result

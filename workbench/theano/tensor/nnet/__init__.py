"""Theano's ``nnet``: what neural networks are made of.

Responsible for what differs from the language's own functions; all others are there by themselves.
"""

from __future__ import annotations

from typing import Any

from workbench.engine.graph.promotion import as_variable
from workbench.engine.graph.variable import FUNCTIONS, Variable
from workbench.theano.names import offer
from workbench.theano.tensor.nnet import conv

__all__ = ["conv", "logsoftmax", "softmax"]

__getattr__ = offer("theano.tensor.nnet")


def _by_rows(name: str, x: Any) -> Variable:
    x = as_variable(x)
    result: Variable = FUNCTIONS[name](x.dimshuffle("x", 0) if x.ndim == 1 else x)
    return result


def softmax(c: Any) -> Variable:
    """Return probabilities along the last axis; those of a vector are a matrix of one row."""
    return _by_rows("softmax", c)


def logsoftmax(x: Any) -> Variable:
    """Return the logarithm of `softmax`, exact also where a probability is too small to write."""
    return _by_rows("log_softmax", x)

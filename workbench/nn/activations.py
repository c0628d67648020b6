"""Activations: functions of one variable that keep its shape. Each is thereby a layer too.

Responsible for their formulas; knows no layer.
"""

from __future__ import annotations

from workbench.engine.graph.variable import Variable
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it
from workbench.spec.registries import ACTIVATIONS


@ACTIVATIONS.add("linear")
def linear(x: Variable) -> Variable:
    """Hand the input on unchanged: ``x``."""
    return x


@ACTIVATIONS.add("sigmoid")
def sigmoid(x: Variable) -> Variable:
    """Squeeze each number between 0 and 1: ``1 / (1 + exp(-x))``."""
    return T.sigmoid(x)


@ACTIVATIONS.add("tanh")
def tanh(x: Variable) -> Variable:
    """Squeeze each number between -1 and 1: ``tanh(x)``."""
    return T.tanh(x)


@ACTIVATIONS.add("relu")
def relu(x: Variable) -> Variable:
    """Cut off what is negative: ``max(x, 0)``, with derivative 1/2 at 0.

    Source: V. Nair, G. Hinton, "Rectified linear units improve restricted Boltzmann machines",
    ICML 2010.
    """
    return T.relu(x)


@ACTIVATIONS.add("softmax")
def softmax(x: Variable) -> Variable:
    """Turn each row of numbers into probabilities: ``exp(x) / sum(exp(x))`` along the last axis.

    Source: J. Bridle, "Probabilistic interpretation of feedforward classification network outputs,
    with relationships to statistical pattern recognition", Neurocomputing, Springer 1990.
    """
    return T.softmax(x)

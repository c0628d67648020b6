"""Objectives: what training makes as large as it can.

Responsible for their formulas and what they need of a network; knows neither network nor data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import attrs

from workbench.core.errors import SpecError
from workbench.engine.graph.types import Shape
from workbench.engine.graph.variable import Variable
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it
from workbench.spec.registries import OBJECTIVES

#: Layers whose outputs may be negative, or all zero.
_NO_PROBABILITIES = frozenset({"dense", "linear", "relu", "tanh"})

#: What the right answers are: numbers of classes, or rows of values.
Targets = Literal["labels", "values"]


@attrs.frozen
class Objective:
    """A score of outputs against targets, larger where they agree better.

    Parameters
    ----------
    score
        Function of the network's output and the targets; a scalar, the mean over the data points.
    targets
        ``"labels"`` (class numbers from 0, shape (batch,)) or ``"values"`` (shape (batch, out)).
    """

    score: Callable[[Variable, Variable], Variable]
    targets: Targets

    def check_end(self, name: str) -> None:
        """Raise SpecError where a network that ends with a layer of that name cannot be scored.

        Layers of the user's own may be anything.
        """
        if self.targets == "labels" and name in _NO_PROBABILITIES:
            raise SpecError(
                f"The outputs of {name} are no probabilities, and of anything else there is no "
                "log-likelihood.",
                "End the network with softmax.",
            )

    def __call__(self, output: Variable, targets: Variable) -> Variable:
        """Return the score as an expression."""
        return self.score(output, targets)

    def check(self, out_shape: Shape, width: int) -> None:
        """Raise SpecError where the network's output does not fit the targets.

        Parameters
        ----------
        out_shape
            Shape of one output of the network.
        width
            Number of classes, or of values in one target.
        """
        if out_shape == (width,):
            return
        wanted = f"{width} classes" if self.targets == "labels" else f"targets of {width} values"
        end = "dense, softmax" if self.targets == "labels" else "dense"
        raise SpecError(
            f"The network's output has shape {out_shape}, but the data have {wanted}.",
            f"End the network with {width} units ({end}).",
        )


def objective(targets: Targets) -> Callable[[Callable[[Variable, Variable], Variable]], Objective]:
    """Return a decorator that makes an `Objective` of a score function."""
    return lambda score: Objective(score, targets)


@OBJECTIVES.add("log_likelihood")
@objective(targets="labels")
def log_likelihood(output: Variable, labels: Variable) -> Variable:
    """Return the log-likelihood: the mean over the data points of ``log P[i, y_i]``.

    Shapes
    ------
    output : (batch, classes), the probabilities P
    labels : (batch,), integers
    """
    rows = T.arange(output.shape[0])
    return T.mean(T.log(output)[rows, labels])


@OBJECTIVES.add("squared_error")
@objective(targets="values")
def squared_error(output: Variable, values: Variable) -> Variable:
    """Return minus the squared error: the mean over the data points of ``-sum((output - y)^2)``.

    Shapes
    ------
    output : (batch, out)
    values : (batch, out), or (batch,) where out is 1
    """
    wanted = values if values.ndim == 2 else T.dimshuffle(values, 0, "x")
    return -T.mean(T.sum(T.sqr(output - wanted), axis=1))

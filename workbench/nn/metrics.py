"""Metrics: what is measured beside the objective.

Responsible for their formulas; knows neither network nor data.
"""

from __future__ import annotations

from workbench.engine.graph.variable import Variable
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it
from workbench.spec.registries import METRICS


@METRICS.add("accuracy")
def accuracy(output: Variable, labels: Variable) -> Variable:
    """Return the share of data points whose most probable class is the right one.

    Shapes
    ------
    output : (batch, classes)
    labels : (batch,), integers
    """
    right = T.eq(T.argmax(output, axis=1), labels)
    # In the output's precision: a mean of truth values would ask float64 of every device.
    return T.mean(T.cast(right, output.dtype))

"""Stochastic gradient ascent.

Responsible for its one formula; knows no other optimizer.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from workbench.engine.graph.variable import SharedVariable, Variable
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it
from workbench.nn.optimizers.base import Optimizer, Updates
from workbench.spec.fields import number
from workbench.spec.registries import OPTIMIZERS


@OPTIMIZERS.add("sgd")
@attrs.frozen
class SGD(Optimizer):
    """Stochastic gradient ascent on the score: ``p + rate * gradient``.

    With mini-batches this is what is commonly called SGD on the loss, which is minus the score.

    Source: H. Robbins, S. Monro, "A stochastic approximation method", Annals of Mathematical
    Statistics 22, 1951.
    """

    rate: float = number(
        default=0.1,
        minimum=0,
        above_minimum=True,
        label="Rate",
        help="How far the parameters move along the gradient.",
    )

    def updates(
        self, params: Sequence[SharedVariable], grads: Sequence[Variable], rate: Variable
    ) -> Updates:
        """Return ``p + rate * gradient`` for each parameter."""
        return [
            (p, p + T.cast(rate, p.dtype) * grad) for p, grad in zip(params, grads, strict=True)
        ]

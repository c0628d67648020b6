"""What every optimizer is: a rate, and updates from gradients.

Responsible for that protocol; knows no particular optimizer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from workbench.engine.graph.variable import SharedVariable, Variable

#: Pairs of a shared variable and the expression of its next value.
Updates = list[tuple[SharedVariable, Variable]]


class Optimizer(ABC):
    """Turns gradients of the score into updates of the parameters; the score is to go *up*.

    A subclass is an `attrs.frozen` class whose fields are made by `workbench.spec.fields`, a
    positive `rate` among them; it is registered with ``@OPTIMIZERS.add("name")``.
    """

    rate: float

    @abstractmethod
    def updates(
        self, params: Sequence[SharedVariable], grads: Sequence[Variable], rate: Variable
    ) -> Updates:
        """Return the updates of one iteration.

        Parameters
        ----------
        params
            The parameters.
        grads
            The gradient of the score by each of them.
        rate
            The rate at this iteration, a scalar: the field `rate` as the schedule changed it.
        """

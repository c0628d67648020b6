"""What every schedule is: the rate as a function of the iteration.

Responsible for that protocol; knows no particular schedule.
"""

from __future__ import annotations

from abc import ABC, abstractmethod


class Schedule(ABC):
    """Says how the rate changes while training runs.

    A subclass is an `attrs.frozen` class whose fields are made by `workbench.spec.fields`; it is
    registered with ``@SCHEDULES.add("name")``.
    """

    @abstractmethod
    def rate(self, base: float, step: int, steps: int) -> float:
        """Return the rate of one iteration.

        Parameters
        ----------
        base
            The optimizer's own rate.
        step
            The iteration, counted from 0.
        steps
            Number of iterations in the whole run.
        """

"""The schedule that changes nothing.

Responsible for its one formula; knows no other schedule.
"""

from __future__ import annotations

import attrs

from workbench.nn.schedules.base import Schedule
from workbench.spec.registries import SCHEDULES


@SCHEDULES.add("constant")
@attrs.frozen
class Constant(Schedule):
    """The same rate from the first iteration to the last."""

    def rate(self, base: float, step: int, steps: int) -> float:
        """Return the optimizer's own rate."""
        return base

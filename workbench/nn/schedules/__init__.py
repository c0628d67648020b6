"""The schedules, one file each; they are strangers to each other."""

from workbench.nn.schedules.base import Schedule
from workbench.spec.registries import SCHEDULES

__all__ = ["SCHEDULES", "Schedule"]

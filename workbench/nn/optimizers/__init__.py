"""The optimizers, one file each; they are strangers to each other."""

from workbench.nn.optimizers.base import Optimizer, Updates
from workbench.spec.registries import OPTIMIZERS

__all__ = ["OPTIMIZERS", "Optimizer", "Updates"]

"""The layers, one file each; they are strangers to each other.

A layer has two duties: declare its parameters and define its output from its input.
"""

from workbench.nn.layers.base import Layer, Param
from workbench.spec.registries import LAYERS

__all__ = ["LAYERS", "Layer", "Param"]

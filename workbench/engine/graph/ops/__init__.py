"""The functions of the language, one module a family; importing this package registers them all.

Responsible for the list of families; knows nothing of any one operation.
"""

from workbench.engine.graph.ops import (
    arithmetic,
    axes,
    comparison,
    dimshuffle,
    draws,
    elementwise,
    generated,
    indexing,
    joining,
    lengths,
    linear,
    passing,
    reductions,
    registry,
    shape,
    slicing,
    softmax,
    take,
    transcendental,
)

__all__ = [
    "arithmetic",
    "axes",
    "comparison",
    "dimshuffle",
    "draws",
    "elementwise",
    "generated",
    "indexing",
    "joining",
    "lengths",
    "linear",
    "passing",
    "reductions",
    "registry",
    "shape",
    "slicing",
    "softmax",
    "take",
    "transcendental",
]

"""Theano's older ``nnet.conv``: its convolution names the shapes otherwise.

Responsible for the arguments' names; the convolution is the language's.
"""

from __future__ import annotations

from typing import Any

from workbench.engine.graph.variable import Variable
from workbench.theano.names import offer

__getattr__ = offer("theano.tensor.nnet")


def conv2d(
    input: Any,
    filters: Any,
    image_shape: Any = None,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
) -> Variable:
    """Return the images of `input` convolved with the flipped `filters`."""
    result: Variable = __getattr__("conv2d")(
        input, filters, image_shape, filter_shape, border_mode, subsample
    )
    return result

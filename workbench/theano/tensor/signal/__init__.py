"""Theano's ``signal``: pooling.

Responsible for the names; knows nothing else.
"""

from workbench.theano.names import offer
from workbench.theano.tensor.signal import downsample, pool

__all__ = ["downsample", "pool"]

__getattr__ = offer("theano.tensor.signal")

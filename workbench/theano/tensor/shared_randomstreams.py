"""Theano's ``shared_randomstreams``: streams of random numbers, other numbers than Theano's.

Responsible for the name; the streams are the engine's.
"""

from workbench.engine.graph.random import RandomStreams
from workbench.theano.names import offer

__all__ = ["RandomStreams"]

__getattr__ = offer("theano.tensor.shared_randomstreams")

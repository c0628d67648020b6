"""Theano's ``sandbox.rng_mrg``: the same streams as ``shared_randomstreams``.

Responsible for the name; knows nothing else.
"""

from workbench.theano.names import offer
from workbench.theano.tensor.shared_randomstreams import RandomStreams as MRG_RandomStreams

__all__ = ["MRG_RandomStreams"]

__getattr__ = offer("theano.sandbox.rng_mrg")

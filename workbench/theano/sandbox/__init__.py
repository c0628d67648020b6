"""Theano's ``sandbox``: one of its modules is offered.

Responsible for the name; knows nothing else.
"""

from workbench.theano.names import offer
from workbench.theano.sandbox import rng_mrg

__all__ = ["rng_mrg"]

__getattr__ = offer("theano.sandbox")

"""Theano's ``signal.pool``: a function of the language.

Responsible for the name; knows nothing else.
"""

from workbench.theano.names import offer

__getattr__ = offer("theano.tensor.signal.pool")

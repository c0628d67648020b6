"""Theano's ``extra_ops``: functions of the language.

Responsible for the name; knows none of them.
"""

from workbench.theano.names import offer

__getattr__ = offer("theano.tensor.extra_ops")

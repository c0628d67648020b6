"""Theano's older ``nnet.conv``: its convolution is the language's.

Responsible for the name; knows nothing else.
"""

from workbench.theano.names import offer

__getattr__ = offer("theano.tensor.nnet.conv")

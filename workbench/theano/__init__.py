"""The language of Theano's programs: change their import lines, and they run on OpenCL.

Responsible for Theano's names; the names lead to the engine, and nothing is computed here.
"""

from workbench.engine.graph.variable import Constant, SharedVariable, Variable
from workbench.theano import gradient, ifelse, printing, sandbox, scan_module, tensor
from workbench.theano.compiling import Function, clone, function
from workbench.theano.configuration import config
from workbench.theano.gradient import Lop, Rop, grad
from workbench.theano.inputs import In, Out, Param
from workbench.theano.names import offer
from workbench.theano.printing import pp, pprint
from workbench.theano.scan_module import foldl, foldr, map, reduce, scan  # noqa: A004
from workbench.theano.variables import shared

__all__ = [
    "Constant",
    "Function",
    "In",
    "Lop",
    "Out",
    "Param",
    "Rop",
    "SharedVariable",
    "Variable",
    "clone",
    "config",
    "foldl",
    "foldr",
    "function",
    "grad",
    "gradient",
    "ifelse",
    "map",
    "pp",
    "pprint",
    "printing",
    "reduce",
    "sandbox",
    "scan",
    "scan_module",
    "shared",
    "tensor",
]

__getattr__ = offer("theano")

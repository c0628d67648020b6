"""Exponentials, logarithms, trigonometry and activations that are one, element by element.

Responsible for these operations' meaning; knows nothing of how they are fused.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.engine.graph.ops.arithmetic import mul, neg, sqr
from workbench.engine.graph.ops.elementwise import elementwise
from workbench.engine.graph.ops.registry import NUMBERS, language
from workbench.engine.graph.variable import Variable

exp = elementwise("exp", numpy=np.exp, cl="wb_exp({0})", vjp=lambda g, out, _x: (g * out,), cost=12)
expm1 = elementwise(
    "expm1", numpy=np.expm1, cl="expm1({0})", vjp=lambda g, out, _x: (g * (out + 1),), cost=16
)
log = elementwise(
    "log",
    numpy=np.log,
    cl="log({0})",
    vjp=lambda g, _out, x: (g / x,),
    cost=12,
    domain=(0.25, 4.0),
)
log1p = elementwise(
    "log1p",
    numpy=np.log1p,
    cl="log1p({0})",
    vjp=lambda g, _out, x: (g / (1 + x),),
    cost=16,
    domain=(-0.5, 4.0),
)
log2 = elementwise(
    "log2",
    numpy=np.log2,
    cl="log2({0})",
    vjp=lambda g, _out, x: (g / (x * math.log(2)),),
    cost=12,
    domain=(0.25, 4.0),
)
log10 = elementwise(
    "log10",
    numpy=np.log10,
    cl="log10({0})",
    vjp=lambda g, _out, x: (g / (x * math.log(10)),),
    cost=12,
    domain=(0.25, 4.0),
)
exp2 = elementwise(
    "exp2",
    numpy=np.exp2,
    cl="exp2({0})",
    vjp=lambda g, out, _x: (g * out * math.log(2),),
    cost=16,
)
sqrt = elementwise(
    "sqrt",
    numpy=np.sqrt,
    cl="sqrt({0})",
    vjp=lambda g, out, _x: (0.5 * g / out,),
    cost=6,
    domain=(0.25, 4.0),
)
sin = elementwise(
    "sin", numpy=np.sin, cl="sin({0})", vjp=lambda g, _out, x: (g * x.cos(),), cost=16
)
cos = elementwise(
    "cos", numpy=np.cos, cl="cos({0})", vjp=lambda g, _out, x: (-g * sin(x),), cost=16
)
tan = elementwise(
    "tan",
    numpy=np.tan,
    cl="tan({0})",
    vjp=lambda g, out, _x: (g * (1 + sqr(out)),),
    cost=20,
    domain=(-1.25, 1.25),
)
arcsin = elementwise(
    "arcsin",
    numpy=np.arcsin,
    cl="asin({0})",
    vjp=lambda g, _out, x: (g / sqrt(1 - sqr(x)),),
    cost=16,
    domain=(-0.9, 0.9),
)
arccos = elementwise(
    "arccos",
    numpy=np.arccos,
    cl="acos({0})",
    vjp=lambda g, _out, x: (-g / sqrt(1 - sqr(x)),),
    cost=16,
    domain=(-0.9, 0.9),
)
arctan = elementwise(
    "arctan",
    numpy=np.arctan,
    cl="atan({0})",
    vjp=lambda g, _out, x: (g / (1 + sqr(x)),),
    cost=16,
)
arctan2 = elementwise(
    "arctan2",
    arity=2,
    numpy=np.arctan2,
    cl="atan2({0}, {1})",
    vjp=lambda g, _out, y, x: (g * x / (sqr(x) + sqr(y)), -g * y / (sqr(x) + sqr(y))),
    cost=24,
    domain=((-3.0, 3.0), (0.5, 3.0)),
)
sinh = elementwise(
    "sinh", numpy=np.sinh, cl="sinh({0})", vjp=lambda g, _out, x: (g * x.cosh(),), cost=20
)
cosh = elementwise(
    "cosh", numpy=np.cosh, cl="cosh({0})", vjp=lambda g, _out, x: (g * sinh(x),), cost=20
)
arcsinh = elementwise(
    "arcsinh",
    numpy=np.arcsinh,
    cl="asinh({0})",
    vjp=lambda g, _out, x: (g / sqrt(1 + sqr(x)),),
    cost=20,
)
arccosh = elementwise(
    "arccosh",
    numpy=np.arccosh,
    cl="acosh({0})",
    vjp=lambda g, _out, x: (g / (sqrt(x - 1) * sqrt(x + 1)),),
    cost=20,
    domain=(1.25, 4.0),
)
arctanh = elementwise(
    "arctanh",
    numpy=np.arctanh,
    cl="atanh({0})",
    vjp=lambda g, _out, x: (g / (1 - sqr(x)),),
    cost=20,
    domain=(-0.9, 0.9),
)
tanh = elementwise(
    "tanh", numpy=np.tanh, cl="wb_tanh({0})", vjp=lambda g, out, _x: (g * (1 - sqr(out)),), cost=16
)


def _erf(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.vectorize(math.erf, otypes=["float64"])(x))


def _erfc(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.vectorize(math.erfc, otypes=["float64"])(x))


erf = elementwise(
    "erf",
    numpy=_erf,
    cl="erf({0})",
    vjp=lambda g, _out, x: (g * (2 / math.sqrt(math.pi)) * exp(-sqr(x)),),
    cost=24,
)


erfc = elementwise(
    "erfc",
    numpy=_erfc,
    cl="erfc({0})",
    vjp=lambda g, _out, x: (g * (-2 / math.sqrt(math.pi)) * exp(-sqr(x)),),
    cost=24,
)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    # exp never sees a positive number, so that it cannot overflow.
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1, small) / (1 + small))


sigmoid = elementwise(
    "sigmoid",
    numpy=_sigmoid,
    cl="wb_sigmoid({0})",
    vjp=lambda g, out, _x: (g * out * (1 - out),),
    cost=16,
    domain=(-6.0, 6.0),
)


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))


softplus = elementwise(
    "softplus",
    numpy=_softplus,
    cl="wb_softplus({0})",
    vjp=lambda g, _out, x: (g * sigmoid(x),),
    cost=28,
    domain=(-6.0, 6.0),
)


def _by_slope(g: Variable, x: Variable) -> tuple[Variable, Variable]:
    return _relu_slope(g, x), x.zeros_like()


_relu_slope = elementwise(
    "relu_slope",
    arity=2,
    public=False,
    numpy=lambda g, x: np.where(x > 0, g, np.where(x < 0, 0, g * (0.5 + x))),
    # Few conditions, as compilers that make no vectors of them would branch for each number.
    cl="{1} > 0 ? {0} : {1} < 0 ? ({T})0 : {0} * (({T})0.5 + {1})",
    vjp=lambda h, _out, _g, x: _by_slope(h, x),
)
_relu = elementwise(
    "relu",
    public=False,
    dtypes=NUMBERS,
    numpy=lambda x: np.where(x < 0, np.zeros_like(x), x),
    # A NaN stays one: it is not below 0.
    cl="{0} < 0 ? ({T})0 : {0}",
    # One half at 0, as in Theano's 0.5 (x + |x|); nothing below it, whatever comes from behind.
    vjp=lambda g, _out, x: (_relu_slope(g, x),),
)


@language
def relu(x: Any, alpha: Any = 0) -> Variable:
    """Return `x` where it is positive, else `alpha` times `x`; `alpha` may be a variable."""
    if isinstance(alpha, (int, float)) and alpha == 0:
        return _relu(x)
    # The derivative at 0 is the mean of those beside it, as in Theano.
    return _relu(x) - mul(alpha, _relu(neg(x)))

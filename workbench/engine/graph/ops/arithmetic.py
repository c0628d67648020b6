"""Arithmetic, rounding and casts, element by element.

Responsible for these operations' meaning; knows nothing of how they are fused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.ops.elementwise import Aligned, elementwise
from workbench.engine.graph.ops.registry import (
    ALL,
    FLOATS,
    INTEGERS,
    NUMBERS,
    SAMPLED,
    Case,
    Sample,
    call,
    declare,
    language,
)
from workbench.engine.graph.promotion import DEFAULTS, as_variable, common_dtype
from workbench.engine.graph.types import C_TYPES, Shape, TensorType
from workbench.engine.graph.variable import FUNCTIONS, Constant, Variable

add = elementwise(
    "add",
    arity=2,
    dtypes=ALL,
    numpy=np.add,
    cl=lambda dtypes: "{0} | {1}" if dtypes[0] == "bool" else "{0} + {1}",
    vjp=lambda g, _out, _x, _y: (g, g),
)
sub = elementwise(
    "sub",
    arity=2,
    dtypes=NUMBERS,
    numpy=np.subtract,
    cl="{0} - {1}",
    vjp=lambda g, _out, _x, _y: (g, -g),
)
mul = elementwise(
    "mul",
    arity=2,
    dtypes=ALL,
    numpy=np.multiply,
    cl="{0} * {1}",
    vjp=lambda g, _out, x, y: (g * y, g * x),
)
true_div = elementwise(
    "true_div",
    arity=2,
    numpy=np.true_divide,
    of_integers="float64",
    cl="{0} / {1}",
    vjp=lambda g, out, _x, y: (g / y, -(g * out) / y),
    cost=4,
    domain=((-3.0, 3.0), (0.5, 3.0)),
)
neg = elementwise(
    "neg", dtypes=NUMBERS, numpy=np.negative, cl="-{0}", vjp=lambda g, _out, _x: (-g,)
)
abs_ = elementwise(
    "abs",
    dtypes=NUMBERS,
    numpy=np.abs,
    cl=lambda dtypes: "fabs({0})" if dtypes[0] in FLOATS else "{0} < 0 ? -{0} : {0}",
    vjp=lambda g, _out, x: (g * x.sgn(),),
)
sgn = elementwise(
    "sgn",
    dtypes=NUMBERS,
    numpy=np.sign,
    # A NaN is neither above nor below 0 and is passed on.
    cl="{0} > 0 ? ({T})1 : {0} < 0 ? ({T})-1 : {0}",
    vjp=lambda g, _out, _x: (g.zeros_like(),),
)
sqr = elementwise(
    "sqr", dtypes=NUMBERS, numpy=np.square, cl="{0} * {0}", vjp=lambda g, _out, x: (g * (2 * x),)
)


def _extreme(compare: str) -> Callable[[Sequence[str]], str]:
    def template(dtypes: Sequence[str]) -> str:
        # A NaN in {1} is taken as the comparison fails; one in {0} must be asked for.
        asked = " || {0} != {0}" if dtypes[0] in FLOATS else ""
        return "({0} " + compare + " {1}" + asked + ") ? {0} : {1}"

    return template


maximum = elementwise(
    "maximum",
    arity=2,
    dtypes=ALL,
    numpy=np.maximum,
    cl=_extreme(">"),
    vjp=lambda g, out, x, y: (_where_equal(out, x, g), _where_equal(out, y, g)),
)
minimum = elementwise(
    "minimum",
    arity=2,
    dtypes=ALL,
    numpy=np.minimum,
    cl=_extreme("<"),
    vjp=lambda g, out, x, y: (_where_equal(out, x, g), _where_equal(out, y, g)),
)


def _where_equal(out: Variable, x: Variable, grad: Variable) -> Variable:
    return call("switch", call("eq", out, x), grad, 0)


@language
def clip(x: Any, low: Any, high: Any) -> Variable:
    """Return `x` limited to the range from `low` to `high`."""
    return minimum(maximum(x, low), high)


def _flat(name: str, numpy: Any, cl: str) -> Callable[..., Variable]:
    """Make a rounding: its derivative is 0 wherever it has one, integers are left alone."""

    def template(dtypes: Sequence[str]) -> str:
        return cl if dtypes[0] in FLOATS else "{0}"

    def reference(x: np.ndarray) -> np.ndarray:
        return np.asarray(numpy(x)) if x.dtype.name in FLOATS else x

    return elementwise(
        name,
        public=not name.startswith("round"),
        dtypes=NUMBERS,
        numpy=reference,
        cl=template,
        vjp=lambda g, _out, _x: (g.zeros_like(),),
        domain=(-30.0, 30.0),
        special=((0.5, -0.5, 1.5, -2.5, 0.49999997, 4.0, 3.7),),
    )


floor = _flat("floor", np.floor, "floor({0})")
ceil = _flat("ceil", np.ceil, "ceil({0})")


def _round_away(x: np.ndarray) -> np.ndarray:
    whole = np.trunc(x)
    return np.asarray(whole + np.where(np.abs(x - whole) >= 0.5, np.copysign(1, x), 0))


_ROUNDINGS = {
    "half_to_even": _flat("round", np.rint, "rint({0})"),
    "half_away_from_zero": _flat("round_away", _round_away, "round({0})"),
}


@language
def round(x: Any, mode: str = "half_to_even") -> Variable:
    """Return the nearest whole numbers; halves go to the even one, or ``"half_away_from_zero"``."""
    if mode not in _ROUNDINGS:
        raise GraphError(f"round got the mode {mode!r}.", f"Use {' or '.join(_ROUNDINGS)}.")
    return _ROUNDINGS[mode](x)


trunc = _flat("trunc", np.trunc, "trunc({0})")

#: Every combination of signs, whole and broken quotients, and division by 0.
_DIVISIONS = ((7, -7, 7, -7, 6, -6, 0, 5, -5, 0), (3, 3, -3, -3, -3, 3, -1, 0, 0, 0))

int_div = elementwise(
    "int_div",
    arity=2,
    dtypes=NUMBERS,
    numpy=np.floor_divide,
    cl=lambda dtypes: f"wb_floor_div({_wide(dtypes)})",
    vjp=lambda g, _out, _x, _y: (g.zeros_like(), g.zeros_like()),
    cost=8,
    domain=((-30.0, 30.0), (1.0, 7.0)),
    special=_DIVISIONS,
)
mod = elementwise(
    "mod",
    arity=2,
    dtypes=NUMBERS,
    numpy=np.mod,
    cl=lambda dtypes: f"wb_mod({_wide(dtypes)})",
    vjp=lambda g, _out, x, y: (g, -g * int_div(x, y)),
    cost=8,
    domain=((-30.0, 30.0), (1.0, 7.0)),
    special=_DIVISIONS,
)


def _wide(dtypes: Sequence[str]) -> str:
    """Return both arguments in the widest integer type of their kind; floats as they are."""
    if dtypes[0] in FLOATS:
        return "{0}, {1}"
    kind = "ulong" if dtypes[0].startswith("u") else "long"
    return f"({kind})({{0}}), ({kind})({{1}})"


def _power(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if x.dtype.name in FLOATS:
        return np.asarray(np.power(x, y))
    # A negative power of an integer is truncated to an integer; NumPy refuses it.
    whole = np.power(x, np.maximum(y, 0))
    inverse = np.where(np.abs(x) == 1, np.where(y % 2 == 0, 1, x), 0)
    return np.asarray(np.where(y < 0, inverse, whole))


_power_of = elementwise(
    "power",
    arity=2,
    dtypes=NUMBERS,
    numpy=_power,
    cl=lambda dtypes: f"{'pow' if dtypes[0] in FLOATS else 'wb_power'}({_wide(dtypes)})",
    vjp=lambda g, out, x, y: _power_rule(g, out, x, y),
    cost=40,
    domain=((0.25, 3.0), (0.0, 4.0)),
    special=((2, -2, 1, -1, -1, 0, 3), (3, 3, 5, 2, 3, 0, 0)),
)


def _power_rule(g: Variable, out: Variable, x: Variable, y: Variable) -> Sequence[Variable]:
    # x**0 is 1 even at x = 0, where y * x**(y - 1) would be 0 * inf.
    by_x = call("switch", call("eq", y, 0), 0, y * _power_of(x, y - 1))
    by_y = call("switch", call("eq", x, 0), 0, out * call("log", x))
    return g * by_x, g * by_y


@language
def pow(x: Any, y: Any) -> Variable:
    """Return `x` to the power `y`; squares and square roots are made as such.

    Raises
    ------
    GraphError
        An integer is raised to a negative constant.
    """
    x, y = as_variable(x), as_variable(y)
    if isinstance(y, Constant) and y.ndim == 0:
        exponent = float(y.value)
        if exponent in (0.5, 2.0) and common_dtype([x, y]) == x.dtype:
            return call("sqrt", x) if exponent == 0.5 else sqr(x)
        if exponent < 0 and y.type.is_integer and x.type.is_integer:
            raise GraphError(
                f"{x.describe()} is raised to the negative integer {y.value}.",
                "Cast it to a float first.",
            )
    return _power_of(x, y)


@language
def inv(x: Any) -> Variable:
    """Return ``1 / x``."""
    return true_div(1.0, x)


@language
def ceil_intdiv(x: Any, y: Any) -> Variable:
    """Return ``x / y`` of integers, rounded up."""
    return neg(int_div(neg(x), y))


@attrs.frozen
class Cast(Aligned):
    """Every element in another dtype: floats to integers toward 0, anything but 0 to True."""

    name = "cast"
    dtype: str

    def infer_type(self, *types: TensorType) -> TensorType:
        """Keep the axes."""
        return types[0].with_dtype(self.dtype)

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Convert in NumPy."""
        with np.errstate(all="ignore"):
            return arrays[0].astype(self.dtype)

    def cl(self, dtypes: Sequence[str], *args: str) -> str:
        """Convert in OpenCL."""
        if self.dtype == "bool":
            return f"((uchar)({args[0]} != 0))"
        return f"(({C_TYPES[self.dtype]})({args[0]}))"

    def derivatives(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Cast back between floats; integers pass nothing on."""
        return [cast(grad, inputs[0].dtype) if output.type.is_float else None]


@language
def cast(x: Any, dtype: str) -> Variable:
    """Return `x` with its elements in `dtype`; "floatX" means the default dtype of floats."""
    x = as_variable(x)
    dtype = DEFAULTS.float_dtype if dtype == "floatX" else np.dtype(dtype).name
    if isinstance(x, Constant):
        with np.errstate(all="ignore"):
            return Constant(x.value.astype(dtype), x.name)
    return x if x.dtype == dtype else Cast(dtype)(x)


FUNCTIONS.add("astype")(cast)

declare(
    "cast",
    Cast,
    SAMPLED,
    *(
        Case(
            lambda x, dtype=dtype: cast(x, dtype),
            (Sample(shape, low=0.0, high=100.0),),
            lambda x, dtype=dtype: x.astype(dtype),
            differentiable=dtype == "float64",
        )
        for dtype in ("bool", "int8", "uint8", "int32", "int64", "float32", "float64")
        for shape in ((3, 5), (0,))
    ),
)
declare(
    "clip",
    None,
    tuple(d for d in SAMPLED if d in INTEGERS + FLOATS),
    Case(lambda x: clip(x, 0, 2), (Sample((3, 5)),), lambda x: np.clip(x, 0, 2)),
)
declare("inv", None, FLOATS, Case(inv, (Sample((3, 5), low=0.5),), lambda x: 1 / x))
declare(
    "ceil_intdiv",
    None,
    ("int32", "int64"),
    Case(
        ceil_intdiv,
        (Sample((3, 5), low=-30, high=30), Sample((5,), low=1, high=7)),
        lambda x, y: -(-x // y),
    ),
)

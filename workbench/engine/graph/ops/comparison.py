"""Comparisons, logic and the choice between two values, element by element.

Responsible for these operations' meaning; knows nothing of how they are fused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.ops.elementwise import Aligned, combine, elementwise, with_dtype
from workbench.engine.graph.ops.registry import (
    ALL,
    INTEGERS,
    SAMPLED,
    Case,
    Sample,
    declare,
    language,
)
from workbench.engine.graph.promotion import as_variable, common_dtype, join_flags
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import FUNCTIONS, Variable


def _comparison(name: str, numpy: Any, symbol: str) -> Callable[..., Variable]:
    return elementwise(
        name,
        arity=2,
        dtypes=ALL,
        result="bool",
        numpy=numpy,
        cl="{0} " + symbol + " {1}",
        ties=True,
        domain=(-1.0, 1.0),
    )


eq = _comparison("eq", np.equal, "==")
neq = _comparison("neq", np.not_equal, "!=")
lt = _comparison("lt", np.less, "<")
le = _comparison("le", np.less_equal, "<=")
gt = _comparison("gt", np.greater, ">")
ge = _comparison("ge", np.greater_equal, ">=")

_BITS = ("bool", *INTEGERS)


def _bitwise(name: str, numpy: Any, symbol: str) -> Callable[..., Variable]:
    # A bool is a byte that holds 0 or 1, so that the bitwise operators are the logical ones.
    return elementwise(
        name, arity=2, dtypes=_BITS, numpy=numpy, cl="{0} " + symbol + " {1}", domain=(0.0, 7.0)
    )


and_ = _bitwise("and_", np.bitwise_and, "&")
or_ = _bitwise("or_", np.bitwise_or, "|")
xor = _bitwise("xor", np.bitwise_xor, "^")
invert = elementwise(
    "invert",
    dtypes=_BITS,
    numpy=np.invert,
    cl=lambda dtypes: "!{0}" if dtypes[0] == "bool" else "~{0}",
    domain=(0.0, 7.0),
)

FUNCTIONS.add("bitwise_and")(and_)
FUNCTIONS.add("bitwise_or")(or_)
FUNCTIONS.add("bitwise_xor")(xor)
FUNCTIONS.add("bitwise_not")(invert)


def truth(x: Any) -> Variable:
    """Return where `x` is not 0."""
    x = as_variable(x)
    return x if x.dtype == "bool" else neq(x, 0)


@language
def logical_and(x: Any, y: Any) -> Variable:
    """Return where neither `x` nor `y` is 0."""
    return and_(truth(x), truth(y))


@language
def logical_or(x: Any, y: Any) -> Variable:
    """Return where not both `x` and `y` are 0."""
    return or_(truth(x), truth(y))


@language
def logical_xor(x: Any, y: Any) -> Variable:
    """Return where one of `x` and `y` is 0 and the other is not."""
    return xor(truth(x), truth(y))


@language
def logical_not(x: Any) -> Variable:
    """Return where `x` is 0."""
    return invert(truth(x))


isnan = elementwise("isnan", result="bool", numpy=np.isnan, cl="isnan({0})", ties=True)
isinf = elementwise("isinf", result="bool", numpy=np.isinf, cl="isinf({0})", ties=True)


@attrs.frozen
class Switch(Aligned):
    """The second input where the first is true, else the third."""

    name = "switch"

    def infer_type(self, *types: TensorType) -> TensorType:
        """Take a bool and two values of one dtype."""
        condition, yes, no = types
        if condition.dtype != "bool" or yes.dtype != no.dtype:
            raise GraphError(f"switch does not take {condition}, {yes} and {no}.")
        return TensorType(yes.dtype, join_flags([t.broadcastable for t in types]))

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Choose in NumPy."""
        value = np.where(*arrays)
        return value if value.shape == shape else np.broadcast_to(value, shape)

    def cl(self, dtypes: Sequence[str], *args: str) -> str:
        """Choose in OpenCL."""
        condition, yes, no = args
        return f"({condition} ? {yes} : {no})"

    def derivatives(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Pass the derivative on to what was chosen."""
        condition = inputs[0]
        return [None, switch(condition, grad, 0), switch(condition, 0, grad)]


@language
def switch(condition: Any, yes: Any, no: Any) -> Variable:
    """Return `yes` where `condition` is not 0, else `no`, element by element."""
    condition, yes, no = truth(condition), as_variable(yes), as_variable(no)
    dtype = common_dtype([yes, no])
    return combine(Switch(), [condition, with_dtype(yes, dtype), with_dtype(no, dtype)])


FUNCTIONS.add("where")(switch)

_CONDITION = Sample((3, 5), "bool", 0, 1)
declare(
    "switch",
    Switch,
    SAMPLED,
    Case(switch, (_CONDITION, Sample((3, 5)), Sample((3, 5))), np.where),
    Case(switch, (_CONDITION, Sample((3, 1), stretch=(1,)), Sample((5,))), np.where),
    Case(switch, (_CONDITION, Sample(()), Sample((5,))), np.where),
    Case(switch, (Sample((3, 0), "bool", 0, 1), Sample((3, 0)), Sample(())), np.where),
    Case(
        lambda c, x: switch(c, x, 0),
        (Sample((5,), "int32", 0, 1), Sample((3, 5))),
        lambda c, x: np.where(c, x, 0),
    ),
)
_TRUTHS = (Sample((3, 5), ties=True, low=-1.0, high=1.0), Sample((5,), ties=True, low=-1, high=1))
for _name, _function, _numpy in (
    ("logical_and", logical_and, np.logical_and),
    ("logical_or", logical_or, np.logical_or),
    ("logical_xor", logical_xor, np.logical_xor),
):
    declare(_name, None, SAMPLED, Case(_function, _TRUTHS, _numpy))
declare("logical_not", None, SAMPLED, Case(logical_not, _TRUTHS[:1], np.logical_not))

"""Making variables: Theano's types and their short names, constants and shared variables.

Responsible for names, dtypes and patterns of axes; knows nothing of what is done with variables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph import types
from workbench.engine.graph.arguments import coerced
from workbench.engine.graph.promotion import DEFAULTS, as_variable
from workbench.engine.graph.variable import FUNCTIONS, Constant, SharedVariable, Variable

_AXES = {
    "scalar": (),
    "vector": (False,),
    "row": (True, False),
    "col": (False, True),
    "matrix": (False, False),
    "tensor3": (False,) * 3,
    "tensor4": (False,) * 4,
    "tensor5": (False,) * 5,
}
_PLURALS = {
    "matrix": "matrices",
    **{name: f"{name}s" for name in _AXES if name != "matrix"},
}
_PREFIXES = {
    "b": "int8",
    "w": "int16",
    "i": "int32",
    "l": "int64",
    "f": "float32",
    "d": "float64",
}


def _dtype(name: Any) -> str:
    return DEFAULTS.float_dtype if name in (None, "floatX") else np.dtype(name).name


def _flags(flags: Iterable[Any]) -> tuple[bool, ...]:
    return tuple(bool(flag) for flag in flags)


@attrs.frozen
class TensorType:
    """A dtype and a pattern of axes; calling it makes a variable.

    Parameters
    ----------
    dtype
        NumPy's name, or ``"floatX"``.
    broadcastable
        One flag an axis: whether it has length 1 and stretches.
    """

    dtype: str = attrs.field(converter=_dtype)
    broadcastable: tuple[bool, ...] = attrs.field(converter=_flags)

    def __call__(self, name: str | None = None) -> Variable:
        """Return a free variable of this type."""
        return Variable(types.TensorType(self.dtype, self.broadcastable), None, name)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.broadcastable)


def _maker(flags: tuple[bool, ...]) -> Callable[..., Variable]:
    def make(name: str | None = None, dtype: Any = None) -> Variable:
        return TensorType(dtype, flags)(name)

    make.__doc__ = "Return a free variable of `dtype`, else of ``config.floatX``."
    return make


def _several(make: Callable[..., Variable]) -> Callable[..., Any]:
    def make_several(*names: Any, **named: Any) -> Any:
        if len(names) == 1 and isinstance(names[0], int):
            return [make(**named) for _ in range(names[0])]
        letters = names[0] if len(names) == 1 else names
        return [make(name, **named) for name in letters]

    make_several.__doc__ = "Return free variables: give their names, or how many."
    return make_several


def _makers() -> dict[str, Callable[..., Any]]:
    made: dict[str, Callable[..., Any]] = {}
    for name, flags in _AXES.items():
        makers: list[tuple[str, Callable[..., Variable]]] = [("", _maker(flags))]
        makers += [(letter, TensorType(dtype, flags)) for letter, dtype in _PREFIXES.items()]
        for prefix, make in makers:
            made[prefix + name] = make
            made[prefix + _PLURALS[name]] = _several(make)
    return made


#: ``matrix``, ``dmatrix``, ``dmatrices`` and all of their kind.
MAKERS = _makers()


def constant(
    x: Any, name: str | None = None, ndim: int | None = None, dtype: Any = None
) -> Variable:
    """Return `x` as a constant; a Python number without `dtype` takes that of what it meets."""
    if isinstance(x, Variable) and not isinstance(x, Constant):
        raise GraphError(f"{x.describe()} is no constant.", "Give numbers.")
    return as_tensor_variable(x if dtype is None else np.asarray(x, _dtype(dtype)), name, ndim)


def as_tensor_variable(x: Any, name: str | None = None, ndim: int | None = None) -> Variable:
    """Return `x` as a variable, with axes added on the left until there are `ndim`."""
    variable = as_variable(x, name)
    if ndim is None or ndim == variable.ndim:
        return variable
    if ndim < variable.ndim:
        raise GraphError(f"{variable.describe()} has more than {ndim} axes.", "Use reshape.")
    added = ["x"] * (ndim - variable.ndim)
    padded: Variable = FUNCTIONS["dimshuffle"](variable, *added, *range(variable.ndim))
    return padded


class TensorSharedVariable(SharedVariable):
    """A shared variable that takes and gives its value as Theano's do; numbers are always copied.

    `borrow` is a permission that is not made use of, since the numbers live on the device.
    """

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> np.ndarray:
        """Return a copy of the present value."""
        return super().get_value()

    def set_value(self, new_value: Any, borrow: bool = False) -> None:
        """Replace the value.

        Raises
        ------
        GraphError
            It has another number of axes, or its dtype does not fit without loss.
        """
        super().set_value(coerced(self, new_value))


def shared(
    value: Any,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: bool | None = None,
    *,
    borrow: bool = False,
    broadcastable: Sequence[bool] | None = None,
) -> TensorSharedVariable:
    """Return a shared variable that starts with a copy of `value`.

    Parameters
    ----------
    value
        Numbers: an array, a list or a number; its dtype is the variable's.
    broadcastable
        Which axes of length 1 stretch; none unless told.
    strict, allow_downcast, borrow
        Taken for Theano's sake; without effect.

    Raises
    ------
    GraphError
        The value is a variable, or not made of numbers.
    """
    if isinstance(value, Variable):
        raise GraphError(
            f"A shared variable cannot start with {value.describe()}, which has no value yet.",
            "Give numbers, or use the expression itself.",
        )
    flags = None if broadcastable is None else tuple(broadcastable)
    return TensorSharedVariable(np.asarray(value), name, flags)

"""Tensor types and the rules that combine their dtypes.

Responsible for what can be known of a value before it exists; knows no operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.core.registry import Registry

Shape = tuple[int, ...]

#: What is made of types; the modules that make it, which import this one, add themselves.
MAKERS: Registry[Callable[..., Any]] = Registry("maker")

#: OpenCL C's name of each dtype that a tensor may have; a bool is a byte that holds 0 or 1.
C_TYPES = {
    "bool": "uchar",
    "int8": "char",
    "uint8": "uchar",
    "int16": "short",
    "uint16": "ushort",
    "int32": "int",
    "uint32": "uint",
    "int64": "long",
    "uint64": "ulong",
    "float32": "float",
    "float64": "double",
}

#: Those dtypes, by NumPy's name.
DTYPES = tuple(C_TYPES)


def _known_dtype(_: object, __: object, value: str) -> None:
    if value not in DTYPES:
        raise GraphError(f"There is no tensor dtype {value!r}.", f"Use one of {', '.join(DTYPES)}.")


@attrs.frozen
class TensorType:
    """The dtype and the pattern of axes of a tensor.

    Parameters
    ----------
    dtype
        NumPy's name of the element type.
    broadcastable
        One flag an axis: True where the axis has length 1 and stretches to fit. Only such axes
        broadcast.
    """

    dtype: str = attrs.field(validator=_known_dtype)
    broadcastable: tuple[bool, ...] = ()

    def __call__(self, name: str | None = None) -> Any:
        """Return a free variable of this type."""
        return MAKERS["variable"](self, None, name)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.broadcastable)

    @property
    def is_float(self) -> bool:
        """Whether the elements are floating-point numbers."""
        return self.dtype.startswith("float")

    @property
    def is_integer(self) -> bool:
        """Whether the elements are integers (booleans are not)."""
        return "int" in self.dtype

    def with_dtype(self, dtype: str) -> TensorType:
        """Return the same axes with another dtype."""
        return TensorType(dtype, self.broadcastable)

    def __str__(self) -> str:
        axes = ", ".join("1" if b else "?" for b in self.broadcastable)
        return f"{self.dtype}({axes})"


def type_of(value: np.ndarray | np.generic) -> TensorType:
    """Return the type of an array.

    Its axes of length 1 are *not* broadcastable, as for shared variables.
    """
    return TensorType(value.dtype.name, (False,) * value.ndim)

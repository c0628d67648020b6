"""How OpenCL C writes numbers of NumPy's types.

Responsible for exact literals and neutral elements; knows nothing of expressions.
"""

from __future__ import annotations

import numpy as np

from workbench.engine.graph.types import C_TYPES


def literal(value: np.generic) -> str:
    """Return a C expression of exactly this number and type, in parentheses where it needs them."""
    dtype = value.dtype.name
    if dtype.startswith("float"):
        return _float_literal(value, dtype)
    number = int(value)
    if dtype in ("int32", "int64"):
        # The smallest number is written as a difference: its magnitude alone is out of range.
        suffix = "L" if dtype == "int64" else ""
        if number == np.iinfo(dtype).min:
            return f"(-{-(number + 1)}{suffix} - 1)"
        return f"{number}{suffix}" if number >= 0 else f"({number}{suffix})"
    if dtype in ("uint32", "uint64"):
        return f"{number}{'UL' if dtype == 'uint64' else 'U'}"
    return f"(({C_TYPES[dtype]}){number})"


def _float_literal(value: np.generic, dtype: str) -> str:
    suffix = "f" if dtype == "float32" else ""
    if np.isnan(value):
        return "NAN" if dtype == "float32" else "((double)NAN)"
    if np.isinf(value):
        text = "INFINITY" if dtype == "float32" else "((double)INFINITY)"
        return text if float(value) > 0 else f"(-{text})"
    # str() gives the shortest decimal that reads back as the very same number.
    text = f"{value!s}{suffix}"
    return f"({text})" if np.signbit(value) else text


def lowest(dtype: str) -> str:
    """Return the least number of a dtype, below which nothing is."""
    if dtype.startswith("float"):
        return literal(np.dtype(dtype).type(-np.inf))
    return literal(np.dtype(dtype).type(0 if dtype == "bool" else np.iinfo(dtype).min))


def highest(dtype: str) -> str:
    """Return the greatest number of a dtype, above which nothing is."""
    if dtype.startswith("float"):
        return literal(np.dtype(dtype).type(np.inf))
    return literal(np.dtype(dtype).type(1 if dtype == "bool" else np.iinfo(dtype).max))

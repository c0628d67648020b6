"""Theano's ``printing``: expressions as text, and values shown as they pass.

Responsible for the text; knows nothing of how an expression is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from workbench.core.errors import GraphError
from workbench.engine.graph.op import Op
from workbench.engine.graph.variable import FUNCTIONS, Constant, Variable
from workbench.theano.compiling import Function
from workbench.theano.names import offer

__getattr__ = offer("theano.printing")

_INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "true_div": "/",
    "int_div": "//",
    "mod": "%",
    "power": "**",
    "eq": "==",
    "neq": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "and_": "&",
    "or_": "|",
    "xor": "^",
}


@attrs.frozen
class Print:
    """Shows a value at every call of a function that depends on it; ``Print("x")(x)`` passes it on.

    Parameters
    ----------
    message
        What stands before it.
    attrs
        What of the array is shown: names of its attributes or methods.
    """

    message: str = ""
    attrs: Sequence[str] = ("__str__",)

    def __call__(self, x: Any) -> Variable:
        """Return `x`, to be shown."""
        result: Variable = FUNCTIONS["watched"](x, self.message, self.attrs)
        return result


def pprint(x: Variable) -> str:
    """Return an expression as a formula."""
    if x.owner is None:
        return _leaf(x)
    terms = [pprint(v) for v in x.owner.inputs]
    name = x.owner.op.name
    if name in _INFIX and len(terms) == 2:
        return f"({terms[0]} {_INFIX[name]} {terms[1]})"
    return f"-{terms[0]}" if name == "neg" else f"{_label(x.owner.op)}({', '.join(terms)})"


pp = pprint


def debugprint(
    obj: Any, depth: int = -1, print_type: bool = False, file: Any = None, ids: str = "CHAR"
) -> str | None:
    """Show expressions as trees; of a compiled function, its kernels.

    Parameters
    ----------
    obj
        A variable, a list of them, or a compiled function.
    depth
        How deep to go; all the way if negative.
    print_type
        Whether types stand beside the operations.
    file
        Where to write; ``"str"`` returns the text instead.
    ids
        ``""`` leaves out the letters that tell shared parts.

    Raises
    ------
    GraphError
        `obj` is none of these.
    """
    if isinstance(obj, Function):
        text = obj.plan_text() or "no plan yet: the first call makes one"
    else:
        seen: dict[int, str] = {}
        roots = obj if isinstance(obj, (list, tuple)) else [obj]
        for root in roots:
            if not isinstance(root, Variable):
                raise GraphError(f"debugprint got {root!r}.", "Give a variable or a function.")
        lines = [line for r in roots for line in _tree(r, depth, 0, print_type, bool(ids), seen)]
        text = "\n".join(lines)
    if file == "str":
        return text
    print(text, file=file)
    return None


def _tree(
    x: Variable, depth: int, level: int, types: bool, ids: bool, seen: dict[int, str]
) -> list[str]:
    known = x.serial in seen
    letter = seen.setdefault(x.serial, _letters(len(seen)))
    text = _leaf(x) if x.owner is None else _label(x.owner.op)
    line = (
        " |" * level + text + (f" <{x.type}>" if types else "") + (f" [id {letter}]" if ids else "")
    )
    if x.owner is None or level + 1 == depth:
        return [line]
    if known and ids:
        return [line, " |" * (level + 1) + "..."]
    below = [_tree(v, depth, level + 1, types, ids, seen) for v in x.owner.inputs]
    return [line, *(text for lines in below for text in lines)]


def _letters(number: int) -> str:
    rest, last = divmod(number, 26)
    return (_letters(rest - 1) if rest else "") + chr(ord("A") + last)


def _leaf(x: Variable) -> str:
    if isinstance(x, Constant):
        return str(x.value) if x.value.size == 1 else f"constant{list(x.value.shape)}"
    return x.name or f"<{x.type}>"


def _label(op: Op) -> str:
    """Return an operation with what distinguishes it from others of its name."""
    kind: Any = type(op)
    fields = {f.name: getattr(op, f.name) for f in attrs.fields(kind) if f.eq and f.name != "name"}
    inside = ", ".join(f"{key}={value}" for key, value in fields.items())
    return f"{op.name}{{{inside}}}" if inside else op.name

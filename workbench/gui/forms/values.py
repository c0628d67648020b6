"""Between the value of a field and what a person reads and types.

Responsible for texts and for values to begin with; knows no widget.
"""

from __future__ import annotations

import re
from typing import Any

import attrs

from workbench.core.errors import SpecError
from workbench.core.registry import Registry
from workbench.spec.field_info import FieldInfo, quote
from workbench.spec.fields import field_infos

#: What separates the numbers of a row.
_SEPARATORS = re.compile(r"[\s,;x×()\[\]]+")

#: What a whole number that must be given begins with, where that is allowed: there are ten digits.
_FIRST_INTEGER = 10


def show(value: Any) -> str:
    """Return `value` as a field's text: the shortest from which `parse` makes the same value."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        row = ", ".join(map(show, value))
        # A row of one is told from a number by its comma.
        return f"{row}," if len(value) == 1 and isinstance(value[0], float) else row
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def parse(info: FieldInfo, text: str) -> Any:
    """Return the value that a person's text means in a field of one line.

    Numbers may be written as a fraction, ``1/256``; rows of them with commas, spaces or ``x``.

    Raises
    ------
    SpecError
        The field cannot take it.
    """
    stripped = text.strip()
    if not stripped and info.optional:
        return None
    value = info.convert(_read(info, text if info.kind == "text" else stripped))
    if not info.accepts(value):
        got = f"{quote(stripped)} does not fit." if stripped else "Nothing is given."
        raise SpecError(got, f"Give {info.expected()}.")
    return value


def label_of(info: FieldInfo) -> str:
    """Return what a field is called."""
    return info.label or info.name.replace("_", " ").capitalize()


def tip_of(info: FieldInfo) -> str:
    """Return what a field's tooltip says: its help, its unit and what it takes."""
    lines = [info.help, f"Unit: {info.unit}." if info.unit else "", f"Takes {info.expected()}."]
    return "\n".join(filter(None, lines))


def sentence_of(entry: Any) -> str:
    """Return the first sentence of what a class or function says about itself."""
    # Not inspect.getdoc: it would give the words of a base class.
    words = " ".join((entry.__doc__ or "").replace("``", "").split())
    return re.split(r"(?<=\.)\s", words, maxsplit=1)[0] or "It does not say what it does."


def make(cls: type[Any]) -> Any:
    """Return an instance of a spec class, the fields without a default filled with what fits."""
    required = (info for info in field_infos(cls) if info.default is attrs.NOTHING)
    return cls(**{info.name: first_value(info) for info in required})


def first_value(info: FieldInfo) -> Any:
    """Return a value to begin with for a field that must have one."""
    if info.optional:
        return None
    match info.kind:
        case "integer":
            return _inside(info, _FIRST_INTEGER)
        case "integers":
            return (_inside(info, 1),)
        case "number" | "numbers":
            return float(_inside(info, 0))
        case "boolean":
            return False
        case "choice":
            return info.options[0]
        case "text":
            return ""
        case "name_or_path":
            return (*info.options, ".")[0]
        case "spec":
            return make(_first_class(info.registry))
        case "specs":
            return (make(_first_class(info.registry)),)
        case "object":
            assert info.spec is not None
            return make(info.spec)


def _read(info: FieldInfo, text: str) -> Any:
    """Return what `text` looks like; the text itself where it is no number."""
    try:
        match info.kind:
            case "integer":
                return int(text)
            case "number":
                return _number(text)
            case "integers":
                return tuple(map(int, _row(text)))
            case "numbers":
                row = tuple(map(_number, _row(text)))
                return row[0] if len(row) == 1 and not text.endswith(",") else row
    except (ValueError, ZeroDivisionError):
        pass
    return text


def _row(text: str) -> list[str]:
    return [part for part in _SEPARATORS.split(text) if part]


def _number(text: str) -> float:
    above, stroke, below = text.partition("/")
    return float(above) / float(below) if stroke else float(text)


def _inside(info: FieldInfo, wanted: int) -> int | float:
    low = wanted if info.minimum is None else info.minimum
    if info.above_minimum and wanted <= low:
        # The middle of the range, else one more than its end.
        return low + 1 if info.maximum is None else (low + info.maximum) / 2
    inside = max(low, wanted)
    return inside if info.maximum is None else min(inside, info.maximum)


def _first_class(registry: Registry[Any] | None) -> type[Any]:
    assert registry is not None
    found: type[Any] = registry.items()[0][1]
    return found

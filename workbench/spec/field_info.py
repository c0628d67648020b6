"""What is known of one field of a spec: its kind, range, unit, label and help.

Responsible for what a value may be and how that is said; knows no particular spec and no editor.
"""

from __future__ import annotations

import difflib
import math
import numbers
import reprlib
from collections.abc import Iterable
from typing import Any, Literal

import attrs

from workbench.core.registry import Registry

#: What an editor must be able to edit.
Kind = Literal[
    "integer",
    "number",
    "boolean",
    "choice",
    "text",
    "name_or_path",  # a registered name, or a file
    "integers",  # a row of whole numbers: a shape
    "numbers",  # one number, or a row of them
    "spec",  # one registered thing with fields of its own
    "specs",  # a row of those
    "object",  # a spec of one known class
]

_quoter = reprlib.Repr()
#: Most characters of a value in a message.
_MAX_QUOTE = 120
_quoter.maxstring = _quoter.maxother = _quoter.maxlong = 60


def quote(value: object) -> str:
    """Return `value` as messages show it: its `repr`, cut to a readable length."""
    text = _quoter.repr(list(value) if isinstance(value, tuple) else value)
    # What is nested is cut at every level, and may be long all the same.
    return text if len(text) <= _MAX_QUOTE else f"{text[: _MAX_QUOTE - 3]}..."


def advise(name: str, known: Iterable[str]) -> str:
    """Return a sentence that proposes the nearest of `known`, or "" when none is near."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean {close[0]!r}?" if close else ""


@attrs.frozen
class FieldInfo:
    """What is known of one field of a spec: enough for a form, a check and a message.

    Parameters
    ----------
    kind
        Which editor suits it.
    label, help, unit
        Words for people: a short name, one sentence, and the unit ("" where there is none).
    minimum, maximum
        Smallest and largest number; None where there is no bound.
    above_minimum
        Whether the minimum itself is excluded.
    choices
        The words that are allowed; for kind ``integer``, words that are allowed besides numbers.
    registry
        Where the names come from; None where they do not come from a registry.
    spec
        The class of an ``object``.
    optional
        Whether None is allowed.
    name, default
        The field's name in its class and its default, `attrs.NOTHING` where it must be given.
    """

    kind: Kind
    label: str = ""
    help: str = ""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    above_minimum: bool = False
    choices: tuple[str, ...] = ()
    registry: Registry[Any] | None = attrs.field(default=None, eq=id)
    spec: type[Any] | None = None
    optional: bool = False
    name: str = ""
    default: Any = attrs.field(factory=lambda: attrs.NOTHING)

    @property
    def options(self) -> tuple[str, ...]:
        """The words to offer: those of the registry as it is now, else the choices."""
        return self.choices if self.registry is None else tuple(self.registry)

    def convert(self, value: Any) -> Any:
        """Return `value` as it is kept: rows as tuples, whole numbers as int, others as float."""
        if self.kind in ("integers", "numbers", "specs") and isinstance(value, list | tuple):
            return tuple(map(self._convert_one, value))
        return self._convert_one(value)

    def accepts(self, value: object) -> bool:
        """Return whether `value`, once converted, may stand in the field."""
        if value is None:
            return self.optional
        match self.kind:
            case "integer":
                return self._whole(value) or (isinstance(value, str) and value in self.choices)
            case "number":
                return self._finite(value)
            case "boolean":
                return isinstance(value, bool)
            case "choice":
                return isinstance(value, str) and value in self.options
            case "text":
                return isinstance(value, str)
            case "name_or_path":
                return isinstance(value, str) and bool(value) and "\0" not in value
            case "integers":
                return isinstance(value, tuple) and all(map(self._whole, value)) and value != ()
            case "numbers":
                row = value if isinstance(value, tuple) else (value,)
                return all(map(self._finite, row)) and row != ()
            case "spec":
                return self._registered(value)
            case "specs":
                return (
                    isinstance(value, tuple) and all(map(self._registered, value)) and value != ()
                )
            case "object":
                return self.spec is not None and isinstance(value, self.spec)

    def expected(self) -> str:
        """Return what the field takes, for messages: "a whole number of at least 1, or 'full'"."""
        words = " or ".join(map(repr, self.choices))
        match self.kind:
            case "integer":
                text = f"a whole number{self._range()}" + (f", or {words}" if words else "")
            case "number":
                text = f"a finite number{self._range()}"
            case "boolean":
                text = "true or false"
            case "choice":
                text = "one of " + ", ".join(map(repr, self.options))
            case "text":
                text = "a text"
            case "name_or_path":
                text = " or ".join([*map(repr, self.options), "the path of a file"])
            case "integers":
                text = f"a list of whole numbers, each{self._range()}"
            case "numbers":
                text = "a finite number or a list of them"
            case "spec":
                text = f"one {self._kind_of_spec()}: {', '.join(self.options)}"
            case "specs":
                text = f"at least one {self._kind_of_spec()}"
            case "object":
                text = "an object"
        return text + (", or nothing (null)" if self.optional else "")

    def _convert_one(self, value: Any) -> Any:
        if self.kind in ("integer", "integers"):
            return _as_int(value)
        return _as_float(value) if self.kind in ("number", "numbers") else value

    def _whole(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and self._in_range(value)

    def _finite(self, value: object) -> bool:
        return isinstance(value, float) and math.isfinite(value) and self._in_range(value)

    def _in_range(self, value: float) -> bool:
        if self.minimum is not None and value <= self.minimum:
            return value == self.minimum and not self.above_minimum
        return self.maximum is None or value <= self.maximum

    def _registered(self, value: object) -> bool:
        known = self.registry.items() if self.registry is not None else []
        return any(type(value) is entry for _, entry in known)

    def _kind_of_spec(self) -> str:
        return self.registry.kind if self.registry is not None else "spec"

    def _range(self) -> str:
        low = "" if self.minimum is None else f"{self.minimum:,}"
        high = "" if self.maximum is None else f"{self.maximum:,}"
        if low and self.above_minimum:
            return f" greater than {low}" + (f" and at most {high}" if high else "")
        if low and high:
            return f" from {low} to {high}"
        return f" of at least {low}" if low else f" of at most {high}" if high else ""


def _as_int(value: Any) -> Any:
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return int(value) if whole else value


def _as_float(value: Any) -> Any:
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    try:
        return float(value) if real else value
    except OverflowError:
        return value

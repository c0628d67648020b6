"""Fields of specs: each carries its kind, range, unit, label and help, and refuses what misfits.

Responsible for making fields and reading them back; knows no particular spec and no editor.

A spec is a frozen attrs class whose fields are made by the functions here::

    @attrs.frozen
    class Dense(Layer):
        units: int = integer(minimum=1, label="Units", help="Number of outputs.")

Forms, the JSON codec and the messages all follow from that one line.
"""

from __future__ import annotations

from typing import Any

import attrs

from workbench.core.errors import SpecError
from workbench.core.registry import Registry
from workbench.spec.field_info import FieldInfo, advise, quote

_METADATA_KEY = "workbench.field"


def field_infos(spec: type[Any]) -> tuple[FieldInfo, ...]:
    """Return what is known of each field of a spec class, in the order of its definition.

    Raises
    ------
    SpecError
        A field was not made by this module's functions, so that no form could show it.
    """
    infos = []
    for attribute in attrs.fields(spec):
        info = attribute.metadata.get(_METADATA_KEY)
        if info is None:
            raise SpecError(
                f"{spec.__name__}.{attribute.name} does not say what it may be.",
                "Make it with a function of workbench.spec.fields, as in "
                f"`{attribute.name}: float = number(default=0.1, label=..., help=...)`.",
            )
        default = attribute.default
        if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
            default = default.factory()
        infos.append(attrs.evolve(info, name=attribute.name, default=default))
    return tuple(infos)


def integer(default: Any = attrs.NOTHING, **about: Any) -> Any:
    """Make a field for a whole number; `choices` are words that may stand instead.

    Parameters
    ----------
    default
        Its value when none is given; without one it must be given.
    about
        Parameters of `FieldInfo`: label, help, unit, minimum, maximum, choices, optional.
    """
    return _field(FieldInfo("integer", **about), default)


def number(default: Any = attrs.NOTHING, **about: Any) -> Any:
    """Make a field for a finite number; `about` as for `integer`, and `above_minimum`."""
    return _field(FieldInfo("number", **about), default)


def boolean(default: Any = attrs.NOTHING, **about: Any) -> Any:
    """Make a field for true or false."""
    return _field(FieldInfo("boolean", **about), default)


def choice(default: Any = attrs.NOTHING, **about: Any) -> Any:
    """Make a field for one word of `choices`, or one name in `registry`."""
    return _field(FieldInfo("choice", **about), default)


def text(default: Any = attrs.NOTHING, **about: Any) -> Any:
    """Make a field for a text."""
    return _field(FieldInfo("text", **about), default)


def name_or_path(default: Any = attrs.NOTHING, **about: Any) -> Any:
    """Make a field for a name in `registry` or the path of a file; use shows which it is."""
    return _field(FieldInfo("name_or_path", **about), default)


def integers(default: Any = attrs.NOTHING, **about: Any) -> Any:
    """Make a field for a row of whole numbers, kept as a tuple."""
    return _field(FieldInfo("integers", **about), default)


def numbers(default: Any = attrs.NOTHING, **about: Any) -> Any:
    """Make a field for one finite number or a row of them, kept as a tuple."""
    return _field(FieldInfo("numbers", **about), default)


def one_of(registry: Registry[Any], default: Any = attrs.NOTHING, **about: Any) -> Any:
    """Make a field for one thing of `registry`, with fields of its own.

    `default` may be the name of an entry, which is then looked up and made when it is needed.
    """
    if isinstance(default, str):
        name = default
        default = attrs.Factory(lambda: registry[name]())
    return _field(FieldInfo("spec", registry=registry, **about), default)


def several(registry: Registry[Any], default: Any = attrs.NOTHING, **about: Any) -> Any:
    """Make a field for a row of things of `registry`, kept as a tuple."""
    return _field(FieldInfo("specs", registry=registry, **about), default)


def part(spec: type[Any], default: Any = attrs.NOTHING, **about: Any) -> Any:
    """Make a field for a spec of the class `spec`."""
    return _field(FieldInfo("object", spec=spec, **about), default)


def _field(info: FieldInfo, default: Any) -> Any:
    return attrs.field(
        default=default,
        converter=info.convert,
        validator=_validate,
        metadata={_METADATA_KEY: info},
    )


def _validate(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    info: FieldInfo = attribute.metadata[_METADATA_KEY]
    if info.accepts(value):
        return
    word = info.kind in ("choice", "integer") and isinstance(value, str)
    hint = advise(str(value), info.options) if word else ""
    raise SpecError(f"{attribute.name}: got {quote(value)}.", hint or f"Give {info.expected()}.")

"""A spec with a field of every kind, for forms to be tried on."""

from __future__ import annotations

from typing import Any

import attrs

from workbench.core.errors import SpecError
from workbench.core.registry import Registry
from workbench.spec import fields

SHAPES: Registry[type[Any]] = Registry("shape")


@SHAPES.add("square")
@attrs.frozen
class Square:
    """A square. It has four sides."""

    side: float = fields.number(default=1.0, minimum=0, above_minimum=True, label="Side")


@SHAPES.add("dot")
@attrs.frozen
class Dot:
    """A dot."""


@attrs.frozen
class Corner:
    """Where something is."""

    x: int = fields.integer(default=0, label="X")


@attrs.frozen
class Everything:
    """Has it all."""

    count: int | str = fields.integer(
        default=3, minimum=1, maximum=9, choices=("full",), label="Count", unit="pieces"
    )
    limit: int | None = fields.integer(default=None, minimum=1, optional=True)
    rate: float = fields.number(default=0.5, minimum=0, above_minimum=True, maximum=2)
    flag: bool = fields.boolean(default=False)
    maybe: bool | None = fields.boolean(default=None, optional=True)
    word: str = fields.choice(default="a", choices=("a", "bee"))
    perhaps: str | None = fields.choice(default=None, choices=("a", "bee"), optional=True)
    note: str = fields.text(default="")
    place: str = fields.name_or_path(default="square", registry=SHAPES)
    shape: tuple[int, ...] = fields.integers(default=(1,), minimum=1)
    values: float | tuple[float, ...] = fields.numbers(default=0.0)
    drawn: Any = fields.one_of(SHAPES, default="square")
    drawn_maybe: Any = fields.one_of(SHAPES, default=None, optional=True)
    several: tuple[Any, ...] = fields.several(SHAPES, default=(Square(),))
    corner: Corner = fields.part(Corner, default=Corner())
    corner_maybe: Corner | None = fields.part(Corner, default=None, optional=True)


@attrs.frozen
class Range:
    """Two fields that must go together."""

    low: int = fields.integer(default=0, label="Low")
    high: int = fields.integer(default=1, label="High")

    def __attrs_post_init__(self) -> None:
        """Refuse a range that is none."""
        if self.low >= self.high:
            raise SpecError(f"low: {self.low} is not below {self.high}.", "Make it smaller.")

"""Fields: what they accept, how they keep it, and what forms can learn of them."""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
import pytest

from workbench.core.errors import SpecError
from workbench.core.registry import Registry
from workbench.spec import fields, registries
from workbench.spec.data import DataSpec
from workbench.spec.experiment import Experiment
from workbench.spec.field_info import quote
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS, OPTIMIZERS, SCHEDULES
from workbench.spec.training import TrainingSpec

_SPECS = [NetworkSpec, TrainingSpec, DataSpec, Experiment]
_REGISTERED = [
    entry
    for registry in vars(registries).values()
    if isinstance(registry, Registry)
    for _, entry in registry.items()
    if isinstance(entry, type) and attrs.has(entry)
]


@attrs.frozen
class Sample:
    """One field of each plain kind."""

    count: int | str = fields.integer(default=3, minimum=1, maximum=9, choices=("full",))
    rate: float = fields.number(default=0.5, minimum=0, above_minimum=True, maximum=2)
    flag: bool = fields.boolean(default=False)
    word: str = fields.choice(default="a", choices=("a", "bee"))
    note: str = fields.text(default="")
    place: str = fields.name_or_path(default="here")
    shape: tuple[int, ...] = fields.integers(default=(1,), minimum=1)
    values: float | tuple[float, ...] = fields.numbers(default=0.0)
    limit: int | None = fields.integer(default=None, minimum=1, optional=True)


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("count", 9, 9),
        ("count", np.int32(2), 2),
        ("count", "full", "full"),
        ("rate", 1, 1.0),
        ("rate", np.float32(0.25), 0.25),
        ("rate", 5e-324, 5e-324),
        ("flag", True, True),
        ("word", "bee", "bee"),
        ("note", "ü", "ü"),
        ("place", "a/b.csv", "a/b.csv"),
        ("shape", [2, 3], (2, 3)),
        ("values", 2, 2.0),
        ("values", [1, 2.5], (1.0, 2.5)),
        ("limit", None, None),
        ("limit", 4, 4),
    ],
)
def test_a_field_keeps_what_fits(name: str, given: Any, kept: Any) -> None:
    """It is kept in one form, so that equal specs are equal and can be hashed."""
    made = Sample(**{name: given})
    assert getattr(made, name) == kept
    assert type(getattr(made, name)) is type(kept)
    assert hash(made) == hash(Sample(**{name: kept}))


@pytest.mark.parametrize(
    ("name", "given", "advice"),
    [
        ("count", 0, "from 1 to 9, or 'full'"),
        ("count", 10, "from 1 to 9"),
        ("count", True, "whole number"),
        ("count", 2.0, "whole number"),
        ("count", "3", "whole number"),
        ("count", "ful", "Did you mean 'full'?"),
        ("count", None, "whole number"),
        ("rate", math.nan, "finite number greater than 0 and at most 2"),
        ("rate", math.inf, "finite number"),
        ("rate", 0, "greater than 0"),
        ("rate", -0.1, "greater than 0"),
        ("rate", 2.5, "at most 2"),
        ("rate", 10**400, "at most 2"),
        ("rate", False, "finite number"),
        ("flag", 1, "true or false"),
        ("word", "c", "one of 'a', 'bee'"),
        ("word", ["a"], "one of 'a', 'bee'"),
        ("note", 3, "a text"),
        ("place", "", "the path of a file"),
        ("place", "a\0b", "the path of a file"),
        ("shape", [], "whole numbers"),
        ("shape", [0], "at least 1"),
        ("shape", "12", "whole numbers"),
        ("shape", 12, "whole numbers"),
        ("values", [], "a list of them"),
        ("values", [math.nan], "finite"),
        ("values", "1", "finite"),
        ("limit", 0, "or nothing (null)"),
    ],
)
def test_a_field_refuses_what_does_not_fit(name: str, given: Any, advice: str) -> None:
    """The message names the field, quotes what came, and says what would do."""
    with pytest.raises(SpecError) as caught:
        Sample(**{name: given})
    assert caught.value.message.startswith(f"{name}: got ")
    assert advice in caught.value.hint


def test_a_long_value_is_quoted_in_short() -> None:
    """A message stays a sentence whatever was received."""
    assert len(quote("x" * 10_000)) < 100
    assert len(quote(list(range(10_000)))) < 100


def test_a_registered_thing_is_wanted_and_nothing_else() -> None:
    """Neither a name nor a class nor a thing of another registry will do."""
    for wrong in ("sgd", OPTIMIZERS["sgd"], SCHEDULES["constant"](), None):
        with pytest.raises(SpecError, match=r"^optimizer: got .* Give one optimizer: .*sgd"):
            TrainingSpec(optimizer=wrong)
    with pytest.raises(SpecError, match=r"^layers: got .* at least one layer"):
        NetworkSpec(input=(1,), layers=[])


@pytest.mark.parametrize("spec", [*_SPECS, *_REGISTERED])
def test_every_field_can_be_shown_in_a_form(spec: type[Any]) -> None:
    """A label, a sentence of help that ends, a unit where it counts things, a default that fits."""
    for info in fields.field_infos(spec):
        assert info.label
        assert info.help.endswith(".")
        assert info.kind not in ("choice",) or info.options
        if info.default is not attrs.NOTHING:
            assert info.accepts(info.default)


@pytest.mark.parametrize("spec", [*_SPECS, *_REGISTERED])
def test_every_spec_is_frozen_and_documented(spec: type[Any]) -> None:
    """Nobody changes a spec that another holds."""
    assert spec.__doc__
    assert spec.__setattr__ is not object.__setattr__
    assert spec.__hash__ is not None


def test_field_infos_follow_the_class() -> None:
    """Names, order and defaults are those of the definition, factories called."""
    infos = {info.name: info for info in fields.field_infos(TrainingSpec)}
    assert list(infos) == [a.name for a in attrs.fields(TrainingSpec)]
    assert infos["optimizer"].default == OPTIMIZERS["sgd"]()
    assert infos["objective"].options == ("log_likelihood", "squared_error")
    assert infos["batch"].unit == "data points"
    (units, *_) = fields.field_infos(LAYERS["dense"])
    assert units.default is attrs.NOTHING
    assert (units.kind, units.minimum) == ("integer", 1)


def test_a_field_without_information_is_refused() -> None:
    """No form could show it, so the author is told what to write."""

    @attrs.frozen
    class Bare:
        amount: float = 0.1

    with pytest.raises(SpecError, match=r"Bare\.amount .*workbench\.spec\.fields.*amount: float"):
        fields.field_infos(Bare)

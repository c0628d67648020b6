"""Texts of fields mean the values that they show, and what does not fit is refused with advice."""

from __future__ import annotations

import math
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gui.samples import Everything, Square
from workbench.core.errors import SpecError
from workbench.core.registry import Registry
from workbench.gui.forms.line_editors import next_notch
from workbench.gui.forms.values import label_of, make, parse, sentence_of, show, tip_of
from workbench.spec import registries
from workbench.spec.fields import field_infos, integer, number
from workbench.spec.registries import LAYERS

INFOS = {info.name: info for info in field_infos(Everything)}
FINITE = st.floats(allow_nan=False, allow_infinity=False)
CLASSES = [
    entry
    for registry in vars(registries).values()
    if isinstance(registry, Registry)
    for _, entry in registry.items()
    if isinstance(entry, type) and attrs.has(entry)
]


@given(FINITE | st.lists(FINITE, min_size=1, max_size=4).map(tuple))
def test_numbers_read_back_as_they_are_shown(value: Any) -> None:
    read = parse(INFOS["values"], show(value))
    assert read == value
    assert type(read) is type(value)


@given(st.lists(st.integers(1), min_size=1, max_size=4).map(tuple))
def test_shapes_read_back_as_they_are_shown(value: tuple[int, ...]) -> None:
    assert parse(INFOS["shape"], show(value)) == value


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("count", " 7 ", 7),
        ("count", "full", "full"),
        ("limit", "", None),
        ("limit", "12", 12),
        ("rate", "1/256", 1 / 256),
        ("rate", "1e-3", 0.001),
        ("shape", "1 x 28 x 28", (1, 28, 28)),
        ("shape", "(1, 28, 28)", (1, 28, 28)),
        ("shape", "1×2", (1, 2)),
        ("values", "1,", (1.0,)),
        ("values", "1; 2", (1.0, 2.0)),
        ("note", " as it is ", " as it is "),
        ("place", "some/file.csv", "some/file.csv"),
    ],
)
def test_texts_mean_values(field: str, text: str, value: Any) -> None:
    assert parse(INFOS[field], text) == value


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("count", ""),
        ("count", "0"),
        ("count", "10"),
        ("count", "3.5"),
        ("count", "ful"),
        ("count", "9" * 5000),
        ("rate", "0"),
        ("rate", "nan"),
        ("rate", "inf"),
        ("rate", "1e999"),
        ("rate", "1/0"),
        ("rate", "fast"),
        ("shape", ""),
        ("shape", "1, 0"),
        ("shape", "1, two"),
        ("values", ""),
        ("place", ""),
    ],
)
def test_what_does_not_fit_is_refused_with_advice(field: str, text: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(INFOS[field], text)
    assert caught.value.hint == f"Give {INFOS[field].expected()}."
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("cls", CLASSES)
def test_everything_registered_can_be_made_and_says_what_it_does(cls: type[Any]) -> None:
    assert type(make(cls)) is cls
    assert sentence_of(cls).endswith(".")
    assert "``" not in sentence_of(cls)


def test_a_new_dense_layer_has_as_many_units_as_there_are_digits() -> None:
    assert make(LAYERS["dense"]).units == 10


def test_a_class_that_says_nothing_does_not_borrow_the_words_of_its_base() -> None:
    class Silent(Square):
        pass

    assert sentence_of(Silent) == "It does not say what it does."


@pytest.mark.parametrize(
    ("field", "first"),
    [
        (integer(), 10),
        (integer(minimum=20), 20),
        (integer(maximum=4), 4),
        (number(minimum=0, above_minimum=True), 1.0),
        (number(minimum=0, above_minimum=True, maximum=0.5), 0.25),
        (number(minimum=-3), 0.0),
        (number(optional=True), None),
    ],
)
def test_a_field_that_must_be_given_begins_with_what_fits(field: Any, first: Any) -> None:
    cls = attrs.make_class("Sample", {"field": field}, frozen=True)
    assert make(cls).field == first


def test_tips_and_labels_say_unit_and_range() -> None:
    assert tip_of(INFOS["count"]).splitlines() == [
        "Unit: pieces.",
        "Takes a whole number from 1 to 9, or 'full'.",
    ]
    assert label_of(INFOS["drawn_maybe"]) == "Drawn maybe"


@given(st.floats(1e-300, 1e300))
def test_steps_of_a_number_go_up_and_down(value: float) -> None:
    up, down = next_notch(value, up=True), next_notch(value, up=False)
    assert down < value < up
    assert next_notch(up, up=False) <= value
    assert math.isclose(next_notch(1.0, up=True), 2.0)

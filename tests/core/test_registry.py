"""A registry finds by name, lists in order, and advises on a misspelt name."""

from __future__ import annotations

import pytest

from workbench.core.errors import InputError
from workbench.core.registry import Registry


@pytest.fixture
def shapes() -> Registry[type]:
    registry: Registry[type] = Registry("shape")

    @registry.add("square")
    class Square:
        pass

    @registry.add("circle")
    class Circle:
        pass

    return registry


def test_the_order_is_that_of_registration(shapes: Registry[type]) -> None:
    assert list(shapes) == ["square", "circle"]
    assert [name for name, _ in shapes.items()] == ["square", "circle"]
    assert len(shapes) == 2
    assert "circle" in shapes


def test_an_entry_and_its_instances_know_their_name(shapes: Registry[type]) -> None:
    circle = shapes["circle"]
    assert shapes.name_of(circle) == "circle"
    assert shapes.name_of(circle()) == "circle"
    with pytest.raises(KeyError, match="not a registered shape"):
        shapes.name_of(3)


def test_a_name_is_taken_once(shapes: Registry[type]) -> None:
    with pytest.raises(ValueError, match="'square' is registered already"):
        shapes.add("square")(int)


def test_a_removed_name_is_free_again(shapes: Registry[type]) -> None:
    shapes.remove("square")
    assert "square" not in shapes
    shapes.add("square")(int)
    assert shapes["square"] is int


def test_a_watcher_is_told_of_every_entry_and_may_refuse_one(shapes: Registry[type]) -> None:
    told: list[str] = []

    def tell(name: str, _: type) -> None:
        if name == "tesseract":
            raise ValueError("four dimensions")
        told.append(name)

    shapes.watch(tell)
    shapes.add("ring")(int)
    assert told == ["square", "circle", "ring"]
    with pytest.raises(ValueError, match="four"):
        shapes.add("tesseract")(int)
    assert "tesseract" not in shapes


@pytest.mark.parametrize(
    ("asked", "advice"),
    [("circel", "Did you mean 'circle'?"), ("tesseract", "Known: circle, square.")],
)
def test_an_unknown_name_is_answered_with_advice(
    shapes: Registry[type], asked: str, advice: str
) -> None:
    with pytest.raises(InputError) as caught:
        shapes[asked]
    assert caught.value.message == f"There is no shape called {asked!r}."
    assert caught.value.hint == advice

"""Symbolic integers: their text means what Python's arithmetic gives, within their bounds."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from workbench.engine.backends.opencl.codegen.index import (
    Atom,
    Index,
    as_index,
    flatten,
    named,
    unflatten,
)

RANGES = {"i": (0, 6), "j": (0, 27), "v": (-9, 9), "u": (-40, 40)}
ATOMS = {name: named(name, depth, *RANGES[name]) for depth, name in enumerate("ijv")}
#: One of which the expression knows no bounds.
ATOMS["u"] = named("u", 3)


def meaning(text: str, values: dict[str, int]) -> int:
    """Evaluate C text; plain division must never see a negative number."""

    text = text.replace("/", "//")
    names = {name: Checked(value) for name, value in values.items()}
    helpers = {
        "wb_index_div": lambda a, b: Checked(int(a) // int(b)),
        "wb_index_mod": lambda a, b: Checked(int(a) % int(b)),
    }
    assert re.fullmatch(r"[\w\s()+*/%,-]+", text)
    return int(eval(text, {"__builtins__": {}}, {**names, **helpers}))  # noqa: S307 - checked above


class Checked(int):
    """An integer as C has it where its operands are not negative."""

    def __add__(self, other: int) -> Checked:
        return Checked(int(self) + int(other))

    __radd__ = __add__

    def __sub__(self, other: int) -> Checked:
        return Checked(int(self) - int(other))

    def __rsub__(self, other: int) -> Checked:
        return Checked(int(other) - int(self))

    def __mul__(self, other: int) -> Checked:
        return Checked(int(self) * int(other))

    __rmul__ = __mul__

    def __neg__(self) -> Checked:
        return Checked(-int(self))

    def __floordiv__(self, other: int) -> Checked:
        assert int(self) >= 0
        return Checked(int(self) // int(other))

    def __mod__(self, other: int) -> Checked:
        assert int(self) >= 0
        return Checked(int(self) % int(other))


leaves = st.one_of(st.sampled_from(sorted(RANGES)), st.integers(-30, 30))
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*"), inner, inner),
        st.tuples(st.sampled_from("/%"), inner, st.integers(1, 29)),
    ),
    max_leaves=8,
)


def evaluate(expression: object, values: dict[str, Index | int]) -> Index | int:
    if isinstance(expression, str):
        return values[expression]
    if isinstance(expression, int):
        return expression
    assert isinstance(expression, tuple)
    operator, left, right = expression
    a, b = evaluate(left, values), evaluate(right, values)
    if operator == "+":
        return a + b
    if operator == "-":
        return a - b
    if operator == "*":
        return a * b
    return a // b if operator == "/" else a % b


@given(expressions, st.tuples(*(st.integers(*bounds) for bounds in RANGES.values())))
def test_text_and_bounds_agree_with_python(expression: object, point: tuple[int, ...]) -> None:
    values = dict(zip(RANGES, point, strict=True))
    expected = evaluate(expression, dict(values))
    found = as_index(evaluate(expression, dict(ATOMS)))
    assert meaning(found.text, values) == expected
    assert found.low <= expected <= found.high


def test_what_a_reshape_divides_comes_together_again() -> None:
    row, column = named("r", 0, 0, 49_999), named("c", 1, 0, 783)
    image = unflatten(flatten((row, column), (50_000, 784)), (50_000, 1, 28, 28))
    assert [i.text for i in image] == ["r", "0", "(c / 28)", "(c % 28)"]
    assert flatten(image, (50_000, 1, 28, 28)) == row * 784 + column
    deep = unflatten(named("g", 0, 0, 2 * 3 * 5 * 7 - 1), (2, 3, 5, 7))
    assert flatten(deep, (2, 3, 5, 7)).text == "g"


def test_depth_is_that_of_what_is_left() -> None:
    outer, inner = named("i", 1, 0, 9), named("j", 2, 0, 9)
    assert (outer * 10 + inner).depth == 2
    assert ((outer * 10 + inner) // 10).depth == 1
    assert (inner - inner + 3).depth == 0


def test_stride_knows_what_hides_in_a_quotient() -> None:
    atom = Atom("i", 0, 0, 99)
    i = Index(((atom, 1),))
    assert (i * 784 + 3).stride(atom) == 784
    assert (i // 7 + i).stride(atom) is None
    assert named("other", 0).stride(atom) == 0


def test_division_by_the_length_of_an_empty_axis_is_left_alone() -> None:
    i = named("i", 0, 0, 9)
    assert (i // 0, i % 0) == (Index(), Index())


def test_negative_numbers_are_rounded_down() -> None:
    bounded, unknown = named("v", 0, -5, 5), named("u", 0)
    assert (bounded // 3).text == "(((v + 6) / 3) - 2)"
    assert (unknown // 3).text == "wb_index_div(u, 3)"
    assert (unknown % 3).text == "wb_index_mod(u, 3)"


def test_what_lies_within_a_block_takes_no_part_in_a_division() -> None:
    """A run of neighbours stays one where its place is found by dividing."""
    run, lane = named("q", 1, 0, 20), named("l", 2, 0, 15)
    flat = run * 16 + lane
    assert flat // 48 == run // 3
    assert flat % 48 == run % 3 * 16 + lane
    assert (flat // 48) * 48 + flat % 48 == flat
    for other in (run * 16 + lane + 1, run * 16 + lane * 2, run * 10 + lane):
        text = (other // 48).text
        assert all(
            meaning(text, {"q": q, "l": i}) == meaning(other.text, {"q": q, "l": i}) // 48
            for q in range(21)
            for i in range(16)
        )

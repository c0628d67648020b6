"""Symbolic integers: the components of an index while kernel text is generated.

Responsible for arithmetic that stays short and for bounds that prove an access safe; knows nothing
of nodes, loops or kernels.

A component is a sum of atoms with coefficients, which keeps the addresses of reshaped, sliced and
transposed arrays linear: ``(i * 784 + j) // 784`` is ``i`` where ``0 <= j < 784``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from typing import SupportsIndex

import attrs

#: Bounds of an integer of which nothing is known.
UNKNOWN = 2**31 - 1


@attrs.frozen
class Atom:
    """An integer that kernel text can name; equal texts are the same integer.

    Parameters
    ----------
    text
        C expression that needs no parentheses around it.
    depth
        The innermost loop level on which it depends.
    low, high
        Bounds of its value, both inclusive.
    base, divisor
        For a quotient or a remainder: what was divided by what.
    """

    text: str
    depth: int = attrs.field(eq=False)
    low: int = attrs.field(eq=False)
    high: int = attrs.field(eq=False)
    base: Index | None = attrs.field(default=None, eq=False, repr=False)
    divisor: int = attrs.field(default=0, eq=False, repr=False)
    is_remainder: bool = attrs.field(default=False, eq=False, repr=False)


@attrs.frozen
class Index:
    """A sum of atoms with coefficients, and a constant.

    It offers ``+ - * // %`` as Python integers do, so that operations need not know which they are
    given. Division and remainder round down.
    """

    terms: tuple[tuple[Atom, int], ...] = ()
    const: int = 0

    @property
    def depth(self) -> int:
        """The innermost loop level on which it depends; 0 for a constant."""
        return max((atom.depth for atom, _ in self.terms), default=0)

    @property
    def low(self) -> int:
        """A lower bound."""
        return self.const + sum(min(c * a.low, c * a.high) for a, c in self.terms)

    @property
    def high(self) -> int:
        """An upper bound."""
        return self.const + sum(max(c * a.low, c * a.high) for a, c in self.terms)

    @property
    def text(self) -> str:
        """C expression, in parentheses if it has more than one part."""
        text = ""
        for atom, c in self.terms:
            part = atom.text if abs(c) == 1 else f"{atom.text} * {abs(c)}"
            text += f" - {part}" if c < 0 else f" + {part}"
        if self.const or not text:
            text += f" - {-self.const}" if self.const < 0 else f" + {self.const}"
        text = text[3:] if text.startswith(" + ") else f"-{text[3:]}"
        return text if re.fullmatch(r"\w+|\([^()]*\)|\w+\([^()]*\)", text) else f"({text})"

    def stride(self, atom: Atom) -> int | None:
        """Return by how much it grows with `atom`, or None where it is not linear in it."""
        word = re.compile(rf"\b{re.escape(atom.text)}\b")
        if any(a != atom and word.search(a.text) for a, _ in self.terms):
            return None
        return sum(c for a, c in self.terms if a == atom)

    def within(self, length: int) -> bool:
        """Whether it is proved to be an index into an axis of `length`."""
        return self.low >= 0 and self.high < length

    def __add__(self, other: Index | SupportsIndex) -> Index:
        other = as_index(other)
        return _sum([*self.terms, *other.terms], self.const + other.const)

    __radd__ = __add__

    def __sub__(self, other: Index | SupportsIndex) -> Index:
        return self + as_index(other) * -1

    def __rsub__(self, other: SupportsIndex) -> Index:
        return as_index(other) + self * -1

    def __mul__(self, other: Index | SupportsIndex) -> Index:
        other = as_index(other)
        if self.terms and other.terms:
            return _opaque(f"({self.text} * {other.text})", self, other)
        factor, scaled = (self.const, other) if other.terms else (other.const, self)
        if factor == 0:
            return Index()
        return Index(tuple((a, c * factor) for a, c in scaled.terms), scaled.const * factor)

    __rmul__ = __mul__

    def __floordiv__(self, other: Index | SupportsIndex) -> Index:
        other = as_index(other)
        if other == Index():
            # The length of an axis without elements, where nothing is ever computed.
            return other
        if other.terms or other.const < 0:
            return _opaque(f"wb_index_div({self.text}, {other.text})", self, other)
        exact, rest = self._split(other.const)
        return exact + _quotient(rest, other.const)

    def __rfloordiv__(self, other: SupportsIndex) -> Index:
        return as_index(other) // self

    def __mod__(self, other: Index | SupportsIndex) -> Index:
        other = as_index(other)
        if other == Index():
            return other
        if other.terms or other.const < 0:
            return _opaque(f"wb_index_mod({self.text}, {other.text})", self, other)
        divisor = other.const
        _, rest = self._split(divisor)
        whole = _quotient(rest, divisor)
        if not whole.terms:
            return rest - whole * divisor
        blocks = _in_blocks(rest, divisor)
        if blocks is not None:
            count, block, within = blocks
            return count % (divisor // block) * block + within
        text = _divided(rest, "%", "wb_index_mod", divisor)
        return Index(((Atom(text, rest.depth, 0, divisor - 1, rest, divisor, True), 1),))

    def __rmod__(self, other: SupportsIndex) -> Index:
        return as_index(other) % self

    def _split(self, divisor: int) -> tuple[Index, Index]:
        """Return the quotient of what `divisor` divides without rest, and the rest of the sum.

        Where bounds are known the rest is not negative, so that C's rounding is right for it.
        """
        exact = tuple((a, c // divisor) for a, c in self.terms if c % divisor == 0)
        rest = Index(tuple((a, c) for a, c in self.terms if c % divisor), self.const)
        shift = (rest.low if rest.low > -UNKNOWN // 2 else rest.const) // divisor
        return Index(exact, shift), rest - shift * divisor


def as_index(value: Index | SupportsIndex) -> Index:
    """Return a constant index for a Python or NumPy integer, an index as it is."""
    return value if isinstance(value, Index) else Index((), operator.index(value))


def named(text: str, depth: int, low: int = -UNKNOWN, high: int = UNKNOWN) -> Index:
    """Return the index that kernel text calls `text`."""
    return Index(((Atom(text, depth, low, high), 1),))


def flatten(index: Iterable[Index], shape: Iterable[int]) -> Index:
    """Return the position in C order of the element at `index`."""
    flat = Index()
    for component, length in zip(index, shape, strict=True):
        flat = flat * length + component
    return flat


def unflatten(flat: Index, shape: tuple[int, ...]) -> tuple[Index, ...]:
    """Return the index of the element at position `flat` in C order."""
    components: list[Index] = []
    for length in reversed(shape[1:]):
        components.append(flat % max(length, 1))
        flat = flat // max(length, 1)
    return tuple(reversed([*components, flat])) if shape else ()


def _sum(terms: Iterable[tuple[Atom, int]], const: int) -> Index:
    counts: dict[Atom, int] = {}
    for atom, c in terms:
        counts[atom] = counts.get(atom, 0) + c
    for atom, c in list(counts.items()):
        if not (atom.is_remainder and c and atom.base is not None):
            continue
        # c * (x % d) + c * d * (x // d) is c * x.
        quotient = _quotient(atom.base, atom.divisor).terms[0][0]
        if counts.get(quotient) == c * atom.divisor:
            del counts[atom], counts[quotient]
            return _sum(counts.items(), const) + atom.base * c
    kept = [(a, c) for a, c in counts.items() if c]
    return Index(tuple(sorted(kept, key=lambda t: (-abs(t[1]), t[0].text))), const)


def _quotient(rest: Index, divisor: int) -> Index:
    """Return ``rest // divisor`` where no part of the sum can be divided alone."""
    if rest.low // divisor == rest.high // divisor:
        return Index((), rest.low // divisor)
    if len(rest.terms) == 1 and not rest.const and rest.terms[0][1] == 1:
        atom = rest.terms[0][0]
        if atom.base is not None and not atom.is_remainder:
            return atom.base // (atom.divisor * divisor)
    blocks = _in_blocks(rest, divisor)
    if blocks is not None:
        return blocks[0] // (divisor // blocks[1])
    text = _divided(rest, "/", "wb_index_div", divisor)
    low, high = rest.low // divisor, rest.high // divisor
    return Index(((Atom(text, rest.depth, low, high, rest, divisor), 1),))


def _in_blocks(rest: Index, divisor: int) -> tuple[Index, int, Index] | None:
    """Return how many blocks, how long a block and what within one make a sum, if any do.

    A block divides `divisor`, so that what lies within one takes no part in the division.
    """
    for block in sorted({abs(c) for _, c in rest.terms if divisor % c == 0 and abs(c) > 1}):
        count = Index(tuple((a, c // block) for a, c in rest.terms if c % block == 0))
        within = Index(tuple((a, c) for a, c in rest.terms if c % block), rest.const)
        if within.within(block):
            return count, block, within
    return None


def _divided(rest: Index, symbol: str, rounded: str, divisor: int) -> str:
    # C rounds toward 0, which is downwards only for what is not negative.
    if rest.low >= 0:
        return f"({rest.text} {symbol} {divisor})"
    return f"{rounded}({rest.text}, {divisor})"


def _opaque(text: str, *parts: Index) -> Index:
    return named(text, max(part.depth for part in parts))

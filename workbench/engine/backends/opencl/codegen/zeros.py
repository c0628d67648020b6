"""Products that leave out what a matrix has no numbers for.

Responsible for lists of the columns in which some rows have any number but 0; knows nothing of how
the rows were packed or of what they are multiplied by.

Images are mostly empty: of MNIST's pixels four in five are 0, and six images have nothing at all in
more than half of their pixels. Such a column adds 0 times a row of the other matrix, which is 0, so
leaving it out changes no sum; where the other matrix holds an infinity or a NaN it would, and
nothing is left out. Looking for zeros takes time, which is spent on bytes alone: numbers that were
computed are hardly ever 0 for several rows at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

import attrs

from workbench.engine.backends.opencl.codegen.emitter import Emitter
from workbench.engine.graph.op import Movement
from workbench.engine.graph.types import C_TYPES
from workbench.engine.lower.node import Load, Node

#: Columns whose bits are in a word.
_WORD = 32

#: The integers as long as a type's numbers, and the exponent that only infinities and NaNs have.
_BITS = {"float": ("int", "0x7f800000"), "double": ("long", "0x7ff0000000000000L")}


def may_be_empty(matrix: Node) -> bool:
    """Whether a matrix is made of bytes, cast and scaled as they are loaded."""
    pending = [matrix]
    while pending:
        node = pending.pop()
        if isinstance(node.op, Load) and node.dtype == "uint8":
            return True
        # What a movement is told of places is no part of the matrix.
        pending += node.inputs[:1] if isinstance(node.op, Movement) else node.inputs
    return False


@attrs.frozen
class LiveColumns:
    """What a list of columns is called in C; who declares, fills or reads it takes the names here.

    Parameters
    ----------
    places
        The array of the columns that count, in order.
    found
        How many they are.
    flags
        An array as long as the rows: whether a column counts.
    wild
        Whether the other matrix holds an infinity or a NaN, so that every column counts.
    """

    places: str = "live"
    found: str = "found"
    flags: str = "flags"
    wild: str = "wild"

    def fill(self, emitter: Emitter, rows: Sequence[str], length: str) -> None:
        """List the columns in which any of some rows has a number but 0.

        Parameters
        ----------
        rows
            The C expression of each row's number at ``k``.
        length
            How long the rows are.
        """
        integer = emitter.arguments.integer
        each = f"for ({integer} k = 0; k < {length}; ++k)"
        live = " | ".join(f"({row} != 0)" for row in rows)
        # Apart: the first loop is made of vector instructions, and the second has no branch.
        emitter.line(f"{each} {self.flags}[k] = {live};")
        emitter.line(f"{self.found} = 0;")
        counts = f"{self.found} += {self.flags}[k] | {self.wild};"
        emitter.line(f"{each} {{ {self.places}[{self.found}] = k; {counts} }}")


@attrs.frozen
class LiveBits:
    """A bit for each column of packed rows that lie side by side: whether its number is not 0.

    One row's numbers would have to be taken one by one. A vector holds numbers of several rows, and
    gives each of them the bit of one column.

    Parameters
    ----------
    dtype
        The type of the numbers.
    rows, depth
        How many rows are packed, and of how many columns at most.
    lanes
        How many numbers make a vector, if so many rows make whole vectors.
    name
        What the bits are called in C.
    """

    dtype: str
    rows: int
    depth: int
    lanes: int
    name: str = "bits"

    @property
    def memory(self) -> str:
        """The declaration of the bits."""
        words = -(-self.depth // _WORD)
        return f"{self._vector(self._integer)} {self.name}[{words * self.rows // self._lanes}];"

    @property
    def _lanes(self) -> int:
        return math.gcd(self.rows, self.lanes)

    @property
    def _integer(self) -> str:
        """The unsigned integer as long as a number."""
        return "u" + _BITS[C_TYPES[self.dtype]][0]

    def _vector(self, ctype: str) -> str:
        return f"{ctype}{self._lanes}" if self._lanes > 1 else ctype

    def note(self, emitter: Emitter, numbers: str, columns: str, wild: str) -> None:
        """Set the bits of so many columns; all of them where the other matrix is wild.

        Parameters
        ----------
        numbers
            The address of the first row's first number, in local memory; its next is behind those
            of all rows.
        """
        bits, integer = self._vector(self._integer), emitter.arguments.integer
        vectors = self.rows // self._lanes
        # No built-in function is given a vector: PoCL's take 512 bits otherwise than their callers.
        pointer = f"(__local const {self._vector(C_TYPES[self.dtype])} *)({numbers})"
        unequal = f"({pointer})[j * {vectors} + i] != 0"
        mask = f"as_{bits}({unequal})" if self._lanes > 1 else f"-({bits})({unequal})"
        emitter.line(f"const {self._integer} every = -({self._integer}){wild};")
        with self._words(emitter, columns), emitter.block(f"for (int i = 0; i < {vectors}; ++i)"):
            emitter.line(f"const {integer} last = min(k + {_WORD}, {columns});")
            emitter.line(f"{bits} noted = 0;")
            emitter.line(f"for ({integer} j = k; j < last; ++j)")
            emitter.line(f"  noted |= ({mask} | every) & ({bits})(({self._integer})1 << (j - k));")
            emitter.line(f"{self.name}[word * {vectors} + i] = noted;")

    def fill(
        self, emitter: Emitter, live: LiveColumns, first: str, rows: int, columns: str
    ) -> None:
        """List the columns in which any of some rows has a number but 0.

        Parameters
        ----------
        first, rows
            The first of the rows, and how many they are.
        """
        words = f"((const {self._integer} *){self.name})"
        bits = " | ".join(f"{words}[word * {self.rows} + {first} + {i}]" for i in range(rows))
        emitter.line(f"{live.found} = 0;")
        with self._words(emitter, columns):
            emitter.line(f"uint rest = {bits};")
            # The lowest bit is the next column.
            place = f"k + {_WORD - 1} - clz(rest & -rest)"
            each = "for (; rest; rest &= rest - 1)"
            emitter.line(f"{each} {live.places}[{live.found}++] = {place};")

    def _words(self, emitter: Emitter, columns: str) -> AbstractContextManager[None]:
        """Open a loop over the words of so many columns."""
        integer = emitter.arguments.integer
        return emitter.block(
            f"for ({integer} k = 0, word = 0; k < {columns}; k += {_WORD}, ++word)"
        )


def any_wild(
    emitter: Emitter, name: str, vector: str, lanes: int, loops: Iterable[tuple[str, str]]
) -> None:
    """Let ``name`` tell whether any of some vectors holds an infinity or a NaN.

    Parameters
    ----------
    vector, lanes
        Their type, and how many numbers they have.
    loops
        C loops over such vectors, each with the expression of one.
    """
    integers, exponent = _BITS[vector.rstrip("0123456789")]
    emitter.line(f"int {name} = 0;")
    with emitter.block(""):
        emitter.line(f"{integers}{lanes} check = 0;")
        for loop, value in loops:
            # By their bits: sums would wait for one another.
            bits = f"as_{integers}{lanes}({value}) & {exponent}"
            emitter.line(f"{loop} check |= ({bits}) == {exponent};")
        emitter.line(f"const {integers} *const lane = (const {integers} *)&check;")
        emitter.line(f"for (int i = 0; i < {lanes}; ++i) {name} |= lane[i] != 0;")

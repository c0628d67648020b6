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

from collections.abc import Iterable, Sequence

import attrs

from workbench.engine.backends.opencl.codegen.emitter import Emitter
from workbench.engine.graph.op import Movement
from workbench.engine.lower.node import Load, Node

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

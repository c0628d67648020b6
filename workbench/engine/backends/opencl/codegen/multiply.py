"""The innermost loop of products, as a function: a few packed rows by one packed panel.

Responsible for the text of that function; knows nothing of how operands are packed, nor of what
becomes of the sums.

It stands apart from the kernel so that it is compiled once, though PoCL makes three copies of every
kernel, and so that it can ask for vectors that the compiler leaves unused elsewhere.
"""

from __future__ import annotations

from typing import Literal

import attrs

from workbench.engine.graph.types import C_TYPES

#: Which columns of A meet the rows of the panel: all, one after the other; those in a list of
#: work-group memory, which are also the panel's rows; or those in a list of private memory, for
#: each row that the panel has.
Columns = Literal["all", "live", "kept"]

_LISTS = {
    "all": "",
    "live": "__local const ushort *const columns, ",
    "kept": "const int *const columns, ",
}
_STEPS = {
    "all": ("k * {across}", "k"),
    "live": ("columns[k] * {across}", "columns[k]"),
    "kept": ("columns[k] * {across}", "k"),
}


@attrs.frozen
class Multiply:
    """The function for some rows, as text.

    Parameters
    ----------
    dtype
        The type of the numbers.
    rows, vectors, lanes
        Rows of accumulators, vectors in each, and numbers in a vector.
    across, down
        How far apart the elements of a packed row of A are, and those of a packed column.
    columns
        Which columns of A are multiplied.
    space
        The address space of the panel. In ``__local`` memory its rows lie side by side; elsewhere
        the function is told how many vectors they are apart.
    attributes
        What the compiler is told of it.
    """

    dtype: str
    rows: int
    vectors: int
    lanes: int
    across: int
    down: int
    columns: Columns
    space: str
    attributes: str

    @property
    def vector(self) -> str:
        """The type of a vector."""
        return f"{C_TYPES[self.dtype]}{self.lanes}"

    @property
    def name(self) -> str:
        """What it is called: all that it depends on, so that equal names are equal functions."""
        cut = f"{self.rows}x{self.vectors}_{self.vector}_{self.across}_{self.down}"
        where = "" if self._is_copy else "_in_place"
        return f"multiply_{self.columns}_{cut}{where}"

    def call(self, a: str, b: str, apart: str, steps: str, columns: str, sums: str) -> str:
        """Return a statement that sets `sums` to what `steps` columns of A and rows of B make."""
        listed = "" if self.columns == "all" else f"{columns}, "
        distance = "" if self._is_copy else f"{apart}, "
        return f"{self.name}({a}, {b}, {distance}{steps}, {listed}{sums});"

    @property
    def _is_copy(self) -> bool:
        return self.space == "__local"

    @property
    def text(self) -> str:
        """The function."""
        ctype, vector = C_TYPES[self.dtype], self.vector
        places = (place.format(across=self.across) for place in _STEPS[self.columns])
        cells = [(i, v) for i in range(self.rows) for v in range(self.vectors)]
        column, row = places
        apart = str(self.vectors) if self._is_copy else "apart"
        lines = [
            # Named accumulators stay in registers where an array of them would not.
            *(f"  {vector} c{i}_{v} = 0;" for i, v in cells),
            "  for (int k = 0; k < steps; ++k) {",
            f"    __local const {ctype} *const y = a + {column};",
            f"    {self.space} const {vector} *const x = b + {row} * {apart};",
            *(f"    const {vector} x{v} = x[{v}];" for v in range(self.vectors)),
            *(f"    c{i}_{v} += y[{i * self.down}] * x{v};" for i, v in cells),
            "  }",
            *(f"  sums[{i * self.vectors + v}] = c{i}_{v};" for i, v in cells),
        ]
        parameters = (
            f"__local const {ctype} *const a, {self.space} const {vector} *const b, "
            f"{'' if self._is_copy else 'const int apart, '}const int steps, "
            f"{_LISTS[self.columns]}{vector} *const sums"
        )
        head = f"__attribute__(({self.attributes}))\nvoid {self.name}({parameters}) {{"
        return "\n".join([head, *lines, "}", ""])

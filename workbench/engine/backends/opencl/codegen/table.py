"""Tables of where elements lie along a short loop, found before the longer loop around it.

Responsible for deciding which parts of an address they hold; knows nothing of how they are written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from workbench.engine.backends.opencl.codegen.index import Atom

#: What an address calls in order to round downwards.
_DIVISIONS = {"wb_index_div", "wb_index_mod"}

#: A part of an address, and by how much it is multiplied.
Term = tuple[Atom, int]


@attrs.frozen
class Table:
    """Parts of addresses that depend on a short loop alone.

    Divisions by constants are cheap once and dear in the innermost loop, where compilers compute
    them anew for each turn of the loop around it.

    Parameters
    ----------
    counter
        The short loop's counter.
    start, end
        Where it begins, and what it does not reach.
    size
        How often it runs at most.
    depth
        The loop level outside of both loops.
    names
        The name of the array that holds an expression.
    """

    counter: str
    start: str
    end: str
    size: int
    depth: int
    names: dict[str, str] = attrs.Factory(dict)

    def held(self, terms: Sequence[Term]) -> list[Term]:
        """Return the parts of an address that are worth holding: none without a division."""
        own = [term for term in terms if self._words(term[0]) == {self.counter}]
        return own if any(atom.divisor for atom, _ in own) else []

    def _words(self, atom: Atom) -> set[str]:
        return set(re.findall(r"[A-Za-z_]\w*", atom.text)) - _DIVISIONS

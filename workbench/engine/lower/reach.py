"""How the parts of an expression depend on the index at which it is evaluated.

Responsible for deciding what may be computed inside the loops of a step without being computed over
and over; knows nothing of steps themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from workbench.engine.graph.op import Cumulative, Generated, MatMul, Movement, Piecewise, Reduction
from workbench.engine.graph.ops.generated import Arange
from workbench.engine.lower.node import Literal, Node


@attrs.frozen
class Depends:
    """A stand-in for an index component that only remembers on which loops it depends.

    Loops of the output's index are numbered from 0; the loops of a reduction are negative and
    unique. `pure` holds while the component is exactly one loop's index.
    """

    loops: frozenset[int]
    pure: bool = False

    def _with(self, other: object) -> Depends:
        if isinstance(other, Depends):
            return Depends(self.loops | other.loops)
        return Depends(self.loops)

    def __add__(self, other: object) -> Depends:
        return self if other == 0 else self._with(other)

    __radd__ = __add__

    def __sub__(self, other: object) -> Depends:
        return self if other == 0 else self._with(other)

    def __rsub__(self, other: object) -> Depends:
        return self._with(other)

    def __mul__(self, other: object) -> Depends:
        if other == 0:
            return Depends(frozenset())
        return self if other == 1 else self._with(other)

    __rmul__ = __mul__

    def __floordiv__(self, other: object) -> Depends:
        return self if other == 1 else self._with(other)

    def __mod__(self, other: object) -> Depends:
        return Depends(frozenset()) if other == 1 else self._with(other)

    def __rfloordiv__(self, other: object) -> Depends:
        return self._with(other)

    def __rmod__(self, other: object) -> Depends:
        return self._with(other)


Index = tuple[Depends, ...]

#: The reductions around an evaluation, outermost first, each with its loops.
Inside = tuple[tuple[Node, frozenset[int]], ...]

#: Called for each visit with the node, the index at which it is evaluated, and what is around it.
Visit = Callable[[Node, Index, Inside], None]


def counts(node: Node) -> bool:
    """Whether each element of an integer node is its own index."""
    texts = [n.op.text for n in node.inputs if isinstance(n.op, Literal)]
    return isinstance(node.op, Arange) and texts == ["0", "1"]


def output_index(node: Node) -> Index:
    """Return the index of a step's own loops over `node`; loops of length 1 are no loops."""
    return tuple(
        Depends(frozenset({axis}), pure=True) if length != 1 else Depends(frozenset())
        for axis, length in enumerate(node.shape)
    )


def visit(root: Node, stop: Callable[[Node], bool], see: Visit) -> None:
    """Walk what is evaluated for one element of `root`, not going below what `stop` accepts.

    `root` itself is always entered. Each (node, index) is seen once.
    """
    seen: set[tuple[int, Index]] = set()
    fresh = iter(range(-1, -1_000_000, -1))

    stack: list[tuple[Node, Index, Inside]] = [(root, output_index(root), ())]
    while stack:
        node, index, inside = stack.pop()
        if (id(node), index) in seen:
            continue
        seen.add((id(node), index))
        see(node, index, inside)
        if node is root or not stop(node):
            stack += reversed(_inputs(node, index, inside, fresh))


def _inputs(
    node: Node, index: Index, inside: Inside, fresh: Iterator[int]
) -> list[tuple[Node, Index, Inside]]:
    found: list[tuple[Node, Index, Inside]] = []
    shapes = [n.shape for n in node.inputs]

    def read(position: int, at: tuple) -> Depends:  # type: ignore[type-arg]
        at = tuple(i if isinstance(i, Depends) else Depends(frozenset()) for i in at)
        if counts(node.inputs[position]):
            first: Depends = at[0]
            return first
        found.append((node.inputs[position], at, inside))
        return Depends(frozenset().union(*(i.loops for i in at)))

    op = node.op
    if isinstance(op, Movement):
        source = op.source_index(index, shapes, node.shape, read)
        found.append((node.inputs[0], _whole(source), inside))
    elif isinstance(op, Piecewise):
        for bounds, position, source in op.pieces(index, shapes, node.shape, read):
            del bounds
            found.append((node.inputs[position], _whole(source), inside))
    elif isinstance(op, Reduction):
        folded = _folded_index(node, index, fresh)
        own = frozenset().union(*(folded[axis].loops for axis in op.axes))
        found.append((node.inputs[0], folded, (*inside, (node, own))))
    elif isinstance(op, MatMul):
        a, b = node.inputs
        row, column = index
        inner = Depends(frozenset({next(fresh)}), pure=True)
        around = (*inside, (node, inner.loops))
        found += [(a, (row, inner), around), (b, (inner, column), around)]
    elif isinstance(op, Cumulative):
        along = Depends(frozenset({next(fresh)}), pure=True)
        found.append((node.inputs[0], (*index[: op.axis], along, *index[op.axis + 1 :]), inside))
    elif isinstance(op, Generated):
        found += [(child, (), inside) for child in node.inputs]
    else:
        found += [(child, index if child.ndim else (), inside) for child in node.inputs]
    return found


def _whole(index: tuple) -> Index:  # type: ignore[type-arg]
    return tuple(i if isinstance(i, Depends) else Depends(frozenset()) for i in index)


def _folded_index(node: Node, index: Index, fresh: Iterator[int]) -> Index:
    op = node.op
    assert isinstance(op, Reduction)
    (source,) = node.inputs
    outer = iter(index)
    folded: list[Depends] = []
    for axis in range(source.ndim):
        if axis in op.axes:
            if op.keepdims:
                next(outer)
            folded.append(Depends(frozenset({next(fresh)}), pure=True))
        else:
            folded.append(next(outer))
    return tuple(folded)

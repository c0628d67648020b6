"""Nodes: the expression once every shape is known, each distinct value once.

Responsible for the form that fusion works on; knows neither variables nor devices.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any, ClassVar

import attrs
import numpy as np

from workbench.engine.graph.op import Movement, Op, Read
from workbench.engine.graph.types import Shape, TensorType

#: In labels, what stands between an operation and the line of the program that made it.
LINE_OF = " at "


@attrs.frozen(eq=False)
class Node:
    """One value: an operation on other nodes, with its shape.

    Nodes are compared by identity; `Nodes` makes each distinct one once.

    Parameters
    ----------
    op
        What computes it; a `Leaf` for what is given.
    inputs
        The nodes that it is computed from (without the inputs that only decided its shape).
    shape, dtype
        Concrete shape and NumPy's dtype name.
    label
        Where it came from, for profiles and messages: a layer or a line. Not part of its identity.
    """

    op: Op
    inputs: tuple[Node, ...]
    shape: Shape
    dtype: str
    label: str = ""

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)


class Leaf(Op):
    """A value that a step is given instead of computing it."""

    def infer_type(self, *types: TensorType) -> TensorType:
        """Leaves are never applied to variables."""
        raise TypeError(f"{self.name} stands only in plans")


@attrs.frozen
class Load(Leaf):
    """The contents of a buffer of the plan, in C order."""

    name: ClassVar[str] = "load"
    buffer: int


@attrs.frozen
class Literal(Leaf):
    """A 0-d constant that is written into the kernel's text.

    `text` is ``repr`` of the Python number.
    """

    name: ClassVar[str] = "literal"
    text: str
    dtype: str

    @property
    def value(self) -> np.generic:
        """The number."""
        number = float(self.text) if "float" in self.dtype else int(self.text)
        value: np.generic = np.dtype(self.dtype).type(number)
        return value


@attrs.frozen
class HostScalar(Leaf):
    """A 0-d number that the host computes at each call and passes by value.

    An input, or arithmetic on inputs and sizes.
    """

    name: ClassVar[str] = "scalar"
    number: int


@attrs.frozen
class Stretch(Movement):
    """Axes of length 1 repeated and axes added on the left, as broadcasting does."""

    name: ClassVar[str] = "stretch"

    def source_index(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> tuple[Any, ...]:
        """Drop the added axes; stay at 0 on the repeated ones."""
        (source,) = shapes
        kept = index[len(shape) - len(source) :]
        return tuple(i * 0 if n == 1 else i for i, n in zip(kept, source, strict=True))

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Broadcast in NumPy."""
        return np.broadcast_to(arrays[0], shape)


class Nodes:
    """Makes nodes, each distinct one once (common subexpressions meet here)."""

    def __init__(self) -> None:
        self._known: dict[tuple[Op, tuple[int, ...], Shape, str], Node] = {}

    def make(
        self, op: Op, inputs: Iterable[Node], shape: Shape, dtype: str, label: str = ""
    ) -> Node:
        """Return the node for `op` on `inputs`, the earlier one if it has been made before."""
        inputs = tuple(inputs)
        key = (op, tuple(id(n) for n in inputs), shape, dtype)
        if key not in self._known:
            self._known[key] = Node(op, inputs, shape, dtype, label)
        return self._known[key]


def walk(roots: Iterable[Node], stop: Container[int] = ()) -> Iterator[Node]:
    """Yield every node below `roots`, inputs before what uses them, each once.

    What lies below the nodes whose ids are in `stop` is left out, they themselves are not.
    """
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            if id(node) not in stop:
                stack.extend((child, False) for child in reversed(node.inputs))

"""Plans: the frozen, device-independent list of kernels that an expression was lowered to.

Responsible for the form that backends run and golden tests read; knows neither how a plan is made
nor how a device runs it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Literal as OneOf

import attrs
import numpy as np

from workbench.engine.graph.types import Shape
from workbench.engine.lower.node import LINE_OF, HostScalar, Leaf, Literal, Load, Node, walk

Role = OneOf["input", "element", "shared", "constant", "temp", "output"]


@attrs.frozen
class Buffer:
    """One array on the device.

    Parameters
    ----------
    role
        ``input``: uploaded at each call. ``element``: that element of an input which stands at the
        place of the present turn. ``shared``: belongs to a shared variable. ``constant``:
        uploaded once. ``temp``: scratch; `storage` says with which other temps it shares memory.
        ``output``: a ring of results, one slot a call; every access, reading too, is to the slot of
        the present call.
    number
        Position among the function's inputs, shared variables, constants or outputs.
    storage
        For temps: the number of the allocation that it occupies; temps with equal numbers are never
        alive together.
    """

    id: int
    role: Role
    number: int
    shape: Shape
    dtype: str
    storage: int = -1

    @property
    def size_bytes(self) -> int:
        """Size of its contents (of one slot, for outputs)."""
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


@attrs.frozen(eq=False)
class Store:
    """A value that a step writes to a buffer of the same shape and dtype."""

    buffer: int
    value: Node


@attrs.frozen(eq=False)
class Loops:
    """A step that walks the index space `rows` in parallel, and the rest of each shape within.

    Every store's shape begins with `rows`; what follows (at most a few thousand elements) is walked
    serially by the same work-item. Reductions inside are serial loops of the work-item. A value
    that depends on the row alone is computed once a row: this is how a softmax with its loss and
    derivative is one kernel. A plain elementwise step has ``rows == shape``, and a plain reduction
    has ``rows == shape`` of its result.
    """

    stores: tuple[Store, ...]
    rows: Shape
    label: str = ""


@attrs.frozen(eq=False)
class Product:
    """A step that multiplies two matrices and stores expressions of the product.

    `product` is the node of the matrix product itself: inputs ``a`` (m, k) and ``b`` (k, n),
    expressions of leaves, movements and cheap elementwise operations that ride in the loads. Each
    store's value is an elementwise expression of shape (m, n) over `product` and leaves at the same
    index: bias, activation, mask, update.
    """

    product: Node
    stores: tuple[Store, ...]
    label: str = ""


@attrs.frozen(eq=False)
class Cumulate:
    """A step that folds one buffer along an axis and keeps every partial result.

    Every store has the same value: a `Cumulative` operation on a leaf.
    """

    stores: tuple[Store, ...]
    label: str = ""


@attrs.frozen(eq=False)
class Copy:
    """A step that copies one buffer to another of the same shape and dtype."""

    source: int
    target: int
    label: str = ""


@attrs.frozen(eq=False)
class Repeat:
    """A step that runs another plan again and again.

    Each turn has its place along the first axis of the sequences and of the outputs; the plan's
    shared buffers are what is carried from turn to turn.

    Parameters
    ----------
    count
        The number of turns.
    backwards
        Whether the last place comes first.
    plan
        What a turn does. Its outputs are rings of `count` slots, one for each place.
    scalars
        The values that it is passed.
    inputs
        The buffers behind its ``element`` and ``input`` buffers.
    initial
        The buffers that its ``shared`` buffers start as copies of.
    outputs
        The buffers behind its outputs.
    final
        Numbers of shared buffers that are wanted after the last turn, with buffers for them.
    """

    count: int
    backwards: bool
    plan: Plan
    scalars: tuple[np.generic, ...]
    inputs: tuple[int, ...]
    initial: tuple[int, ...]
    outputs: tuple[int, ...]
    final: tuple[tuple[int, int], ...]
    label: str = ""

    @property
    def places(self) -> Sequence[int]:
        """The place of each turn, in order."""
        return range(self.count)[:: -1 if self.backwards else 1]


Step = Loops | Product | Cumulate | Repeat | Copy


@attrs.frozen(eq=False)
class Plan:
    """What a backend needs to run a function at given shapes.

    Parameters
    ----------
    buffers
        Every array that the steps name, by position ``id``.
    constants
        Contents of the ``constant`` buffers, by `Buffer.number`.
    scalar_dtypes
        dtype of each host scalar, in the order in which their values are passed.
    steps
        In an order that is right when run one after the other.
    outputs
        Buffer id of each output of the function.
    """

    buffers: tuple[Buffer, ...]
    constants: tuple[np.ndarray, ...]
    scalar_dtypes: tuple[str, ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    @cached_property
    def text(self) -> str:
        """The plan as text, the same for equal plans: one paragraph a step."""
        return "\n".join(
            [
                *map(_buffer_text, self.buffers),
                *(_step_text(i, s, self.buffers) for i, s in enumerate(self.steps)),
            ]
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the text and the constants."""
        digest = hashlib.sha256(self.text.encode())
        for constant in self.constants:
            digest.update(constant.tobytes())
        for step in self.steps:
            if isinstance(step, Repeat):
                digest.update(step.plan.digest.encode())
        return digest.hexdigest()


def expression(root: Node, names: dict[int, str], buffers: Sequence[Buffer]) -> list[str]:
    """Return one line for each computed node below `root` that has no name yet.

    `names` (id of node -> name) receives its name. A buffer read under another shape says which.
    """
    lines = []
    for node in walk([root]):
        if id(node) in names:
            continue
        if isinstance(node.op, Load):
            same = node.shape == buffers[node.op.buffer].shape
            names[id(node)] = f"b{node.op.buffer}" + ("" if same else str(list(node.shape)))
        elif isinstance(node.op, HostScalar):
            names[id(node)] = f"s{node.op.number}"
        elif isinstance(node.op, Literal):
            names[id(node)] = node.op.text
        else:
            names[id(node)] = f"v{sum(n.startswith('v') for n in names.values())}"
            arguments = ", ".join(names[id(n)] for n in node.inputs)
            result = f"{node.dtype}{list(node.shape)}"
            lines.append(f"  {names[id(node)]} = {op_text(node)}({arguments}): {result}")
    return lines


def op_text(node: Node) -> str:
    """Return the operation with its parameters, as plans write it."""
    op = node.op
    kind: type = type(op)
    if not attrs.has(kind) or isinstance(op, Leaf):
        return op.name
    fields = {a.name: getattr(op, a.name) for a in attrs.fields(kind) if a.eq and a.name != "name"}
    inside = ", ".join(f"{key}={value}" for key, value in fields.items())
    return f"{op.name}[{inside}]" if inside else op.name


def _buffer_text(buffer: Buffer) -> str:
    where = f" at {buffer.storage}" if buffer.role == "temp" else f" {buffer.number}"
    return f"b{buffer.id}: {buffer.role}{where} {buffer.dtype}{list(buffer.shape)}"


def _step_text(number: int, step: Step, buffers: Sequence[Buffer]) -> str:
    if isinstance(step, Copy):
        return f"step {number}: copy b{step.source} -> b{step.target}"
    if isinstance(step, Repeat):
        return _repeat_text(number, step)
    names: dict[int, str] = {}
    if isinstance(step, Product):
        head = f"step {number}: product {list(step.product.shape)}"
        lines = expression(step.product, names, buffers)
    elif isinstance(step, Cumulate):
        head = f"step {number}: cumulate {list(step.stores[0].value.shape)}"
        lines = []
    else:
        head = f"step {number}: loops over {list(step.rows)}"
        lines = []
    for store in step.stores:
        lines += expression(store.value, names, buffers)
        lines.append(f"  b{store.buffer} <- {names[id(store.value)]}")
    # Not by which line it was made: equal plans have equal texts.
    label = step.label.partition(LINE_OF)[0]
    return "\n".join([f"{head}  # {label}" if label else head, *lines])


def _repeat_text(number: int, step: Repeat) -> str:
    given = [f"  in {i} is b{b}" for i, b in enumerate(step.inputs)]
    given += [f"  state {i} starts as b{b}" for i, b in enumerate(step.initial)]
    given += [f"  scalar {i} is {value}" for i, value in enumerate(step.scalars)]
    taken = [f"  b{b} <- output {i}" for i, b in enumerate(step.outputs)]
    taken += [f"  b{b} <- state {i}" for i, b in step.final]
    order = ", the last place first" if step.backwards else ""
    inside = [f"  | {line}" for line in step.plan.text.splitlines()]
    return "\n".join([f"step {number}: {step.count} turns{order}", *given, *inside, *taken])

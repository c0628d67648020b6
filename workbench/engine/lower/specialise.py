"""From variables to nodes: every shape concrete, each distinct value made once.

Responsible for leaves, explicit broadcasting and host scalars; knows nothing of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np

from workbench.engine.graph.loop import Loop
from workbench.engine.graph.op import Elementwise, Length, Movement
from workbench.engine.graph.types import Shape
from workbench.engine.graph.variable import Apply, Constant, Variable
from workbench.engine.lower.node import LINE_OF, HostScalar, Literal, Load, Node, Nodes, Stretch
from workbench.engine.lower.plan import Buffer, Role
from workbench.engine.lower.reach import counts
from workbench.engine.lower.shapes import HostVariables, Shaped
from workbench.engine.lower.simplify import make
from workbench.engine.lower.turns import Kept, Turns


@attrs.define
class Specialised:
    """Nodes of an expression and the leaves that they hang on.

    Parameters
    ----------
    nodes
        The maker of further nodes.
    of
        Node of each variable, by `Variable.serial`.
    buffers
        Input, shared and constant buffers so far; lowering adds outputs and temps.
    constants
        Contents of the constant buffers.
    scalars
        The variables whose host values are passed by value, in order.
    host_classes
        A number for each host variable, by `Variable.serial`; equal for the same arithmetic.
    """

    nodes: Nodes = attrs.Factory(Nodes)
    of: dict[int, Node] = attrs.Factory(dict)
    buffers: list[Buffer] = attrs.Factory(list)
    constants: list[np.ndarray] = attrs.Factory(list)
    scalars: list[Variable] = attrs.Factory(list)
    host_classes: dict[int, int] = attrs.Factory(dict)
    _scalar_numbers: dict[int, int] = attrs.Factory(dict)

    def scalar(self, variable: Variable) -> Node:
        """Return the node for a number that the host computes; equal arithmetic is one scalar."""
        host_class = self.host_classes[variable.serial]
        if host_class not in self._scalar_numbers:
            self._scalar_numbers[host_class] = len(self.scalars)
            self.scalars.append(variable)
        number = self._scalar_numbers[host_class]
        return self.nodes.make(HostScalar(number), (), (), variable.dtype, _label(variable))

    def buffer(self, role: Role, number: int, shape: Shape, dtype: str) -> Buffer:
        """Add a buffer and return it."""
        made = Buffer(len(self.buffers), role, number, shape, dtype)
        self.buffers.append(made)
        return made

    def load(self, buffer: Buffer, label: str = "") -> Node:
        """Return the node that stands for a buffer's contents."""
        return self.nodes.make(Load(buffer.id), (), buffer.shape, buffer.dtype, label)


def specialise(
    host: HostVariables,
    shaped: Shaped,
    inputs: Sequence[Variable],
    shared: Sequence[Variable],
    roots: Sequence[Variable],
    elements: int = 0,
) -> Specialised:
    """Return the nodes for `roots` at the shapes of one call.

    Parameters
    ----------
    inputs, shared
        The array inputs and the shared variables, in the order of their buffers.
    elements
        How many inputs, the first ones, are elements of what is walked along.
    """
    made = Specialised(host_classes=_host_classes(host, shaped))
    for number, variable in enumerate(inputs):
        role: Role = "element" if number < elements else "input"
        buffer = made.buffer(role, number, shaped.shapes[variable.serial], variable.dtype)
        made.of[variable.serial] = made.load(buffer, variable.name or "")
    for number, variable in enumerate(shared):
        buffer = made.buffer("shared", number, shaped.shapes[variable.serial], variable.dtype)
        made.of[variable.serial] = made.load(buffer, variable.name or "")
    for variable in _device_order(host, roots):
        if variable.serial not in made.of:
            made.of[variable.serial] = _node(made, host, shaped, variable)
    return made


def _device_order(host: HostVariables, roots: Sequence[Variable]) -> list[Variable]:
    """Return the variables that need nodes: not what is below a host scalar or decides shapes."""
    needed = {v.serial for v in roots}
    for variable in reversed(host.order):
        owner = variable.owner
        if variable.serial in needed and variable.serial not in host.host and owner is not None:
            shape_inputs = owner.op.shape_inputs
            needed.update(v.serial for i, v in enumerate(owner.inputs) if i not in shape_inputs)
    return [v for v in host.order if v.serial in needed]


def _node(made: Specialised, host: HostVariables, shaped: Shaped, variable: Variable) -> Node:
    label = _label(variable)
    if isinstance(variable, Constant):
        return _constant(made, variable)
    if variable.serial in host.host:
        return made.scalar(variable)
    owner = variable.owner
    assert owner is not None
    shape = shaped.shapes[variable.serial]
    if isinstance(owner.op, Loop):
        return _turns(made, shaped, owner, label)
    given = [
        made.of[v.serial] for i, v in enumerate(owner.inputs) if i not in owner.op.shape_inputs
    ]
    if _counts_within(owner, given, shaped, host):
        return given[0]
    if isinstance(owner.op, Elementwise):
        given = [_stretched(made, node, shape) for node in given]
    return make(made.nodes, owner.op, given, shape, variable.dtype, label)


def _counts_within(
    owner: Apply, given: Sequence[Node], shaped: Shaped, host: HostVariables
) -> bool:
    """Whether an index counts rows that are there, so that there is nothing to wrap or limit.

    Lengths that decide shapes are the same in every run of a plan.
    """
    if owner.op.name != "wrap_index" or not counts(given[0]):
        return False
    length = owner.inputs[1]
    if isinstance(length, Constant):
        return given[0].size <= int(length.value)
    decides = any(length is variable for variable in host.sizes)
    known = length.owner is not None and isinstance(length.owner.op, Length)
    return (known or decides) and given[0].size <= int(shaped.values[length.serial])


def _turns(made: Specialised, shaped: Shaped, owner: Apply, label: str) -> Node:
    """Return the node of a loop's result; what the loop runs on is in memory as a whole."""
    loop, output = owner.op, owner.output
    assert isinstance(loop, Loop)
    count, *sizes = (int(shaped.values[owner.inputs[i].serial]) for i in loop.shape_inputs)
    deciding = tuple(sizes[len(sizes) - len(loop.body.deciding) :])
    given = []
    for variable in owner.inputs[: len(loop.body.variables)]:
        node = made.of[variable.serial]
        whole = isinstance(node.op, Load) and made.buffers[node.op.buffer].role != "element"
        if not node.inputs and not whole:
            node = made.nodes.make(Kept(), (node,), node.shape, node.dtype, node.label)
        given.append(node)
    op = Turns(loop.body, loop.kind, loop.number, count, deciding)
    return made.nodes.make(op, given, shaped.shapes[output.serial], output.dtype, label)


def _host_classes(host: HostVariables, shaped: Shaped) -> dict[int, int]:
    """Return a number for each host variable, the same for the same arithmetic."""
    known: dict[object, int] = {}
    classes: dict[int, int] = {}
    for variable in host.order:
        if variable.serial in host.host:
            key = _host_key(variable, shaped, classes)
            classes[variable.serial] = known.setdefault(key, len(known))
    return classes


def _host_key(variable: Variable, shaped: Shaped, classes: dict[int, int]) -> object:
    """Return what makes two host computations the same one, given the classes of their inputs."""
    if isinstance(variable, Constant):
        return (variable.value.tobytes(), variable.dtype)
    owner = variable.owner
    if owner is None:
        return ("input", variable.serial)
    if isinstance(owner.op, Length):
        # Within one plan all shapes are fixed, so a length is its value.
        return ("length", int(shaped.values[variable.serial]))
    return (owner.op, tuple(classes[v.serial] for v in owner.inputs))


def _label(variable: Variable) -> str:
    origin, name = variable.origin, variable.owner.op.name if variable.owner else ""
    if origin.layer is not None:
        return f"{name} in layer {origin.layer + 1} {origin.name}"
    # Programs are named; what starts the workbench is not.
    file = Path(origin.file).name
    return f"{name}{LINE_OF}{file}, line {origin.line}" if file.endswith(".py") else name


def _constant(made: Specialised, variable: Constant) -> Node:
    value = variable.value
    if value.ndim == 0:
        # float.__repr__ gives the shortest digits that read back as the same float64, and so as the
        # same float32.
        text = repr(float(value)) if variable.type.is_float else str(int(value))
        return made.nodes.make(Literal(text, variable.dtype), (), (), variable.dtype)
    made.constants.append(np.ascontiguousarray(value))
    return made.load(made.buffer("constant", len(made.constants) - 1, value.shape, variable.dtype))


def _stretched(made: Specialised, node: Node, shape: Shape) -> Node:
    """Return `node` with explicit broadcasting; a single number stays or becomes 0-d."""
    single = node
    while isinstance(single.op, Movement) and single.inputs[0].size == 1 and single.size == 1:
        single = single.inputs[0]
        if single.ndim == 0:
            return single
    if node.ndim == 0 or node.shape == shape:
        return node
    return make(made.nodes, Stretch(), (node,), shape, node.dtype, node.label)

"""The shape pass: every shape of an expression, and the numbers that the host computes for it.

Responsible for what follows from input shapes and 0-d inputs alone; knows nothing of fusion or
devices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.op import Elementwise, Length
from workbench.engine.graph.traversal import output_shape, output_value, topological
from workbench.engine.graph.types import Shape
from workbench.engine.graph.variable import Constant, SharedVariable, Variable


@attrs.frozen(eq=False)
class HostVariables:
    """Which variables the host computes: 0-d arithmetic on 0-d inputs, constants and lengths.

    Parameters
    ----------
    order
        All variables of the expression, inputs before what uses them.
    host
        Serial numbers of the variables that the host computes.
    sizes
        The variables whose values decide shapes.
    varying
        The host's arithmetic on 0-d inputs, in order: what another call of the same shapes changes.
    """

    order: tuple[Variable, ...]
    host: frozenset[int]
    sizes: tuple[Variable, ...]
    varying: tuple[Variable, ...]


@attrs.frozen(eq=False)
class Shaped:
    """What one call's shapes and scalars determine, by `Variable.serial`."""

    shapes: dict[int, Shape]
    values: dict[int, Any]

    def sizes(self, host: HostVariables) -> tuple[int, ...]:
        """Return the values that decide shapes; with the input shapes they are a plan's key."""
        return tuple(int(self.values[v.serial]) for v in host.sizes)


def find_host_variables(roots: Sequence[Variable], scalars: Sequence[Variable]) -> HostVariables:
    """Return which variables below `roots` the host computes, given the 0-d inputs `scalars`.

    Raises
    ------
    GraphError
        A shape depends on a value that only the device knows.
    """
    order = topological(roots)
    host = {v.serial for v in scalars}
    sizes: list[Variable] = []
    for variable in order:
        if variable.ndim == 0 and _is_host(variable, host):
            host.add(variable.serial)
        if variable.owner is not None:
            for position in variable.owner.op.shape_inputs:
                size = variable.owner.inputs[position]
                if size.serial not in host:
                    raise GraphError(
                        f"The shape of {variable.describe()} depends on {size.describe()}, "
                        "which only the device knows.",
                        "Shapes may depend on shapes, constants and 0-d inputs.",
                    )
                sizes.append(size)
    varying: dict[int, Variable] = {v.serial: v for v in scalars}
    for variable in order:
        inputs = variable.owner.inputs if variable.owner is not None else ()
        if variable.serial in host and any(v.serial in varying for v in inputs):
            varying[variable.serial] = variable
    arithmetic = tuple(v for v in varying.values() if v.owner is not None)
    return HostVariables(tuple(order), frozenset(host), tuple(dict.fromkeys(sizes)), arithmetic)


def _is_host(variable: Variable, host: set[int]) -> bool:
    if isinstance(variable, Constant):
        return True
    owner = variable.owner
    if owner is None:
        return False
    if isinstance(owner.op, Length):
        return True
    return isinstance(owner.op, Elementwise) and all(v.serial in host for v in owner.inputs)


def shape_pass(
    host: HostVariables, shapes: Mapping[int, Shape], scalars: Mapping[int, np.generic]
) -> Shaped:
    """Return all shapes and host values, given the inputs' shapes and the 0-d inputs' values.

    Raises
    ------
    GraphError
        Lengths that must be equal are not.
    """
    found: dict[int, Shape] = dict(shapes)
    values: dict[int, Any] = dict(scalars)
    for variable in host.order:
        key, owner = variable.serial, variable.owner
        if isinstance(variable, Constant):
            found[key] = variable.value.shape
            if variable.ndim == 0:
                values[key] = variable.value[()]
        elif isinstance(variable, SharedVariable):
            found.setdefault(key, variable.storage.shape)
        elif owner is not None:
            _infer(variable, host, found, values)
        elif key in values:
            found[key] = ()
        elif key not in found:
            raise GraphError(
                f"No value is given for {variable.describe()}.", "Add it to inputs or givens."
            )
    return Shaped(found, values)


def _infer(
    variable: Variable, host: HostVariables, shapes: dict[int, Shape], values: dict[int, Any]
) -> None:
    owner = variable.owner
    assert owner is not None
    op = owner.op
    given = [v for i, v in enumerate(owner.inputs) if i not in op.shape_inputs]
    input_shapes = [shapes[v.serial] for v in given]
    sizes = [int(values[owner.inputs[i].serial]) for i in op.shape_inputs]
    shapes[variable.serial] = output_shape(owner, input_shapes, sizes)
    if variable.serial not in host.host:
        return
    with np.errstate(all="ignore"):
        if isinstance(op, Length):
            # A length is computed from a shape, never from the numbers.
            arrays = [np.broadcast_to(np.zeros((), dtype=v.dtype), shapes[v.serial]) for v in given]
            values[variable.serial] = np.asarray(op.reference(arrays, ()), variable.dtype)[()]
        else:
            values[variable.serial] = _host_value(variable, values)


def _host_value(variable: Variable, values: Mapping[int, Any]) -> Any:
    owner = variable.owner
    assert owner is not None
    arrays = [np.asarray(values[v.serial]) for v in owner.inputs]
    return np.asarray(output_value(owner, arrays, ()), variable.dtype)[()]


def with_scalars(host: HostVariables, shaped: Shaped, scalars: Mapping[int, Any]) -> Shaped | None:
    """Return what other 0-d inputs determine, or None where they change a shape.

    Shapes follow from the inputs' shapes and from sizes. In the expression's order a size comes
    before every length that depends on it, so no value is computed from a length that is no more.
    """
    sizes = {v.serial for v in host.sizes}
    values = {**shaped.values, **scalars}
    if any(values[key] != shaped.values[key] for key in scalars.keys() & sizes):
        return None
    with np.errstate(all="ignore"):
        for variable in host.varying:
            key = variable.serial
            values[key] = _host_value(variable, values)
            if key in sizes and values[key] != shaped.values[key]:
                return None
    return Shaped(shaped.shapes, values)

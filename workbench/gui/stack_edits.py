"""What can be done to a stack of layers: each edit gives a new state and its name.

Responsible for those functions; knows no widget.
"""

from __future__ import annotations

from typing import Any

import attrs

from workbench.gui.forms.values import make
from workbench.gui.state import DocumentState
from workbench.nn.shapes import walk
from workbench.spec.library import find_network
from workbench.spec.registries import LAYERS

#: A new state and what the edit is called: "Add dense".
Edit = tuple[DocumentState, str]


def stack_is_valid(state: DocumentState) -> bool:
    """Return whether every layer fits on what is beneath it, so that the stack can be trained."""
    return all(step.error is None for step in walk(state.network))


def add(state: DocumentState, index: int, layer: Any) -> Edit:
    """Put a layer at `index`, before the one that is there."""
    layers = state.network.layers
    return _with_layers(state, (*layers[:index], layer, *layers[index:])), f"Add {_name(layer)}"


def remove(state: DocumentState, index: int) -> Edit:
    """Take a layer away; one that is the only one stays, see `can_remove`."""
    layers = state.network.layers
    return (
        _with_layers(state, layers[:index] + layers[index + 1 :]),
        f"Remove {_name(layers[index])}",
    )


def can_remove(state: DocumentState) -> bool:
    """Return whether a layer can go: a network has at least one."""
    return len(state.network.layers) > 1


def duplicate(state: DocumentState, index: int) -> Edit:
    """Put a second one like it behind a layer."""
    layer = state.network.layers[index]
    return add(state, index + 1, layer)[0], f"Duplicate {_name(layer)}"


def move(state: DocumentState, index: int, target: int) -> Edit:
    """Take a layer out and put it back so that it is number `target`, from 0."""
    layers = list(state.network.layers)
    layer = layers.pop(index)
    layers.insert(target, layer)
    way = "up" if target < index else "down"
    return _with_layers(state, tuple(layers)), f"Move {_name(layer)} {way}"


def set_layer(state: DocumentState, index: int, layer: Any, field: str) -> Edit:
    """Put a layer in the place of another, of which one field was changed."""
    layers = state.network.layers
    return _with_layers(state, (*layers[:index], layer, *layers[index + 1 :])), f"Set {field}"


def load_starter(state: DocumentState, name: str) -> Edit:
    """Take a network that comes along instead of the present one."""
    return attrs.evolve(state, network=find_network(name)), f"Load {name}"


def begin_anew(state: DocumentState, name: str) -> Edit:
    """Begin with one dense layer of ten units, to build on. The input stays as it is."""
    return _with_layers(state, (make(LAYERS["dense"]),)), f"Load {name}"


def _with_layers(state: DocumentState, layers: tuple[Any, ...]) -> DocumentState:
    return attrs.evolve(state, network=attrs.evolve(state.network, layers=layers))


def _name(layer: Any) -> str:
    return LAYERS.name_of(layer)

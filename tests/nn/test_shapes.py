"""The walk through a network: shapes, counts, and errors in place."""

from __future__ import annotations

import pytest

from workbench.core.errors import SpecError
from workbench.nn.initializers import Constant
from workbench.nn.layers.base import Layer
from workbench.nn.layers.dense import Dense
from workbench.nn.shapes import check, parameters_of, walk
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS


def _stack(*layers: Layer, shape: tuple[int, ...] = (1, 28, 28)) -> NetworkSpec:
    return NetworkSpec(shape, layers)


def test_each_layer_shows_its_shape_and_count() -> None:
    """A dense layer flattens; an activation keeps the shape and has no parameters."""
    relu = LAYERS["relu"]()
    found = walk(_stack(relu, Dense(256), relu, Dense(10, bias=False)))
    assert [step.out_shape for step in found] == [(1, 28, 28), (256,), (256,), (10,)]
    assert [step.parameter_count for step in found] == [0, 784 * 256 + 256, 0, 2560]
    assert all(step.error is None for step in found)


def test_another_input_shape_may_be_tried() -> None:
    """The data's shape instead of the network's own."""
    (found,) = walk(_stack(Dense(2)), (5,))
    assert found.parameter_count == 12


def test_parameters_are_keyed_in_the_layers_order() -> None:
    """By the layer's index from 0 and the layer's own name for it."""
    declared = parameters_of(_stack(Dense(20), LAYERS["tanh"](), Dense(10, bias=False)))
    assert {key: param.shape for key, param in declared.items()} == {
        "0.weight": (784, 20),
        "0.bias": (20,),
        "2.weight": (20, 10),
    }
    assert list(declared) == ["0.weight", "0.bias", "2.weight"]


def test_a_layer_that_no_machine_holds_is_refused() -> None:
    """Before a byte is allocated."""
    with pytest.raises(SpecError, match=r"layer 1 \(dense\): 785,000,000 parameters are too many"):
        check(_stack(Dense(1_000_000)))


def test_an_error_stands_at_its_layer() -> None:
    """Before it all is known, behind it nothing; `check` raises it with the layer's index."""
    wrong = Dense(3, init=Constant((1.0, 2.0)))
    network = _stack(Dense(2), wrong, Dense(4), shape=(4,))
    first, second, third = walk(network)
    assert (first.out_shape, first.error) == ((2,), None)
    assert second.out_shape is None
    assert str(second.error).startswith("layer 2 (dense): init: 2 values cannot fill 6 weights.")
    assert (third.out_shape, third.error, third.parameter_count) == (None, None, 0)
    with pytest.raises(SpecError, match=r"^layer 2 \(dense\)") as caught:
        check(network)
    assert caught.value.layer == 1

"""Default updates of shared variables: what a function does to those that it depends on."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.errors import GraphError
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import function
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import SharedVariable, Variable, shared

device = ReferenceDevice()


def counter(start: int = 0) -> SharedVariable:
    made = shared(np.int64(start), "counter")
    made.default_update = made + 1
    return made


def test_it_takes_effect_after_every_call_that_depends_on_the_variable() -> None:
    a, b = counter(), counter(10)
    f = function([], a * 2, device=device)
    assert [int(f()) for _ in range(3)] == [0, 2, 4]
    assert (a.get_value(), b.get_value()) == (3, 10)


def test_an_explicit_update_takes_its_place() -> None:
    a = counter()
    f = function([], a * 2, updates=[(a, a + 5)], device=device)
    assert [int(f()) for _ in range(3)] == [0, 10, 20]


def test_it_is_found_in_the_updates_of_others_and_in_default_updates() -> None:
    a, b, c = counter(), shared(np.int64(0), "b"), shared(np.int64(0), "c")
    a.default_update = a + b
    b.default_update = b + 1
    function([], None, updates=[(c, c + a)], device=device)()
    assert (a.get_value(), b.get_value(), c.get_value()) == (0, 1, 0)


def test_it_can_be_left_out() -> None:
    a, b = counter(), counter()
    function([], a + b, no_default_updates=True, device=device)()
    assert (a.get_value(), b.get_value()) == (0, 0)
    function([], a + b, no_default_updates=[a], device=device)()
    assert (a.get_value(), b.get_value()) == (0, 1)


def test_a_variable_that_givens_replace_is_not_updated_and_updates_see_givens() -> None:
    a, b, x = counter(), shared(np.int64(0), "b"), Variable(TensorType("int64"), name="x")
    b.default_update = b + a
    f = function([x], b * 1, givens=[(a, x)], device=device)
    assert [int(f(3)) for _ in range(3)] == [0, 3, 6]
    assert a.get_value() == 0


def test_one_of_another_type_is_refused() -> None:
    a = counter()
    a.default_update = a * 0.5
    with pytest.raises(GraphError, match="The update of counter"):
        function([], a * 2, device=device)

"""Arithmetic and bytes of steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import function
from workbench.engine.graph.scan import scan
from workbench.engine.graph.variable import SharedVariable, Variable, shared
from workbench.engine.lower.cost import Cost, cost
from workbench.engine.lower.plan import Copy, Plan, Repeat
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it


def plan_of(outputs: Any, updates: Any = ()) -> Plan:
    f = function([], outputs, updates=updates, device=ReferenceDevice())
    f.prepare()
    (plan,) = f.plans
    return plan


def costs(outputs: Any, updates: Any = ()) -> list[Cost]:
    plan = plan_of(outputs, updates)
    return [cost(step, plan) for step in plan.steps]


def floats(*shape: int, dtype: str = "float32") -> SharedVariable:
    return shared(np.ones(shape, dtype))


def test_elementwise_operations_count_once_an_element() -> None:
    x, y = floats(6, 7), floats(6, 7)
    assert costs(x * y + y) == [Cost(2 * 42, 3 * 42 * 4)]


def test_products_count_additions_and_multiplications() -> None:
    (found,) = costs(T.dot(floats(30, 40), floats(40, 50)))
    assert found.flops == 2 * 30 * 40 * 50
    assert found.size_bytes == 4 * (30 * 40 + 40 * 50 + 30 * 50)


def test_what_rides_in_a_product_counts_with_it() -> None:
    images, weight, bias = shared(np.ones((30, 40), np.uint8)), floats(40, 50), floats(50)
    scaled = images.astype("float32") * 0.5
    (found,) = costs(T.tanh(T.dot(scaled, weight) + bias))
    # Casts and scales of the bytes, the product, the bias and tanh.
    assert found.flops == 2 * 30 * 40 + 2 * 30 * 40 * 50 + 2 * 30 * 50
    # The images are read as bytes.
    assert found.size_bytes == 30 * 40 + 4 * (40 * 50 + 50 + 30 * 50)


def test_sums_count_what_they_add_up() -> None:
    total = sum(c.flops for c in costs(T.sum(floats(9, 11), axis=0)))
    assert total == 99


def test_a_gather_reads_the_rows_that_it_takes() -> None:
    x: Variable = floats(1000, 8)
    rows = shared(np.array([3, 1, 4], np.int64))
    (found,) = costs(x[rows])
    assert found.size_bytes == 3 * 8 * 4 + 3 * 8 + 3 * 8 * 4


def test_a_slice_reads_what_it_keeps_and_a_broadcast_what_there_is() -> None:
    x = floats(1000, 8)
    (found,) = costs(x[10:20] + floats(8))
    assert found == Cost(80, 4 * (80 + 8 + 80))


def test_what_is_read_twice_counts_once() -> None:
    x = floats(5, 5)
    (found,) = costs(x * x.T)
    assert found.size_bytes == 2 * 25 * 4


def test_a_copy_is_read_and_written() -> None:
    a, b = floats(10), floats(10)
    plan = plan_of([], [(a, b), (b, a)])
    copies = [step for step in plan.steps if isinstance(step, Copy)]
    assert copies
    assert [cost(step, plan) for step in copies] == [Cost(0, 80)] * len(copies)


@pytest.mark.parametrize("turns", [1, 6])
def test_turns_count_each(turns: int) -> None:
    values = floats(turns, 100)
    states, _ = scan(lambda x, s: T.tanh(s + x), sequences=[values], outputs_info=[floats(100)])
    plan = plan_of(states)
    (found,) = [cost(step, plan) for step in plan.steps if isinstance(step, Repeat)]
    assert found.flops == turns * 200

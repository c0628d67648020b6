"""Random expressions: lowered, fused and run on a device, they give what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.function import function
from workbench.engine.graph.evaluate import evaluate

EXAMPLES = 100


def _strategies() -> ModuleType:
    """Return the test of lowering that draws the expressions."""
    path = Path(__file__).parents[1] / "engine" / "lower" / "test_random_graphs.py"
    spec = importlib.util.spec_from_file_location("random_graphs_of_lowering", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(case: Any, device: OpenCLDevice) -> None:
    """Assert that the device gives what the expression as written gives, call by call."""
    start = [v.get_value() for v in case.shared]
    roots = [*case.outputs, *(new for _, new in case.updates)]
    run = function(
        case.inputs,
        case.outputs,
        case.updates,
        device=device,
        slots=len(case.calls),
        on_unused_input="ignore",
    )
    for call in case.calls:
        run.enqueue(*call)
    found = run.collect()
    state = dict(zip(case.shared, start, strict=True))
    for number, call in enumerate(case.calls):
        values = evaluate(roots, {**state, **dict(zip(case.inputs, call, strict=True))})
        state.update(zip((s for s, _ in case.updates), values[len(case.outputs) :], strict=True))
        for output, value in zip(found, values, strict=False):
            np.testing.assert_allclose(output[number], value, rtol=1e-9, atol=1e-9)
    for variable in case.shared:
        np.testing.assert_allclose(variable.get_value(), state[variable], rtol=1e-9, atol=1e-9)


@pytest.mark.timeout(600)
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(case=_strategies().cases())
def test_random_graphs_give_what_they_say(device: OpenCLDevice, case: Any) -> None:
    if not device.info.float64:
        pytest.skip(f"{device.info.id} does not compute in float64")
    check(case, device)

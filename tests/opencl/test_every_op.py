"""Every operation of the registry on every device: no operation is named here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import function
from workbench.engine.graph.examples import examples
from workbench.engine.graph.op import MatMul
from workbench.engine.graph.ops.registry import OPS
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.variable import Variable

FLOATS = ("float32", "float64")
#: Both precisions, an integer dtype that wraps around soon, one that is wide, and bool.
DTYPES = (*FLOATS, "uint8", "int64", "bool")
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}


def compare(name: str, dtypes: Sequence[str], device: OpenCLDevice) -> None:
    """Run all examples of an operation as one function, so that one program holds its kernels."""
    cases: list[str] = []
    inputs: list[Variable] = []
    outputs: list[Variable] = []
    arrays: list[np.ndarray] = []
    for dtype in dtypes if device.info.float64 else dtypes[:1]:
        found = examples(name, dtype)
        # Shapes are no matter of dtypes: beyond floats every third will do, and the last one, which
        # tries exact values.
        for example in found if dtype in FLOATS else [*found[:-1:3], *found[-1:]]:
            variables = example.inputs()
            cases.append(example.name)
            inputs += variables
            outputs.append(example.build(*variables))
            arrays += example.arrays
    expected, results = (
        function(inputs, outputs, device=on, on_unused_input="ignore")(*arrays)
        for on in (ReferenceDevice(), device)
    )
    for case, found, wanted in zip(cases, results, expected, strict=True):
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), case
        tolerance = TOLERANCE.get(found.dtype.name, 0)
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance / 2, err_msg=case)


def has_examples(name: str) -> bool:
    return any(examples(name, dtype) for dtype in DTYPES)


def multiplies(name: str) -> bool:
    built = (example.build(*example.inputs()) for example in examples(name, "float32"))
    return any(v.owner and isinstance(v.owner.op, MatMul) for v in topological(list(built)))


@pytest.mark.parametrize("name", [*filter(has_examples, OPS)])
def test_agrees_with_the_reference(device: OpenCLDevice, name: str) -> None:
    compare(name, DTYPES, device)


@pytest.mark.parametrize("name", [*filter(multiplies, OPS)])
def test_products_agree_in_the_other_family(tiles_device: OpenCLDevice, name: str) -> None:
    compare(name, FLOATS, tiles_device)

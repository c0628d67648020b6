"""Plugins: built-in packages walked, the user's files found, failures told and left behind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench import plugins
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable
from workbench.nn.model import Model
from workbench.spec import registries
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import ACTIVATIONS, LAYERS

plugins.load_packages(["workbench.nn"])

pytestmark = pytest.mark.usefixtures("forget_plugins")


def _example(number: int) -> str:
    """Return one of the two examples of the module's documentation."""
    blocks = (plugins.__doc__ or "").split("::\n")[1:]
    lines = [line for line in blocks[number].splitlines() if not line or line.startswith("    ")]
    return "\n".join(line.removeprefix("    ") for line in lines)


def test_a_new_file_in_a_package_is_found(tmp_path: Path, monkeypatch: Any) -> None:
    """Nothing else is changed for it, in folders below as well."""
    package = tmp_path / "grown"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "inner" / "__init__.py").write_text("")
    (package / "inner" / "fresh.py").write_text(
        "from workbench.spec.registries import METRICS\nMETRICS.add('fresh')(len)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    plugins.load_packages(["grown"])
    assert registries.METRICS["fresh"] is len
    for name in [name for name in sys.modules if name.startswith("grown")]:
        del sys.modules[name]


@pytest.mark.parametrize("number", [0, 1])
def test_the_documented_example_is_a_layer(tmp_path: Path, number: int) -> None:
    """As printed, in a file of its own."""
    (tmp_path / "leaky.py").write_text(_example(number))
    assert plugins.load_folder(tmp_path) == []
    assert "leaky_tanh" in LAYERS
    assert ("leaky_tanh" in ACTIVATIONS) == (number == 1)
    x = Variable(TensorType("float64", (False, False)), name="x")
    at = np.linspace(-2, 2, 6).reshape(2, 3)
    model = Model.from_spec(NetworkSpec((3,), (LAYERS["leaky_tanh"](),)), 0, "float64")
    np.testing.assert_allclose(evaluate([model.output(x)], {x: at})[0], 0.1 * at + np.tanh(at))
    # A second look finds it loaded.
    assert plugins.load_folder(tmp_path) == []


def test_the_users_folder_is_taken_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`WORKBENCH_PLUGINS` names it; a folder that is not there holds no plugins."""
    monkeypatch.setenv("WORKBENCH_PLUGINS", str(tmp_path))
    (tmp_path / "leaky.py").write_text(_example(1))
    assert plugins.load(["workbench.nn"]) == []
    assert "leaky_tanh" in LAYERS
    assert plugins.load(["workbench.nn"], tmp_path / "none") == []


def test_a_failing_file_stops_nobody(tmp_path: Path) -> None:
    """It is told with its reason, what it registered is forgotten, and the others are loaded."""
    added = "from workbench.spec.registries import ACTIVATIONS\nACTIVATIONS.add('half')(abs)\n"
    (tmp_path / "a_broken.py").write_text(f"{added}1 / 0\n")
    (tmp_path / "b_unread.py").write_text("def (:\n")
    (tmp_path / "c_quits.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "d_good.py").write_text(_example(1))
    (tmp_path / "notes.txt").write_text("not Python")
    warnings = plugins.load_folder(tmp_path)
    assert [warning.file.name for warning in warnings] == [
        "a_broken.py",
        "b_unread.py",
        "c_quits.py",
    ]
    assert warnings[0].reason == "ZeroDivisionError: division by zero"
    assert "SyntaxError" in warnings[1].reason
    assert str(tmp_path / "a_broken.py") in str(warnings[0])
    assert "half" not in ACTIVATIONS
    assert "half" not in LAYERS
    assert "leaky_tanh" in LAYERS


@pytest.mark.parametrize("registry", ["LAYERS", "ACTIVATIONS"])
def test_a_name_that_is_taken_is_refused(tmp_path: Path, registry: str) -> None:
    """The built-in stays, whether the name is taken directly or by the layer of an activation."""
    dense = LAYERS["dense"]
    (tmp_path / "mine.py").write_text(
        f"from workbench.spec.registries import {registry}\n{registry}.add('dense')(object)\n"
    )
    (warning,) = plugins.load_folder(tmp_path)
    assert "layer 'dense' is registered already" in warning.reason
    assert LAYERS["dense"] is dense
    assert "dense" not in ACTIVATIONS

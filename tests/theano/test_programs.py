"""Whole programs as they were written for Theano: only their import lines are changed."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.theano import config

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(params=["reference", None], ids=["reference", "default"])
def run(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a program on a device and gives what it has made."""
    config.device = request.param
    monkeypatch.chdir(tmp_path)

    def run_program(name: str, **data: Any) -> dict[str, Any]:
        text = (PROGRAMS / f"{name}.py").read_text(encoding="utf-8")
        package = "workbench.theano"
        text = re.sub(r"^from theano import", f"from {package} import", text, flags=re.M)
        text = re.sub(r"^import theano\.tensor as", f"import {package}.tensor as", text, flags=re.M)
        text = re.sub(r"^import theano$", f"import {package} as theano", text, flags=re.M)
        path = tmp_path / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        np.random.seed(0)  # noqa: NPY002 - as programs of that time do
        made = runpy.run_path(str(path), init_globals=data)
        for function in made["functions"]:
            assert function.device.id == config.device
            if config.device != "reference":
                assert function.counters.kernels_launched > 0
        return made

    return run_program


def blobs(features: int = 5) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    classes = np.arange(120) % 3
    return {
        "points": rng.normal(size=(120, features)) + 2 * np.eye(3, features)[classes],
        "classes": classes,
    }


def rings() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    classes = np.arange(200) % 2
    angle, radius = rng.uniform(0, 2 * np.pi, 200), 0.4 + classes + rng.normal(0, 0.1, 200)
    return {
        "points": np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1),
        "classes": classes,
    }


def test_a_neuron(run: Any) -> None:
    made = run("neuron")
    weights, x = np.array([0.5, -0.25, 1.0]), np.array([1.0, 2.0, 0.5])
    for given, after in zip(made["given_each_time"], made["weights_each_time"], strict=True):
        assert abs(given - weights @ x) < 1e-12
        weights = weights + 0.1 * (3.0 - weights @ x) * x
        np.testing.assert_allclose(after, weights, rtol=0, atol=1e-12)


def _softmax_step(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, bias: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    p = np.exp(x @ weight + bias)
    p /= p.sum(1, keepdims=True)
    left = (np.eye(3)[y] - p) / len(y)
    score = np.log(p[np.arange(len(y)), y]).mean()
    return float(score), weight + 0.5 * x.T @ left, bias + 0.5 * left.sum(0)


def test_softmax_regression(run: Any) -> None:
    data = blobs()
    made = run("blobs", **data)
    x, y = data["points"], data["classes"]
    weight, bias = np.zeros((5, 3)), np.zeros(3)
    for score in made["scores"]:
        wanted, weight, bias = _softmax_step(x, y, weight, bias)
        assert abs(score - wanted) < 1e-12
    for _ in range(3):
        for k in range(6):
            rows = slice(20 * k, 20 * k + 20)
            _, weight, bias = _softmax_step(x[rows], y[rows], weight, bias)
    np.testing.assert_allclose(made["final_weight"], weight, rtol=0, atol=1e-12)
    wrong = np.argmax(x @ weight + bias, 1) != y
    assert made["error_percent"] == pytest.approx(100 * wrong.mean())
    assert made["error_percent"] < 15


def test_a_hidden_layer_with_momentum(run: Any) -> None:
    made = run("hidden", **rings())
    assert made["costs"][0] > 0.5
    assert made["costs"][-1] < 0.1
    assert made["error_rate"] <= 0.01


def test_unscaled_weights(run: Any) -> None:
    made = run("unscaled", **blobs(200))
    assert np.isfinite(made["losses"]).all()
    # Probabilities that float64 cannot write were among them.
    assert made["losses"][0] > 50
    assert made["accuracy"] > 0.9
    assert made["same_after_loading"]

"""The tutorials' experiments give the tutorials' tables."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.tables import DIGITS, DIGITS_FIRST_TEN, LOGISTIC
from workbench.cli import program
from workbench.engine.backends.catalogue import devices

DEVICES = [info.id for info in devices()]


def tutorial(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    status = program.main(["tutorial", *words, "--json"])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    result = json.loads(captured.out)
    assert isinstance(result, dict)
    assert (result["kernels_launched"] > 0) == (result["device"] != "reference")
    return result


@pytest.mark.parametrize("device", DEVICES)
def test_neuron(capsys: pytest.CaptureFixture[str], device: str) -> None:
    result = tutorial(capsys, "neuron", "--device", device)
    assert set(result) == {"weights", "output", "device", "precision", "kernels_launched"}
    assert (result["device"], result["precision"]) == (device, "float64")
    weights, outputs = np.array([0.1, 0.25, 0.15, 0.3]), []
    for row in result["weights"]:
        outputs.append(weights.sum())
        weights = weights + 0.1 * 2 * (100 - weights.sum())
        np.testing.assert_allclose(row, weights, atol=1e-8)
    np.testing.assert_allclose(result["output"], outputs, atol=1e-8)
    # Source: Learn Theano, "Trivial Training Example": the first and the last row of its table.
    np.testing.assert_allclose(result["weights"][0], [19.94, 20.09, 19.99, 20.14], atol=1e-8)
    np.testing.assert_allclose(result["output"][-1], 99.99994920959999, atol=1e-8)
    assert len(result["weights"]) == len(result["output"]) == 10


@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize("device", DEVICES)
def test_logistic(capsys: pytest.CaptureFixture[str], device: str) -> None:
    result = tutorial(capsys, "logistic", "--dataset", "mnist", "--device", device)
    assert result["precision"] == "float64"
    np.testing.assert_allclose(result["log_likelihood"], LOGISTIC, atol=1e-9)
    np.testing.assert_allclose(result["average_probability"], np.exp(LOGISTIC), atol=1e-9)
    assert result["test_error_percent"] == 15.12
    assert result["first_ten_test_predictions"] == [7, 2, 1, 0, 4, 1, 4, 9, 2, 9]


def test_logistic_on_the_embedded_digits(capsys: pytest.CaptureFixture[str]) -> None:
    result = tutorial(capsys, "logistic", "--dataset", "digits")
    np.testing.assert_allclose(result["log_likelihood"], DIGITS, rtol=0, atol=1e-9)
    assigned = [int(said[-1]) for said in DIGITS_FIRST_TEN]
    assert result["first_ten_test_predictions"] == assigned


@pytest.mark.usefixtures("mnist")
def test_tanh(capsys: pytest.CaptureFixture[str]) -> None:
    result = tutorial(capsys, "tanh", "--dataset", "mnist")
    likelihoods = result["log_likelihood"]
    assert len(likelihoods) == 60
    assert likelihoods[0] == pytest.approx(-2.302585093, abs=1e-9)
    assert -2.302 < likelihoods[1] < -2.3005
    assert -0.56 < likelihoods[59] < -0.49
    assert np.all(np.diff(likelihoods) > 0)
    assert 13 <= result["test_error_percent"] <= 15.2


@pytest.mark.usefixtures("mnist")
def test_relu(capsys: pytest.CaptureFixture[str]) -> None:
    result = tutorial(capsys, "relu", "--dataset", "mnist")
    assert len(result["log_likelihood"]) == 1
    assert result["test_accuracy"] >= 0.8
    for measure in ("precision", "recall", "f1"):
        assert np.shape(result[measure]) == (10,)
        assert np.isfinite(result[measure]).all()
    assert np.isfinite(result["log_likelihood"]).all()

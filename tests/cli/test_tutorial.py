"""`workbench tutorial`: what is printed; the figures themselves are checked end to end."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.training.events import Event, Started
from workbench.training.trainer import Trainer


def test_the_neuron_as_text(workbench: Callable[..., Any]) -> None:
    done = workbench("tutorial", "neuron")
    assert done.status == 0
    heading, *rows = done.out.splitlines()[2:]
    assert heading.split() == ["iteration", "output", "weights"]
    assert rows[0].split(maxsplit=2) == ["0", "0.80000000", "[19.94 20.09 19.99 20.14]"]
    assert len(rows) == 10
    assert "epoch 1: score -9840.64" in done.err


@pytest.mark.parametrize(
    ("name", "points", "more"),
    [
        ("logistic", 10, set()),
        ("relu", 1, {"test_accuracy", "precision", "recall", "f1"}),
    ],
)
def test_other_data_may_be_given(
    workbench: Callable[..., Any], squares: Path, name: str, points: int, more: set[str]
) -> None:
    words = ["--dataset", squares]
    done = workbench("tutorial", name, *words, "--json")
    result = done.json
    assert set(result) == more | {
        "log_likelihood",
        "average_probability",
        "test_error_percent",
        "first_ten_test_predictions",
        "device",
        "dtype" if "precision" in more else "precision",
        "kernels_launched",
    }
    assert len(result["log_likelihood"]) == len(result["average_probability"]) == points
    assert result["dtype" if "precision" in more else "precision"] == "float64"
    text = workbench("tutorial", name, *words).out
    assert f"Test error: {result['test_error_percent']:.2f} %" in text
    predictions = " ".join(map(str, result["first_ten_test_predictions"]))
    assert f"First ten predictions: {predictions}" in text
    assert ("recall" in text) == ("recall" in more)


def test_float32_may_be_asked_for(workbench: Callable[..., Any]) -> None:
    result = workbench("tutorial", "neuron", "--precision", "float32", "--json").json
    assert result["precision"] == "float32"
    assert result["weights"][0] == pytest.approx([19.94, 20.09, 19.99, 20.14], rel=1e-6)


@pytest.mark.parametrize("name", ["neuron", "logistic"])
def test_ctrl_c_stops_it(
    workbench: Callable[..., Any], squares: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    run = Trainer.run

    def interrupted(self: Trainer) -> Any:
        event: Event
        for event in run(self):
            if isinstance(event, Started):
                signal.raise_signal(signal.SIGINT)
            yield event

    monkeypatch.setattr(Trainer, "run", interrupted)
    more = [] if name == "neuron" else ["--dataset", squares]
    done = workbench("tutorial", name, *more, "--json")
    assert (done.status, done.out) == (130, "")
    assert "Stopped after 0 iterations: interrupted." in done.err

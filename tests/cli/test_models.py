"""The verbs that take a saved model: evaluate, predict, export and import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from workbench.data.drawing import read_drawing
from workbench.engine.backends.catalogue import devices
from workbench.io import load_model

DEVICES = [info.id for info in devices()]


@pytest.mark.parametrize("device", DEVICES)
def test_the_measures_fit_together(
    workbench: Callable[..., Any], model: Path, squares: Path, device: str
) -> None:
    done = workbench("evaluate", model, "--dataset", squares, "--device", device, "--json")
    assert done.status == 0, done.err
    result = done.json
    assert set(result) == {
        "log_likelihood", "accuracy", "error_percent", "precision", "recall", "f1", "confusion",
        "device", "dtype", "kernels_launched",
    }  # fmt: skip
    confusion = np.array(result["confusion"])
    assert confusion.shape == (10, 10)
    # The test split has six images of every class; a row is a true class.
    np.testing.assert_array_equal(confusion.sum(axis=1), 6)
    assert result["accuracy"] == np.trace(confusion) / 60 > 0.9
    assert result["error_percent"] == pytest.approx(100 - 100 * result["accuracy"])
    np.testing.assert_allclose(result["recall"], np.diag(confusion) / 6)
    taken = confusion.sum(axis=0)
    np.testing.assert_allclose(result["precision"], np.diag(confusion) / taken)
    p, r = np.array(result["precision"]), np.array(result["recall"])
    np.testing.assert_allclose(result["f1"], 2 * p * r / (p + r))
    assert (result["device"], result["dtype"]) == (device, "float32")
    # NumPy launches no kernels, and says so.
    assert (result["kernels_launched"] > 0) == (device != "reference")


@pytest.mark.parametrize(("split", "rows"), [("train", 200), ("validation", 40), ("test", 60)])
def test_every_split_can_be_measured(
    workbench: Callable[..., Any], model: Path, split: str, rows: int
) -> None:
    # Without --dataset it is the one that the model was trained on.
    done = workbench("evaluate", model, "--split", split, "--json")
    assert np.sum(done.json["confusion"]) == rows


def test_the_measures_as_text(workbench: Callable[..., Any], model: Path) -> None:
    done = workbench("evaluate", model)
    assert done.status == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("Log-likelihood -")
    assert lines[2].split() == ["class", "precision", "recall", "f1"]
    assert len(lines) == 2 + 11 + 2 + 11


def test_without_classes_there_is_a_score_and_no_accuracy(
    workbench: Callable[..., Any], tmp_path: Path
) -> None:
    network, arrays, path = tmp_path / "n.json", tmp_path / "p.npz", tmp_path / "m.h5"
    network.write_text(
        '{"format": 1, "input": [4], "layers": [{"layer": "dense", "units": 1, "bias": false}]}'
    )
    np.savez(arrays, **{"0.weight": np.full((4, 1), 24.0)})
    assert workbench("import", arrays, "--network", network, path).status == 0
    done = workbench("evaluate", path, "--dataset", "neuron", "--json")
    assert done.json["log_likelihood"] == -((100 - 4 * 24) ** 2)
    for measure in ("accuracy", "error_percent", "precision", "recall", "f1", "confusion"):
        assert done.json[measure] is None
    assert workbench("evaluate", path, "--dataset", "neuron").out == "Score -16.\n"


def picture(path: Path, dark: bool) -> Path:
    paper, ink = ("white", "black") if dark else ("black", "white")
    image = Image.new("RGB", (90, 120), paper)
    ImageDraw.Draw(image).line([(30, 20), (60, 30), (35, 100)], fill=ink, width=9)
    image.save(path)
    return path


@pytest.mark.parametrize("device", DEVICES)
def test_pictures_are_read_as_the_formula_says(
    workbench: Callable[..., Any], model: Path, tmp_path: Path, device: str
) -> None:
    paths = [picture(tmp_path / "dark.png", True), picture(tmp_path / "light.png", False)]
    done = workbench("predict", model, *paths, "--device", device, "--json")
    assert done.status == 0, done.err
    result = done.json
    assert set(result) == {"predictions", "device", "precision", "kernels_launched"}
    assert [entry["file"] for entry in result["predictions"]] == [str(path) for path in paths]
    p = load_model(model).parameters
    x = read_drawing(paths[0]).reshape(784) / 256
    z = np.tanh(x @ p["0.weight"] + p["0.bias"]) @ p["2.weight"] + p["2.bias"]
    expected = np.exp(z) / np.exp(z).sum()
    for entry in result["predictions"]:
        assert set(entry) == {"file", "class", "probabilities"}
        np.testing.assert_allclose(entry["probabilities"], expected, atol=1e-5)
        assert entry["class"] == expected.argmax()


def test_predictions_as_text(workbench: Callable[..., Any], model: Path, tmp_path: Path) -> None:
    path = picture(tmp_path / "seven.png", True)
    done = workbench("predict", model, path)
    assert done.out.split()[:3] == ["file", "class", "P(0)"]
    assert str(path) in done.out


def test_a_model_of_other_inputs_reads_no_pictures(
    workbench: Callable[..., Any], tmp_path: Path
) -> None:
    network, arrays, path = tmp_path / "n.json", tmp_path / "p.npz", tmp_path / "m.h5"
    network.write_text(
        '{"format": 1, "input": [4], "layers": [{"layer": "dense", "units": 2, "bias": false}]}'
    )
    np.savez(arrays, **{"0.weight": np.ones((4, 2), np.float32)})
    assert workbench("import", arrays, "--network", network, path).status == 0
    done = workbench("predict", path, picture(tmp_path / "seven.png", True))
    assert done.status == 2
    assert "(4,)" in done.err


def test_parameters_leave_and_return_with_every_bit(
    workbench: Callable[..., Any], model: Path, small: Path, squares: Path, tmp_path: Path
) -> None:
    arrays, again = tmp_path / "p.npz", tmp_path / "again.h5"
    done = workbench("export", model, arrays, "--json")
    assert (done.status, done.json) == (0, {"saved": str(arrays)})
    before = load_model(model).parameters
    with np.load(arrays, allow_pickle=False) as file:
        assert set(file) == set(before)
        for key, array in before.items():
            np.testing.assert_array_equal(file[key], array)
    done = workbench("import", arrays, "--network", small, again, "--json")
    assert (done.status, done.json) == (0, {"saved": str(again)})
    figures = [
        workbench("evaluate", path, "--dataset", squares, "--json").json for path in (model, again)
    ]
    assert figures[0] == figures[1] | {"kernels_launched": figures[0]["kernels_launched"]}


def test_devices_are_listed(workbench: Callable[..., Any]) -> None:
    listed = workbench("devices", "--json").json
    assert set(listed) == {"devices"}
    assert {frozenset(device) for device in listed["devices"]} == {
        frozenset(
            ["id", "name", "platform", "type", "driver", "float64", "compute_units", "memory_bytes"]
        )
    }
    assert [device["id"] for device in listed["devices"]] == DEVICES
    assert "reference" in workbench("devices").out

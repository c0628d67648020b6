"""`workbench train`: figures, files, and what is kept when a run goes wrong."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.engine.backends.catalogue import devices
from workbench.io import load_model

DEVICES = [info.id for info in devices()]

EPOCH_KEYS = {
    "log_likelihood",
    "accuracy",
    "validation_log_likelihood",
    "validation_accuracy",
    "seconds",
    "samples_per_second",
}
KEYS = {
    "epochs",
    "test_accuracy",
    "test_log_likelihood",
    "saved",
    "device",
    "precision",
    "kernels_launched",
}


@pytest.fixture
def train(workbench: Callable[..., Any], squares: Path, small: Path) -> Callable[..., Any]:
    """Return a function that trains the small network on the squares."""

    def run(*words: object) -> Any:
        return workbench("train", "--network", small, "--dataset", squares, "--json", *words)

    return run


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_figures_are_those_of_the_contract(
    train: Callable[..., Any], tmp_path: Path, device: str, precision: str
) -> None:
    path = tmp_path / "squares.h5"
    words = ["--batch", 16, "--rate", 0.2, "--epochs", 4, "--save", path]
    done = train(*words, "--device", device, "--precision", precision)
    assert done.status == 0, done.err
    result = done.json
    assert set(result) == KEYS
    assert [set(epoch) for epoch in result["epochs"]] == [EPOCH_KEYS] * 4
    assert (result["device"], result["precision"]) == (device, precision)
    assert result["saved"] == str(path)
    # NumPy launches no kernels, and says so.
    assert (result["kernels_launched"] > 0) == (device != "reference")
    likelihoods = [epoch["log_likelihood"] for epoch in result["epochs"]]
    assert likelihoods == sorted(likelihoods)
    assert result["test_accuracy"] > 0.9
    assert -1.0 < result["test_log_likelihood"] < 0.0
    assert all(epoch["samples_per_second"] > 0 for epoch in result["epochs"])
    assert load_model(path).parameters["0.weight"].dtype == precision


@pytest.mark.parametrize("device", DEVICES)
def test_a_new_process_measures_the_saved_model_alike_to_the_last_bit(
    train: Callable[..., Any], command: Callable[..., Any], tmp_path: Path, device: str
) -> None:
    path = tmp_path / "squares.h5"
    words = ["--device", device, "--json"]
    trained = train("--batch", 16, "--epochs", 2, "--save", path, *words).json
    out, _ = command("evaluate", path, *words).communicate(timeout=100)
    measured = json.loads(out)
    assert measured["accuracy"] == trained["test_accuracy"]
    assert measured["log_likelihood"] == trained["test_log_likelihood"]


def test_the_same_seed_is_the_same_run(train: Callable[..., Any]) -> None:
    first, again, other = (
        [epoch["log_likelihood"] for epoch in train("--batch", 37, "--seed", seed).json["epochs"]]
        for seed in (5, 5, 6)
    )
    assert first == again
    assert first != other


def test_limit_and_full_batch(train: Callable[..., Any], tmp_path: Path) -> None:
    log = tmp_path / "run.csv"
    done = train("--limit", 30, "--batch", "full", "--epochs", 3, "--log", log)
    assert done.status == 0, done.err
    assert len(done.json["epochs"]) == 3
    with log.open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file) if row["log_likelihood"]] == list("012")


def test_the_log_has_a_row_for_every_point(train: Callable[..., Any], tmp_path: Path) -> None:
    log = tmp_path / "run.csv"
    epochs = train("--batch", 64, "--epochs", 2, "--rate", 0.25, "--log", log).json["epochs"]
    with log.open(newline="") as file:
        header, *lines = csv.reader(file)
    assert header == [
        "step",
        "epoch",
        "seconds",
        "log_likelihood",
        "accuracy",
        "validation_log_likelihood",
        "validation_accuracy",
        "rate",
    ]
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    points = [row for row in rows if row["log_likelihood"]]
    ends = [row for row in rows if row["validation_log_likelihood"]]
    assert len(points) + len(ends) == len(rows)
    # 200 rows in mini-batches of 64: four iterations an epoch.
    assert [row["step"] for row in points] == [str(i) for i in range(8)]
    assert [row["epoch"] for row in points] == ["1"] * 4 + ["2"] * 4
    assert [row["step"] for row in ends] == ["4", "8"]
    assert {row["rate"] for row in rows} == {"0.25"}
    for row, epoch in zip(ends, epochs, strict=True):
        assert float(row["validation_log_likelihood"]) == epoch["validation_log_likelihood"]
        assert float(row["validation_accuracy"]) == epoch["validation_accuracy"]
    mean = np.average([float(r["log_likelihood"]) for r in points[:4]], weights=[64, 64, 64, 8])
    assert math.isclose(mean, epochs[0]["log_likelihood"], rel_tol=1e-6)


def test_a_person_reads_text(
    workbench: Callable[..., Any], squares: Path, small: Path, tmp_path: Path
) -> None:
    path = tmp_path / "squares.h5"
    words = ["--network", small, "--dataset", squares, "--epochs", 3, "--save", path]
    done = workbench("train", *words)
    assert done.status == 0
    assert "accuracy" in done.out
    assert "epoch 1: LL -" in done.err
    # However quickly it follows the others, the last epoch is what the run came to.
    assert done.err.count("epoch 3: LL -") == 1
    assert (done.out + done.err).count(f"Saved {path}.") == 1


def test_a_diverging_run_says_so_and_keeps_what_was_saved(
    train: Callable[..., Any], model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "kept.h5"
    path.write_bytes(model.read_bytes())
    done = train("--network", "relu", "--rate", 1e6, "--batch", 16, "--save", path)
    assert (done.status, done.out) == (1, "")
    assert "log-likelihood" in done.err.splitlines()[-1]
    assert path.read_bytes() == model.read_bytes()


def documented(kind: str) -> str:
    """Return the first example of a kind in what CONTRIBUTING says of layers."""
    page = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.partition("## To add a layer\n")[2].partition("\n## ")[0]
    return section.partition(f"```{kind}\n")[2].partition("```")[0]


def test_the_documented_layer_of_the_users_own(
    command: Callable[..., Any], squares: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "scale.py").write_text(documented("python"))
    monkeypatch.setenv("WORKBENCH_PLUGINS", str(plugins))
    network = tmp_path / "scaled.json"
    network.write_text(documented("json"))

    def run(*words: object) -> Any:
        process = command(*words, "--json")
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    path = tmp_path / "scaled.h5"
    train = ["train", "--network", network, "--dataset", squares]
    status, out, err = run(*train, "--batch", 16, "--save", path)
    assert status == 0, err
    trained = json.loads(out)
    status, out, err = run("export", path, tmp_path / "scaled.npz")
    assert status == 0, err
    with np.load(tmp_path / "scaled.npz") as parameters:
        assert np.all(parameters["1.factor"] != np.full(12, 0.5))  # where the file lets it start
    status, out, err = run("evaluate", path)
    assert status == 0, err
    assert json.loads(out)["log_likelihood"] == trained["test_log_likelihood"]

    (plugins / "scale.py").unlink()
    for words in (["evaluate", path], train):
        status, out, err = run(*words)
        assert (status, out) == (2, "")
        assert "'scale'" in err


def test_a_plugin_that_fails_is_named_and_left_out(
    command: Callable[..., Any], squares: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "broken.py").write_text("import there_is_no_such_module\n")
    monkeypatch.setenv("WORKBENCH_PLUGINS", str(plugins))
    process = command("train", "--dataset", squares, "--epochs", 1, "--network", "logistic")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "broken.py" in err
    assert "there_is_no_such_module" in err

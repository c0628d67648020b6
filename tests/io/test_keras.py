"""Keras' files are read in all their dialects, and Keras reads ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.io.here import read_here
from workbench.core.errors import InputError
from workbench.io import ModelFile, load_model, save_model
from workbench.nn.shapes import parameters_of
from workbench.spec.codec import network_from_json, to_json
from workbench.spec.network import NetworkSpec

Make = Callable[..., ModelFile]

RANDOM = np.random.default_rng(2)
WEIGHTS = [RANDOM.standard_normal(shape).astype("f4") for shape in [(6, 4), (4,), (4, 3), (3,)]]


def _layer(class_name: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": name, **config}}


def _input(**config: Any) -> dict[str, Any]:
    return _layer("InputLayer", "input_1", **config)


STACK = [
    _layer("Dense", "dense", units=4, activation="relu"),
    _layer("Dense", "dense_1", units=3, activation="softmax"),
]
FLAT = _input(batch_input_shape=[None, 6])


def _write(path: Path, layers: Any, form: str = "{0}/{0}/{1}:0", **how: Any) -> Path:
    """Write a file as Keras does, the two dense layers' weights in it."""
    text = layers if isinstance(layers, str) else json.dumps(
        {"class_name": "Sequential", "config": layers}
    )  # fmt: skip
    with h5py.File(path, "w", libver=how.pop("libver", None)) as file:
        file.attrs["model_config"] = text
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = ["flatten", "dense", "dense_1"]
        root.create_group("flatten").attrs["weight_names"] = np.zeros(0)
        root.create_group("top_level_model_weights").attrs["weight_names"] = np.zeros(0)
        for number, name in enumerate(("dense", "dense_1")):
            paths = [form.format(name, kind) for kind in ("kernel", "bias")]
            group = root.create_group(name)
            group.attrs["weight_names"] = [path.removeprefix(f"{name}/") for path in paths]
            for place, array in zip(paths, WEIGHTS[2 * number :], strict=False):
                dtype = how.get("dtype", array.dtype)
                more = {key: value for key, value in how.items() if key != "dtype"}
                root.create_dataset(place, data=array.astype(dtype), **more)
    return path


def _read(path: Path) -> ModelFile:
    model = read_here(path)
    assert not model.verified
    assert [entry["layer"] for entry in to_json(model.network)["layers"]] == [
        "dense", "relu", "dense", "softmax"
    ]  # fmt: skip
    for array, expected in zip(model.parameters.values(), WEIGHTS, strict=True):
        assert array.dtype.name in ("float32", "float64")
        # Half precision keeps three digits.
        np.testing.assert_allclose(array, expected, atol=2e-3)
    return model


DIALECTS: dict[str, Any] = {
    "Keras 2": {"name": "m", "layers": [FLAT, *STACK]},
    "Keras 3": {
        "name": "m",
        "trainable": True,
        "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}},
        "layers": [
            _input(batch_shape=[None, 6], optional=False),
            _layer("Dense", "dense", units=4, activation="relu", dtype={"class_name": "Policy"}),
            STACK[1],
        ],
        "build_input_shape": [None, 6],
    },
    "a bare list": [FLAT, *STACK],
    "no input layer": {
        "name": "m",
        "layers": [
            _layer("Dense", "dense", units=4, activation="relu", batch_input_shape=[None, 6]),
            STACK[1],
        ],
    },
    "a tuple": {
        "name": "m",
        "layers": [
            _input(batch_input_shape={"class_name": "__tuple__", "items": [None, 6]}),
            *STACK,
        ],
    },
    "activations of their own": {
        "name": "m",
        "layers": [
            FLAT,
            _layer("Dense", "dense", units=4, activation="linear"),
            _layer("Activation", "activation", activation="relu"),
            _layer("Dense", "dense_1", units=3, activation=None),
            _layer("Activation", "activation_1", activation="softmax"),
        ],
    },
    "an activation as an object": {
        "name": "m",
        "layers": [
            FLAT,
            _layer(
                "Dense",
                "dense",
                units=4,
                activation={"module": "builtins", "class_name": "function", "config": "relu"},
            ),
            STACK[1],
        ],
    },
    "a flatten without work": {"name": "m", "layers": [FLAT, _layer("Flatten", "f"), *STACK]},
}  # fmt: skip


@pytest.mark.parametrize("dialect", list(DIALECTS))
def test_every_dialect_is_read(tmp_path: Path, dialect: str) -> None:
    model = _read(_write(tmp_path / "k.h5", DIALECTS[dialect]))
    assert model.network.input == (6,)
    assert model.image_shape is None


@pytest.mark.parametrize(
    "how",
    [
        {"compression": "gzip"},
        {"compression": "lzf"},
        {"chunks": True},
        {"libver": "latest"},
        {"dtype": "<f8"},
        {"dtype": "<f2"},
        {"dtype": ">f4"},
        {"form": "{0}/sequential/{0}/{1}"},
        {"track_order": True},
    ],
    ids=str,
)
def test_every_storage_is_read(tmp_path: Path, how: dict[str, Any]) -> None:
    how = {**how}
    model = _read(_write(tmp_path / "k.h5", DIALECTS["Keras 2"], **how))
    if how.get("dtype") == "<f8":
        assert {array.dtype.name for array in model.parameters.values()} == {"float64"}


def test_names_that_keras_splits_are_joined(tmp_path: Path) -> None:
    path = _write(tmp_path / "k.h5", DIALECTS["Keras 2"])
    with h5py.File(path, "r+") as file:
        del file["model_weights"].attrs["layer_names"]
        file["model_weights"].attrs["layer_names0"] = ["flatten", "dense"]
        file["model_weights"].attrs["layer_names1"] = np.array([b"dense_1"])
    _read(path)


@pytest.mark.parametrize(
    ("shape", "found"),
    [([2, 3], (1, 2, 3)), ([2, 3, 1], (1, 2, 3)), ([1, 3, 2], (6,)), ([1, 1, 2, 3], (6,))],
)
def test_an_image_that_is_flattened_first_stays_one(
    tmp_path: Path, shape: list[int], found: tuple[int, ...]
) -> None:
    layers = [_input(batch_input_shape=[None, *shape]), _layer("Flatten", "flatten"), *STACK]
    model = _read(_write(tmp_path / "k.h5", {"name": "m", "layers": layers}))
    assert model.network.input == found
    assert model.image_shape == (found if len(found) == 3 else None)


REFUSED: dict[str, tuple[Any, str]] = {
    "dense on an image": ([_input(batch_input_shape=[None, 2, 3]), *STACK], "not flattened"),
    "unknown length": ([_input(batch_input_shape=[None, None]), *STACK], "shape of its input"),
    "no shape": (STACK, "shape of its input"),
    "a length that is true": ([_input(batch_shape=[None, True]), *STACK], "shape of its input"),
    "two inputs": ([FLAT, FLAT, *STACK], "second input"),
    "no layers": ([], "no layers"),
    "a layer that is none": ([FLAT, "Dense"], "not a layer"),
    "units that are text": ([FLAT, _layer("Dense", "d", units="4")], "units"),
    "units missing": ([FLAT, _layer("Dense", "d")], "units"),
    "bias that is text": ([FLAT, _layer("Dense", "d", units=4, use_bias="yes")], "bias"),
    "an unknown activation": ([FLAT, _layer("Activation", "a", activation="gelu")], "'gelu'"),
    "a parametric activation": (
        [FLAT, _layer("Dense", "d", units=4, activation={"class_name": "LeakyReLU"})],
        "LeakyReLU",
    ),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_means_something_else_here_is_refused(tmp_path: Path, name: str) -> None:
    layers, reason = REFUSED[name]
    path = _write(tmp_path / "k.h5", {"name": "m", "layers": layers})
    with pytest.raises(InputError, match=reason):
        read_here(path)


def test_our_file_follows_the_dialect(saved: Path) -> None:
    assert saved.read_bytes().startswith(b"\x89HDF\r\n\x1a\n")
    with h5py.File(saved, "r") as file:
        assert file.attrs["keras_version"] == "2.15.0"
        assert file.attrs["backend"] == "tensorflow"
        config = json.loads(file.attrs["model_config"])
        assert config["class_name"] == "Sequential"
        rows = config["config"]["layers"]
        assert [row["class_name"] for row in rows] == [
            "InputLayer", "Dense", "Activation", "Dense", "Activation"
        ]  # fmt: skip
        assert all(set(row) == {"class_name", "config"} for row in rows)
        # Dense flattens its input, so the file's input is flat.
        assert rows[0]["config"]["batch_input_shape"] == [None, 64]
        assert "optimizer_weights" not in file
        weights = file["model_weights"]
        names = [row["config"]["name"] for row in rows[1:]]
        assert list(weights.attrs["layer_names"]) == names
        assert set(weights) == set(names)
        for name in names:
            group = weights[name]
            for weight in group.attrs["weight_names"]:
                dataset = group[weight]
                assert dataset.dtype == "<f4"
                assert dataset.chunks is None
                assert dataset.id.get_create_plist().get_nfilters() == 0
        assert file.id.get_create_plist().get_link_creation_order() == 0
        assert h5py.check_string_dtype(file.attrs.get_id("model_config").dtype).length is None


def test_a_dense_layer_behind_an_image_is_flattened(tmp_path: Path) -> None:
    layers = [{"layer": "tanh"}, {"layer": "dense", "units": 2}]
    network = network_from_json({"format": 1, "input": [1, 2, 3], "layers": layers})
    parameters = {key: np.ones(p.shape, "f4") for key, p in parameters_of(network).items()}
    save_model(tmp_path / "m.h5", ModelFile(network, parameters))
    with h5py.File(tmp_path / "m.h5", "r") as file:
        rows = json.loads(file.attrs["model_config"])["config"]["layers"]
    assert [row["class_name"] for row in rows] == ["InputLayer", "Activation", "Flatten", "Dense"]
    assert rows[0]["config"]["batch_input_shape"] == [None, 1, 2, 3]
    assert read_here(tmp_path / "m.h5").network == network


def test_what_keras_would_keep_of_our_file_is_read(saved: Path, make_model: Make) -> None:
    """Keras that saves our model again drops all that is ours; what is left is a file of Keras."""
    with h5py.File(saved, "r+") as file:
        del file["workbench"]
        del file.attrs["workbench"]
    model = load_model(saved)
    assert not model.verified
    assert model.network.input == (64,)
    for key, array in make_model().parameters.items():
        np.testing.assert_array_equal(model.parameters[key], array)


def _forward(network: NetworkSpec, parameters: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Return the network's output in NumPy, float64."""
    for index, layer in enumerate(to_json(network)["layers"]):
        match layer["layer"]:
            case "dense":
                x = x @ parameters[f"{index}.weight"].astype(float)
                x = x + parameters.get(f"{index}.bias", 0)
            case "relu":
                x = np.maximum(x, 0)
            case "tanh":
                x = np.tanh(x)
            case "sigmoid":
                x = 1 / (1 + np.exp(-x))
            case "softmax":
                powers = np.exp(x - x.max(axis=1, keepdims=True))
                x = powers / powers.sum(axis=1, keepdims=True)
    return x


PREDICT = """
import sys, keras, numpy
for path in sys.argv[1:]:
    model = keras.models.load_model(path, compile=False)
    x = numpy.load(path + ".x.npy")
    numpy.save(path + ".y.npy", model.predict(x, verbose=0))
    model.save(path + ".again.h5")
"""


def _keras() -> str:
    """Return the interpreter that has Keras: this one, or the one that is named."""
    python = os.environ.get("WORKBENCH_KERAS_PYTHON", sys.executable)
    result = subprocess.run([python, "-c", "import keras"], capture_output=True, check=False)
    if result.returncode != 0:
        pytest.skip("Keras is not installed here, nor does WORKBENCH_KERAS_PYTHON name one")
    return python


@pytest.mark.timeout(300)
def test_keras_gives_the_same_probabilities(tmp_path: Path) -> None:
    python = _keras()
    random = np.random.default_rng(5)
    models = {}
    for precision in ("float32", "float64"):
        layers = [
            {"layer": "dense", "units": 30},
            {"layer": "relu"},
            {"layer": "dense", "units": 20, "bias": False},
            {"layer": "sigmoid"},
            {"layer": "dense", "units": 16},
            {"layer": "tanh"},
            {"layer": "linear"},
            {"layer": "dense", "units": 10},
            {"layer": "softmax"},
        ]
        network = network_from_json({"format": 1, "input": [1, 28, 28], "layers": layers})
        parameters = {
            key: (0.6 * random.standard_normal(param.shape)).astype(precision)
            for key, param in parameters_of(network).items()
        }
        path = tmp_path / f"{precision}.h5"
        save_model(path, ModelFile(network, parameters))
        np.save(f"{path}.x.npy", random.random((40, 784)))
        models[path] = network, parameters
    subprocess.run([python, "-c", PREDICT, *models], check=True, capture_output=True)
    for path, (network, parameters) in models.items():
        expected = _forward(network, parameters, np.load(f"{path}.x.npy"))
        assert np.ptp(expected) > 0.5
        difference = np.abs(np.load(f"{path}.y.npy") - expected).max()
        print(f"{path.stem}: largest difference from Keras {difference:.1e}")
        assert difference <= 1e-5
        again = load_model(f"{path}.again.h5")
        for key, array in parameters.items():
            np.testing.assert_allclose(again.parameters[key], array, rtol=1e-6)

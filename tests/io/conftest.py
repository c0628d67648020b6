"""Models to save, and what is built in to make them of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench import plugins
from workbench.io import ModelFile, save_model
from workbench.nn.shapes import parameters_of
from workbench.spec.codec import network_from_json, training_from_json
from workbench.spec.data import DataSpec
from workbench.spec.network import NetworkSpec

plugins.load_packages(["workbench.nn"])


def numbers_for(network: NetworkSpec, precision: str = "float32") -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)
    return {
        key: random.standard_normal(param.shape).astype(precision)
        for key, param in parameters_of(network).items()
    }


@pytest.fixture(scope="session")
def make_model() -> Callable[..., ModelFile]:
    """Return a function that makes a complete model: image input, one hidden layer of `units`."""

    def make(units: int = 5, precision: str = "float32") -> ModelFile:
        layers: list[dict[str, Any]] = [
            {"layer": "dense", "units": units, "init": {"kind": "he"}},
            {"layer": "relu"},
            {"layer": "dense", "units": 10, "bias": False},
            {"layer": "softmax"},
        ]
        network = network_from_json({"format": 1, "input": [1, 8, 8], "layers": layers})
        parameters = numbers_for(network, precision)
        return ModelFile(
            network,
            parameters,
            training=training_from_json({"batch": "full", "seed": 3, "precision": precision}),
            data=DataSpec("digits", pixel_scale=1 / 255, limit=50),
            history={
                "points.step": np.arange(4),
                "points.log_likelihood": np.array([-2.3, -2.1, np.nan, -0.1]),
                "epochs.epoch": np.empty(0, np.int64),
            },
            position={"step": 4, "epoch": 1, "rate": None, "key": "3:4"},
            slots={f"{key}.momentum": array / 3 for key, array in parameters.items()},
            receipt={"device": "reference", "log_likelihood": 0.1 + 0.2, "note": "größer"},
            image_shape=(1, 8, 8),
            classes=10,
        )

    return make


@pytest.fixture
def saved(tmp_path: Path, make_model: Callable[..., ModelFile]) -> Path:
    """Return the path of a saved model."""
    path = tmp_path / "model.h5"
    save_model(path, make_model())
    return path

"""From a session to what a model file holds, and back to what a session is made from.

Responsible for the receipt that says how the numbers came about, and for what is made up where a
file does not say; files themselves are read and written elsewhere.
"""

from __future__ import annotations

import os
import platform

import attrs
import numpy as np

import workbench
from workbench.core.errors import ModelFileError
from workbench.io import ModelFile, load_model
from workbench.nn.model import Model
from workbench.spec.data import DataSpec
from workbench.spec.network import NetworkSpec
from workbench.spec.training import MAX_SEED, TrainingSpec
from workbench.training.history import History
from workbench.training.position import Position
from workbench.training.session import Kept, Session


def model_file(
    session: Session, data: DataSpec | None, history: History, kept: Kept | None = None
) -> ModelFile:
    """Return the model as it stands, with all that is needed to train it on.

    Parameters
    ----------
    session
        The network, its parameters and its position.
    data
        The choice of data that the session trains on; None leaves it open.
    history
        What was measured so far.
    kept
        What is in it instead of the present state, so that the device need not be asked.
    """
    device, dataset = session.device.info, session.dataset
    kept = kept or session.latest()
    return ModelFile(
        network=session.network,
        parameters=dict(kept.parameters),
        training=session.training,
        data=data,
        history=history.until(kept.position.step).to_arrays(),
        position=attrs.asdict(kept.position),
        receipt={
            "device": attrs.asdict(device),
            "precision": session.training.precision,
            "seed": session.training.seed,
            "data_sha256": dataset.sha256,
            "versions": _versions(),
        },
        image_shape=dataset.input_shape if len(dataset.input_shape) == 3 else None,
        classes=dataset.classes or None,
    )


def first_model_file(network: NetworkSpec, training: TrainingSpec, data: DataSpec) -> ModelFile:
    """Return a network that has not been trained, with the numbers that training begins with.

    Raises
    ------
    SpecError
        The network does not fit together.
    """
    model = Model.from_spec(network, training.seed, training.precision)
    return ModelFile(
        network=network,
        parameters={name: value.get_value() for name, value in model.parameters.items()},
        training=training,
        data=data,
        receipt={
            "precision": training.precision,
            "seed": training.seed,
            "versions": _versions(),
        },
        image_shape=network.input if len(network.input) == 3 else None,
    )


def open_model(path: str | os.PathLike[str]) -> tuple[ModelFile, TrainingSpec]:
    """Return a saved model and the training run that it comes from.

    A file that Keras wrote tells of no training run; one is made up in the precision of its
    parameters.

    Raises
    ------
    ModelFileError
        The file is missing, damaged or refused.
    """
    model = load_model(path)
    if model.training is not None:
        return model, model.training
    dtypes = [array.dtype for array in model.parameters.values()]
    wide = bool(dtypes) and np.result_type(*dtypes) == np.float64
    return model, TrainingSpec(precision="float64" if wide else "float32")


def position_of(model: ModelFile) -> Position:
    """Return where in its run a saved model stands; the beginning where the file does not say.

    Raises
    ------
    ModelFileError
        The file says something that is no position.
    """
    kept = {name: model.position.get(name) for name in attrs.fields_dict(Position)}
    rate = kept.pop("rate")
    counts = {name: value for name, value in kept.items() if value is not None}
    sound = all(type(n) is int and 0 <= n <= MAX_SEED for n in counts.values())
    if not sound or not (rate is None or type(rate) in (int, float)):
        raise ModelFileError(
            f"The position {model.position} is not one that a run can have.",
            "The file was changed by something else; use an earlier copy.",
        )
    return Position(**counts, rate=rate)


def _versions() -> dict[str, str]:
    return {
        "workbench": workbench.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }

"""From a session to what a model file holds.

Responsible for the receipt that says how the numbers came about; knows nothing of files.
"""

from __future__ import annotations

import platform

import attrs
import numpy as np

import workbench
from workbench.io.model_file import ModelFile
from workbench.spec.data import DataSpec
from workbench.training.history import History
from workbench.training.session import Session


def model_file(session: Session, data: DataSpec, history: History) -> ModelFile:
    """Return the model as it stands, with all that is needed to train it on.

    Parameters
    ----------
    session
        The network, its parameters and its position.
    data
        The choice of data that the session trains on.
    history
        What was measured so far.
    """
    device, dataset = session.device.info, session.dataset
    return ModelFile(
        network=session.network,
        parameters=session.parameters(),
        training=session.training,
        data=data,
        history=history.to_arrays(),
        position=attrs.asdict(session.position),
        receipt={
            "device": attrs.asdict(device),
            "precision": session.training.precision,
            "seed": session.training.seed,
            "data_sha256": dataset.sha256,
            "versions": {
                "workbench": workbench.__version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
        },
        image_shape=dataset.input_shape if len(dataset.input_shape) == 3 else None,
        classes=dataset.classes or None,
    )

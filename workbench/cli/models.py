"""Saved models on the command line.

Responsible for what several verbs need of a model file; the file itself is read elsewhere.
"""

from __future__ import annotations

import numpy as np

from workbench.io import ModelFile, load_model
from workbench.spec.training import TrainingSpec


def open_model(name: str) -> tuple[ModelFile, TrainingSpec]:
    """Return a saved model and the training run that it comes from.

    A file that Keras wrote tells of no training run; one is made up in the precision of its
    parameters.

    Raises
    ------
    ModelFileError
        The file is missing, damaged or refused.
    """
    model = load_model(name)
    if model.training is not None:
        return model, model.training
    dtypes = [array.dtype for array in model.parameters.values()]
    wide = bool(dtypes) and np.result_type(*dtypes) == np.float64
    return model, TrainingSpec(precision="float64" if wide else "float32")

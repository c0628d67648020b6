"""What a model file holds: a trained network and all that is needed to use it and to train it on.

Responsible for those values and for where each of them is in the file; knows neither HDF5 nor any
device.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from workbench.spec.data import DataSpec
from workbench.spec.network import NetworkSpec
from workbench.spec.training import TrainingSpec

#: The version of what is under `OURS`; a file with another is refused.
FORMAT = 1

#: The group of what is ours and not Keras', and its groups of arrays.
OURS = "/workbench"
SLOTS = f"{OURS}/slots"
HISTORY = f"{OURS}/history"
#: An attribute of the root that tells a file of ours even when damage has cost it the group `OURS`;
#: Keras drops it when it saves the model again.
MARK, MARK_TEXT = "workbench", f"All that is not Keras' is under {OURS}."
#: The group of the parameters, as Keras has it.
WEIGHTS = "/model_weights"


@attrs.frozen(eq=False)
class ModelFile:
    """A network with its numbers, and where they come from.

    Parameters
    ----------
    network
        The layers.
    parameters
        float32 or float64 arrays by key, ``"<layer index from 0>.<name>"``, all of the network's.
    training, data
        How and on what it was trained; None where the file does not say.
    history
        What was measured while it trained: arrays by name, NaN where a point was not measured.
    position
        Where training stands (step, epoch, seed, random key): values that JSON can hold.
    slots
        Arrays of the optimizer's own state by name.
    receipt
        How the numbers came about (device, driver, hash of the data, versions): values that JSON
        can hold.
    image_shape
        Shape of one input as an image; None where inputs are not images.
    classes
        Number of classes; None where the output is not one.
    verified
        Whether the file's digest was there and right; a file that Keras wrote has none.
    """

    network: NetworkSpec
    parameters: dict[str, np.ndarray]
    training: TrainingSpec | None = None
    data: DataSpec | None = None
    history: dict[str, np.ndarray] = attrs.field(factory=dict)
    position: dict[str, Any] = attrs.field(factory=dict)
    slots: dict[str, np.ndarray] = attrs.field(factory=dict)
    receipt: dict[str, Any] = attrs.field(factory=dict)
    image_shape: tuple[int, ...] | None = None
    classes: int | None = None
    verified: bool = False

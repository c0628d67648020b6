"""The one-row dataset of the tutorials' trivial neuron.

Responsible for its five numbers; knows nothing of the network that is trained on them.
"""

from __future__ import annotations

import numpy as np

from workbench.data.dataset import Dataset, Progress, Split
from workbench.spec.registries import DATASETS


@DATASETS.add("neuron")
class Neuron:
    """Four features of 1 and the target 100, the same row in every split.

    Source: Learn Theano, "Trivial Training Example".
    """

    about = "one row of four ones whose target is 100, for the trivial neuron"

    def load(self, progress: Progress) -> Dataset:
        """Return the row."""
        row = Split(np.ones((1, 4)), np.full((1, 1), 100.0))
        return Dataset("neuron", row, row, row)

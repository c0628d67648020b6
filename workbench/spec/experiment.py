"""The spec of an experiment: network, training run and data together.

Responsible for the description alone; knows nothing of how it is run.
"""

from __future__ import annotations

import attrs

from workbench.spec.data import DataSpec
from workbench.spec.fields import part, text
from workbench.spec.network import NetworkSpec
from workbench.spec.training import TrainingSpec


@attrs.frozen
class Experiment:
    """All that a run needs to be repeated.

    Parameters
    ----------
    name, about
        What it is called, and one sentence on what it shows.
    network, training, data
        The three specs.
    """

    name: str = text(label="Name", help="What the experiment is called.")
    network: NetworkSpec = part(NetworkSpec, label="Network", help="The layers.")
    training: TrainingSpec = part(TrainingSpec, label="Training", help="The training run.")
    data: DataSpec = part(DataSpec, label="Data", help="The choice of data.")
    about: str = text(default="", label="About", help="One sentence on what it shows.")

"""The workbench's side of the benchmarks: its own session, trainer and default device."""

from __future__ import annotations

import queue
from collections.abc import Callable

import numpy as np

from workbench import plugins
from workbench.data.dataset import Dataset, Split
from workbench.engine.backends.catalogue import open_device
from workbench.spec.library import find_network
from workbench.spec.registries import OPTIMIZERS
from workbench.spec.training import TrainingSpec
from workbench.training.commands import CommandQueue
from workbench.training.events import EpochEnded
from workbench.training.session import Session
from workbench.training.trainer import Trainer


def make_epoch(
    images: np.ndarray, labels: np.ndarray, batch: int, rate: float
) -> Callable[[], None]:
    """Return a function that trains the starter network ``relu`` for one more epoch."""
    plugins.load_packages(plugins.BUILT_IN)
    train = Split(images.reshape(-1, 28, 28), labels)
    few = Split(images[:100].reshape(-1, 28, 28), labels[:100])
    training = TrainingSpec(optimizer=OPTIMIZERS["sgd"](rate=rate), batch=batch, epochs=1000)
    session = Session(
        find_network("relu"), training, Dataset("random", train, few, few, 10), open_device(None)
    )
    commands: CommandQueue = queue.SimpleQueue()
    events = Trainer(session, commands, validate=False).run()

    def epoch() -> None:
        for event in events:
            if isinstance(event, EpochEnded):
                return

    return epoch

"""The spec of a training run: how the parameters change, on how much data at a time, for how long.

Responsible for the description alone; knows neither the network nor the data.
"""

from __future__ import annotations

from typing import Any, Literal

import attrs
import numpy as np

from workbench.core.errors import SpecError
from workbench.spec.fields import choice, integer, one_of
from workbench.spec.registries import OBJECTIVES, OPTIMIZERS, SCHEDULES

#: Largest seed: what a signed 64-bit number holds, so that every file format can.
MAX_SEED = 2**63 - 1


@attrs.frozen
class TrainingSpec:
    """One training run.

    Parameters
    ----------
    optimizer
        Instance of a registered optimizer class; it holds the rate.
    schedule
        Instance of a registered schedule class: how the rate changes.
    batch
        Data points in one mini-batch, or ``"full"`` for all of them.
    epochs
        Passes over the training split.
    seed
        Where the random numbers start: first weights and the order of the data follow from it.
    precision
        dtype of parameters and arithmetic.
    objective
        Name of what training makes as large as it can.
    """

    optimizer: Any = one_of(
        OPTIMIZERS, default="sgd", label="Optimizer", help="How gradients become updates."
    )
    schedule: Any = one_of(
        SCHEDULES, default="constant", label="Schedule", help="How the rate changes in the run."
    )
    batch: int | Literal["full"] = integer(
        default=128,
        minimum=1,
        maximum=10_000_000,
        choices=("full",),
        label="Batch",
        unit="data points",
        help="Data points that one iteration looks at; full takes all of them.",
    )
    epochs: int = integer(
        default=10,
        minimum=1,
        maximum=1_000_000,
        label="Epochs",
        help="Passes over the training split.",
    )
    seed: int = integer(
        default=0,
        minimum=0,
        maximum=MAX_SEED,
        label="Seed",
        help="The same seed gives the same run on the same device.",
    )
    precision: Literal["float32", "float64"] = choice(
        default="float32",
        choices=("float32", "float64"),
        label="Precision",
        help="Numbers of 32 bits are faster, numbers of 64 bits are more exact.",
    )
    objective: str = choice(
        default="log_likelihood",
        registry=OBJECTIVES,
        label="Objective",
        help="What training makes as large as it can.",
    )

    def __attrs_post_init__(self) -> None:
        """Refuse a rate that the precision does not hold."""
        check_rate(self.optimizer.rate, self.precision)


def check_rate(rate: float, precision: str) -> None:
    """Raise SpecError if numbers of the precision are all smaller than the rate."""
    largest = float(np.finfo(precision).max)
    if rate > largest:
        raise SpecError(
            f"The rate {rate:g} is more than {precision} holds.", f"Stay below {largest:.2g}."
        )

"""The spec of a network: what goes in and the layers that stand on one another.

Responsible for the description alone; knows neither what a layer computes nor its shape.
"""

from __future__ import annotations

from typing import Any

import attrs

from workbench.spec.fields import integers, several
from workbench.spec.registries import LAYERS


@attrs.frozen
class NetworkSpec:
    """A stack of layers.

    Parameters
    ----------
    input
        Shape of one input: (1, 28, 28) for an image of one channel, (4,) for a row of four numbers.
    layers
        Instances of registered layer classes, the first one next to the input.
    """

    input: tuple[int, ...] = integers(
        minimum=1,
        maximum=100_000,
        label="Input",
        help="Shape of one input: channels, height, width.",
    )
    layers: tuple[Any, ...] = several(LAYERS, label="Layers", help="From the input to the output.")

"""What is timed: the pieces of work, their names, and how much arithmetic each of them is.

Responsible for what every contender must agree on; knows no contender.
"""

from __future__ import annotations

import re
from typing import Literal

import attrs

from workbench.core.errors import InputError
from workbench.nn.shapes import parameters_of
from workbench.spec.library import find_network
from workbench.spec.network import NetworkSpec

#: What every training work goes up the slope with, and where its random numbers start.
RATE, SEED = 0.1, 0

#: Filters of the two convolutions of LeNet, their side, and its hidden units.
LENET_FILTERS, LENET_SIDE, LENET_HIDDEN = (20, 50), 5, 500

#: The product from whose best time the machine's peak is taken, with those that were asked for.
PEAK = "gemm-2048"

#: What is timed where nothing is named.
NAMES = (
    "relu",
    "relu-32",
    "relu-512",
    "logistic",
    "tanh",
    "lenet",
    "predict",
    "gemm-128x784x256",
    "gemm-784x256x128-tn",
    "gemm-1024",
    "gemm-4096",
)


@attrs.frozen
class Training:
    """Plain gradient ascent in float32.

    Parameters
    ----------
    name
        What it is called.
    network
        The layers; None for LeNet, which has no spec.
    images
        Training images.
    batch
        Images in an iteration.
    unit
        What a time is the time of: an epoch, or an iteration.
    hidden
        The activation of the hidden layers, where there are any.
    """

    name: str
    network: NetworkSpec | None
    images: int
    batch: int
    unit: Literal["epoch", "iteration"] = "iteration"
    hidden: Literal["relu", "tanh"] = "tanh"

    @property
    def flops(self) -> int:
        """Additions and multiplications of the matrix products of one unit."""
        per_image = 6 * sum(_products(self.network)) - 2 * _products(self.network)[0]
        return per_image * (self.images if self.unit == "epoch" else self.batch)


@attrs.frozen
class Prediction:
    """One image from host memory to its class probabilities in host memory, in float32."""

    name: str
    network: NetworkSpec
    unit: Literal["image"] = "image"

    @property
    def flops(self) -> int:
        """Additions and multiplications of the matrix products."""
        return 2 * sum(_products(self.network))


@attrs.frozen
class Multiplication:
    """The product of two float32 matrices that lie where the contender computes.

    Parameters
    ----------
    rows, depth, columns
        (rows, depth) times (depth, columns).
    transposed
        Whether the first factor lies in memory as (depth, rows), as it does where a gradient by
        weights is computed.
    """

    name: str
    rows: int
    depth: int
    columns: int
    transposed: bool = False
    unit: Literal["product"] = "product"

    @property
    def flops(self) -> int:
        """Additions and multiplications."""
        return 2 * self.rows * self.depth * self.columns


Work = Training | Prediction | Multiplication


def find_work(name: str, images: int = 50_000) -> Work:
    """Return the work called `name`; a number in it is the batch, or are the product's extents.

    Parameters
    ----------
    name
        ``relu`` (batch 128), ``relu-BATCH``, ``logistic``, ``tanh``, ``lenet``, ``predict``,
        ``gemm-N``, ``gemm-MxKxN``, or ``gemm-MxNxK-tn``.
    images
        Training images; ``tanh`` takes a tenth of them.

    Raises
    ------
    InputError
        There is no such work.
    """
    if match := re.fullmatch(r"relu(?:-(\d{1,5}))?", name):
        batch = int(match[1] or 128)
        if 1 <= batch <= images:
            return Training(name, find_network("relu"), images, batch, "epoch", "relu")
    elif name == "logistic":
        return Training(name, find_network(name), images, images)
    elif name == "tanh":
        return Training(name, find_network(name), images // 10, images // 10)
    elif name == "lenet":
        return Training(name, None, images, min(128, images))
    elif name == "predict":
        return Prediction(name, find_network("relu"))
    elif match := re.fullmatch(r"gemm-(\d{1,5})(?:x(\d{1,5})x(\d{1,5}))?(-tn)?", name):
        first, second, third = (int(n or match[1]) for n in match.groups()[:3])
        if match[4]:
            second, third = third, second
        if min(first, second, third):
            return Multiplication(name, first, second, third, bool(match[4]))
    raise InputError(
        f"There is no work called {name!r}.",
        f"Known: {', '.join(NAMES)}, and relu-BATCH and gemm-MxKxN with other numbers.",
    )


def _products(network: NetworkSpec | None) -> list[int]:
    """Return the multiplications of each layer's product for one image, in order."""
    if network is None:
        (first, second), side = LENET_FILTERS, LENET_SIDE**2
        dense = [second * 16 * LENET_HIDDEN, LENET_HIDDEN * 10]
        return [24 * 24 * side * first, 8 * 8 * side * first * second, *dense]
    weights = [param.shape for param in parameters_of(network).values() if len(param.shape) == 2]
    return [rows * columns for rows, columns in weights]

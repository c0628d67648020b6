"""The spec of a choice of data: which dataset, how much of it, how pixels become numbers.

Responsible for the description alone; knows no file and no download.
"""

from __future__ import annotations

import attrs

from workbench.spec.fields import integer, name_or_path, number
from workbench.spec.registries import DATASETS


@attrs.frozen
class DataSpec:
    """One choice of data.

    Parameters
    ----------
    dataset
        Name of a registered dataset, or the path of a file or folder.
    pixel_scale
        What a pixel's byte is multiplied by; the default makes numbers from 0 to below 1.
    limit
        Number of data points that the training split is cut to; None for all of them.
    """

    dataset: str = name_or_path(
        default="digits", registry=DATASETS, label="Dataset", help="A known dataset, or a file."
    )
    pixel_scale: float = number(
        default=1 / 256,
        minimum=0,
        above_minimum=True,
        label="Pixel scale",
        help="What the byte of a pixel, 0 to 255, is multiplied by.",
    )
    limit: int | None = integer(
        default=None,
        minimum=1,
        optional=True,
        label="Limit",
        unit="data points",
        help="Train on the first so many data points only.",
    )

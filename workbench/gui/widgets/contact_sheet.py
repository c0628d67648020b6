"""Many small images as one large one.

Responsible for putting them side by side; draws nothing.
"""

from __future__ import annotations

import math

import numpy as np


def contact_sheet(images: np.ndarray) -> tuple[np.ndarray, int]:
    """Return all images side by side in about a square, and how many stand in one of its rows.

    Shapes
    ------
    images : (n, height, width) or (n, height, width, 4), uint8
    returned : (rows * height, columns * width) or the same with 4 colours, and `columns`
    """
    if images.ndim == 4:
        # Colours move as one number of four bytes, several times as fast.
        together = images if images.strides[-1] == 1 else np.ascontiguousarray(images)
        sheet, columns = contact_sheet(together.view(np.uint32)[..., 0])
        return sheet[..., None].view(np.uint8), columns
    count, height, width = images.shape
    columns = max(1, math.ceil(math.sqrt(count)))
    rows = math.ceil(count / columns)
    sheet = np.zeros((rows * height, columns * width), images.dtype)
    cells = sheet.reshape(rows, height, columns, width).swapaxes(1, 2)
    for row in range(rows):
        part = images[row * columns : (row + 1) * columns]
        cells[row, : len(part)] = part
    return sheet, columns

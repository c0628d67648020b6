"""How rows of a dataset become inputs of a network.

Responsible for shape, dtype and pixel scale; knows neither what the network computes nor a device.
"""

from __future__ import annotations

import math

import attrs
import numpy as np

from workbench.core.errors import DataError
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable


@attrs.frozen
class Feed:
    """Turns rows into network inputs.

    Bytes stay bytes until they are on the device; there they are cast and multiplied by the pixel
    scale. Floating-point rows are taken as they are.

    Parameters
    ----------
    input_shape
        Shape of one input of the network.
    precision
        dtype in which the network computes.
    pixel_scale
        What bytes are multiplied by.
    """

    input_shape: tuple[int, ...]
    precision: str
    pixel_scale: float

    def arrange(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows in the network's shape: as uint8 if they are, else in the precision.

        Raises
        ------
        DataError
            A row holds another count of numbers than the network's input.
        """
        if math.prod(rows.shape[1:]) != math.prod(self.input_shape):
            raise DataError(
                f"The network takes inputs of shape {self.input_shape}, "
                f"but these have shape {rows.shape[1:]}.",
                "Give the network the input shape of the data, or choose other data.",
            )
        dtype = rows.dtype if rows.dtype == np.uint8 else np.dtype(self.precision)
        return np.ascontiguousarray(rows, dtype).reshape(len(rows), *self.input_shape)

    def variable(self, dtype: str, name: str) -> Variable:
        """Return a variable for a batch of arranged rows of `dtype`."""
        return Variable(TensorType(dtype, (False,) * (1 + len(self.input_shape))), name=name)

    def expression(self, rows: Variable) -> Variable:
        """Return the network's input from arranged rows on the device."""
        if rows.dtype == "uint8":
            return rows.astype(self.precision) * self.pixel_scale  # type: ignore[no-any-return]
        return rows

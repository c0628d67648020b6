"""The spacing scale.

Responsible for every distance between widgets, in logical pixels; knows no widget.
"""

from __future__ import annotations

from typing import Final


class S:
    """Distances in logical pixels: Qt scales them with the screen."""

    xs: Final = 4
    s: Final = 8
    m: Final = 12
    l: Final = 16  # noqa: E741 - the scale's own names
    xl: Final = 24

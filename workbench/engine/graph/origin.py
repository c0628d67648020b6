"""Where a variable was made, for messages and profiles.

Responsible for finding out; knows nothing of variables.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from types import FrameType

import attrs

_layer: ContextVar[tuple[int, str] | None] = ContextVar("layer", default=None)


@attrs.frozen
class Origin:
    """Where a variable was made: a layer of a network, or a line of the user's program."""

    layer: int | None = None
    name: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        if self.layer is not None:
            return f"layer {self.layer + 1} ({self.name})"
        return f"{self.file}, line {self.line}" if self.file else "an unknown place"


@contextmanager
def made_by(layer: int, name: str) -> Iterator[None]:
    """Let every variable made inside the block remember its layer.

    Parameters
    ----------
    layer
        Its number, from 0.
    name
        What it is called.
    """
    token = _layer.set((layer, name))
    try:
        yield
    finally:
        _layer.reset(token)


def made_with(origin: Origin) -> AbstractContextManager[None]:
    """Let every variable made inside the block remember the layer that another belongs to.

    What belongs to none is left alone.
    """
    return nullcontext() if origin.layer is None else made_by(origin.layer, origin.name)


def here() -> Origin:
    """Return the layer being made, or else the line outside of the workbench that is running."""
    layer = _layer.get()
    if layer is not None:
        return Origin(layer=layer[0], name=layer[1])
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_ours(frame):
        frame = frame.f_back
    if frame is None:
        return Origin()
    return Origin(file=frame.f_code.co_filename, line=frame.f_lineno)


def _is_ours(frame: FrameType) -> bool:
    # What ``python -m workbench`` runs is called "__main__".
    name = frame.f_globals.get("__package__") or frame.f_globals.get("__name__", "")
    return str(name).partition(".")[0] == "workbench"

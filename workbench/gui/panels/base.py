"""What every panel is: a widget that is told things and asks by signal.

Responsible for the meeting point of controller and panels; knows no particular panel.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from workbench.core.registry import Registry
from workbench.gui.state import DocumentState
from workbench.training.events import Event, Snapshot

Place = Literal["left", "tab", "right"]

_request_ids = itertools.count(1)


def new_request_id() -> int:
    """Return a number that no request of any panel has had; its answer will carry it."""
    return next(_request_ids)


class Panel(QWidget):
    """One part of the window.

    Attributes
    ----------
    title
        What its tab or heading says.
    place
        Where the window puts it.
    keys
        What its own keys do, and which they are: lines of the shortcut sheet.

    Signals
    -------
    state_edited(object, str)
        The person changed something: the new `DocumentState` and the edit's name, "Set units".
    parameters_wanted(int)
        The parameters of a layer are to be shown; a `Probed` event answers.
    prediction_wanted(object, int)
        A uint8 array (n, height, width) is to be classified; the int is a `new_request_id`, which
        the `Predicted` or `RequestFailed` event that answers carries. Of one panel's requests that
        wait the newest counts; those of different panels do not displace each other.
    image_sent(object, int)
        A uint8 image (height, width) for the canvas, and its true class.
    export_wanted(object, object)
        The figures of a `History`, or a `QImage`, are to be written to the file of a path.
    message_raised(str, str)
        Something to say inline: a sentence and a hint.
    """

    title: ClassVar[str] = ""
    place: ClassVar[Place] = "tab"
    keys: ClassVar[Sequence[tuple[str, str]]] = ()

    state_edited = Signal(object, str)
    parameters_wanted = Signal(int)
    prediction_wanted = Signal(object, int)
    image_sent = Signal(object, int)
    export_wanted = Signal(object, object)
    message_raised = Signal(str, str)

    def take_state(self, state: DocumentState) -> None:
        """Show another description; called after every edit, undo and opening."""

    def take_snapshot(self, snapshot: Snapshot) -> None:
        """Show the newest numbers; called at most ten times a second and only while visible."""

    def take_event(self, event: Event) -> None:
        """Note anything else that a run reports; such events are rare.

        From a `Prepared` event on (`Started` is one too) there is a network that can be asked, and
        a history to show.
        """

    def show_image(self, image: np.ndarray, label: int) -> None:
        """Take an image that another panel sends to the canvas, and its true class.

        Shapes
        ------
        image : (height, width), uint8
        """

    def fault(self) -> str:
        """Return what was entered and refused, as a sentence; nothing where all is well."""
        return ""

    def choices(self) -> dict[str, Any]:
        """Return what the person has chosen in it and finds again at the next start: JSON."""
        return {}

    def restore_choices(self, choices: dict[str, Any]) -> None:
        """Choose what `choices` returned at the end of another session, or of another version."""


#: The panels in the order of their tabs.
PANELS: Registry[type[Panel]] = Registry("panel")

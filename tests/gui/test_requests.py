"""No panel's question displaces another's, and of one panel's the newest counts."""

from __future__ import annotations

import numpy as np
from pytestqt.qtbot import QtBot

from workbench.gui.panels.base import Panel
from workbench.gui.requests import Requests
from workbench.training.commands import Command, Predict, Probe
from workbench.training.events import Event, Predicted, Probed, RequestFailed, RunFailed

IMAGES = np.zeros((1, 2, 2), np.uint8)
OUTPUTS = np.zeros((1, 3))


class Listening(Panel):
    """Notes which of its questions fail."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[int, str]] = []

    def take_event(self, event: Event) -> None:
        assert isinstance(event, RequestFailed)
        self.told.append((event.id, event.message))


def sent_ids(sent: list[Command]) -> list[int]:
    return [command.id for command in sent if isinstance(command, Predict | Probe)]


def test_one_question_of_a_kind_is_on_its_way_and_the_newest_waits() -> None:
    sent: list[Command] = []
    requests = Requests(sent.append, lambda: True)
    for id, asker in ((1, "draw"), (2, "draw"), (3, "wall"), (4, "draw")):
        requests.ask(asker, Predict(IMAGES, id))
    requests.ask("weights", Probe(0, 5))
    assert sent_ids(sent) == [1, 5]
    assert requests.asker_of(Predicted(1, 0, OUTPUTS)) == "draw"
    assert sent_ids(sent) == [1, 5, 3]
    assert requests.asker_of(RequestFailed(3, "No.", "Yes.")) == "wall"
    assert requests.asker_of(Probed(5, 0, 0, {})) == "weights"
    assert requests.asker_of(Predicted(4, 0, OUTPUTS)) == "draw"
    assert sent_ids(sent) == [1, 5, 3, 4]
    assert requests.asker_of(Predicted(4, 0, OUTPUTS)) is None


def test_a_question_that_went_down_with_a_run_is_asked_again() -> None:
    sent: list[Command] = []
    requests = Requests(sent.append, lambda: True)
    requests.ask("draw", Predict(IMAGES, 1))
    assert requests.asker_of(RunFailed("DeviceError", "It failed.")) is None
    assert sent_ids(sent) == [1, 1]
    requests.ask("draw", Predict(IMAGES, 2))
    requests.asker_of(RunFailed("DeviceError", "It failed."))
    assert sent_ids(sent) == [1, 1, 2]


def test_of_a_document_that_the_engine_does_not_hold_nothing_is_asked(qtbot: QtBot) -> None:
    sent: list[Command] = []
    panel = Listening()
    qtbot.addWidget(panel)
    requests = Requests(sent.append, lambda: False)
    requests.ask(panel, Predict(IMAGES, 7))
    assert (panel.told, sent) == ([(7, "The network is not ready yet.")], [])

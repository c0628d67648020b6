"""No panel's question displaces another's, and of one panel's the newest counts."""

from __future__ import annotations

import numpy as np

from workbench.gui.requests import Requests
from workbench.training.commands import Command, Predict, Probe
from workbench.training.events import Predicted, Probed, RequestFailed, RunFailed

IMAGES = np.zeros((1, 2, 2), np.uint8)
OUTPUTS = np.zeros((1, 3))


def sent_ids(sent: list[Command]) -> list[int]:
    return [command.id for command in sent if isinstance(command, Predict | Probe)]


def test_one_question_of_a_kind_is_on_its_way_and_the_newest_waits() -> None:
    sent: list[Command] = []
    requests = Requests(sent.append)
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
    requests = Requests(sent.append)
    requests.ask("draw", Predict(IMAGES, 1))
    assert requests.asker_of(RunFailed("DeviceError", "It failed.")) is None
    assert sent_ids(sent) == [1, 1]
    requests.ask("draw", Predict(IMAGES, 2))
    requests.asker_of(RunFailed("DeviceError", "It failed."))
    assert sent_ids(sent) == [1, 1, 2]

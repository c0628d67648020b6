"""Steering commands are taken in order, of the requests only the newest."""

from __future__ import annotations

import queue
import threading

import numpy as np
import pytest

from workbench.core.errors import SpecError
from workbench.training.commands import (
    CommandQueue,
    Inbox,
    Pause,
    Predict,
    Probe,
    Resume,
    SetRate,
    Shutdown,
    Step,
    Stop,
)


def test_steering_keeps_its_order_and_requests_are_superseded() -> None:
    commands: CommandQueue = queue.SimpleQueue()
    inbox = Inbox(commands)
    image = np.zeros((1, 2, 2), np.uint8)
    sent = [Pause(), Predict(image, 1), Step(3), Probe(0, 2), Predict(image, 3), Resume()]
    for command in sent:
        commands.put(command)
    assert inbox.take(wait=False) == [Pause(), Step(3), Resume()]
    assert [request.id for request in inbox.requests()] == [3, 2]
    assert inbox.requests() == []
    assert inbox.take(wait=False) == []


def test_what_comes_behind_a_shutdown_stays() -> None:
    commands: CommandQueue = queue.SimpleQueue()
    for command in (Pause(), Shutdown(), Stop()):
        commands.put(command)
    inbox = Inbox(commands)
    assert inbox.take(wait=True) == [Pause(), Shutdown()]
    assert inbox.take(wait=True) == [Stop()]


def test_waiting_sleeps_until_a_command_comes() -> None:
    commands: CommandQueue = queue.SimpleQueue()
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.extend(Inbox(commands).take(wait=True)))
    thread.start()
    commands.put(Stop("enough"))
    thread.join(10)
    assert taken == [Stop("enough")]


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), 0.0, -0.1])
def test_a_rate_that_cannot_be_is_refused_where_it_is_sent(rate: float) -> None:
    with pytest.raises(SpecError, match="rate cannot be"):
        SetRate(rate)

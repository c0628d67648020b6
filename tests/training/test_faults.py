"""A run whose OpenCL device fails ends in a typed error, and goes on from what was kept."""

from __future__ import annotations

import queue
from collections.abc import Callable

import numpy as np
import pytest

from tests.faults import STATUS, Driver, break_kernels, checked, driver, refuse_memory
from workbench.core.errors import BuildFailed, DeviceLost, OutOfMemory
from workbench.engine.backends.catalogue import open_device
from workbench.training import trainer as trainer_module
from workbench.training.events import Snapshot
from workbench.training.session import Session
from workbench.training.trainer import Trainer

__all__ = ["checked", "driver"]

MakeSession = Callable[..., Session]


def test_what_does_not_fit_or_build_leaves_a_session_that_trains(
    make_session: MakeSession, checked: str
) -> None:
    session = make_session(on=open_device(checked))
    trainer = Trainer(session, queue.SimpleQueue())
    for fault, error in ((refuse_memory, OutOfMemory), (break_all, BuildFailed)):
        with pytest.MonkeyPatch.context() as patch:
            fault(patch)
            with pytest.raises(error) as caught:
                list(trainer.run())
        assert caught.value.hint
        assert session.position.step == 0
        assert not session.device.lost
    list(trainer.run())
    assert session.position.step == session.steps > 0


def break_all(patch: pytest.MonkeyPatch) -> None:
    break_kernels(patch, "__kernel")


def run_until_lost(session: Session, driver: Driver) -> None:
    for event in Trainer(session, queue.SimpleQueue()).run():
        if isinstance(event, Snapshot) and event.step >= 5:
            driver.lose(STATUS.INVALID_COMMAND_QUEUE)


def test_a_run_goes_on_from_where_its_device_was_lost(
    make_session: MakeSession,
    checked: str,
    driver: Driver,
    digest: Callable[[Session], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trainer_module, "KEEP_S", 0.0)
    whole = make_session(on=open_device(checked))
    list(Trainer(whole, queue.SimpleQueue()).run())
    session = make_session(on=open_device(checked))
    with pytest.raises(DeviceLost, match="was lost") as caught:
        run_until_lost(session, driver)
    step = session.position.step
    assert 0 < step < session.steps
    assert f"The parameters are those after {step} iterations." in caught.value.hint
    for name, value in session.parameters().items():
        np.testing.assert_array_equal(value, session.kept.parameters[name])
    driver.mend()
    again = make_session(
        on=open_device(checked), parameters=session.parameters(), position=session.position
    )
    list(Trainer(again, queue.SimpleQueue()).run())
    assert digest(again) == digest(whole)

"""The log of a run keeps what has happened, or says why it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench.core.errors import SaveError
from workbench.training.events import EpochEnded, Finished, Snapshot
from workbench.training.history import EpochRecord, History, Iterations
from workbench.training.run_log import RunLog

FULL = Path("/dev/full")

SNAPSHOT = Snapshot(
    step=3,
    steps=9,
    epoch=1,
    epochs=3,
    elapsed_s=0.5,
    samples_per_second=10.0,
    rate=0.1,
    log_likelihood=np.array([-1.5, -1 / 3]),
    accuracy=np.array([0.25, np.nan]),
)


def test_what_has_happened_is_on_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_text("of an earlier run")
    with RunLog(path) as log:
        assert path.read_text().count("\n") == 1
        log.add(SNAPSHOT)
        log.add(Finished(9, 1.0))
        rows = path.read_text().splitlines()[1:]
    assert rows == ["1,1,0.500000,-1.5,0.25,,,0.1", f"2,1,0.500000,{-1 / 3!r},,,,0.1"]


def test_a_history_makes_the_rows_that_its_events_made(tmp_path: Path) -> None:
    history = History()
    while_running, afterwards = tmp_path / "while.csv", tmp_path / "after.csv"
    with RunLog(while_running) as log:
        for epoch in (1, 2):
            made = Iterations([-1 / epoch, -0.5], [0.25, np.nan], [0.1, 0.1])
            step = 2 * epoch
            history.add_points(step - 2, epoch, 0.125 * epoch, made)
            figures = (0.125 * epoch, 10.0, made.log_likelihood, made.accuracy)
            log.add(Snapshot(step, 4, epoch, 2, *figures[:2], 0.1, *figures[2:]))
            record = EpochRecord(epoch, step, -0.7, None, -1 / 3, None, 0.1, 9.0, 0.2 * epoch, 0.1)
            history.add_epoch(record)
            log.add(EpochEnded(record))
        history.add_points(4, 3, 0.5, Iterations([-0.25], [1.0], [0.1]))
        log.add(Snapshot(5, 6, 3, 3, 0.5, 10.0, 0.1, np.array([-0.25]), np.array([1.0])))
    with RunLog(afterwards) as log:
        log.add_history(history)
    assert len(afterwards.read_text().splitlines()) == 8
    assert afterwards.read_text() == while_running.read_text()


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(SaveError, match="cannot be written"):
        RunLog(tmp_path / "absent" / "run.csv")


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
def test_a_full_disk_is_told_once() -> None:
    with pytest.raises(SaveError, match="No space left"), RunLog(FULL):
        pass

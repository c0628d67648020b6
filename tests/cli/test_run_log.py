"""The log of a run keeps what has happened, or says why it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench.cli.run_log import RunLog
from workbench.core.errors import SaveError
from workbench.training.events import Finished, Snapshot

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


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(SaveError, match="cannot be written"):
        RunLog(tmp_path / "absent" / "run.csv")


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
def test_a_full_disk_is_told_once() -> None:
    with pytest.raises(SaveError, match="No space left"), RunLog(FULL):
        pass

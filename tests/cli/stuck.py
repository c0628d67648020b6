"""The command line on a device that stops to answer in a run.

Run as ``python -m tests.cli.stuck WORD ...``; whoever waits for it loses patience soon.
"""

from __future__ import annotations

import sys

import pytest

from tests.faults import Driver
from workbench.cli import guarding, program
from workbench.engine.backends import watch
from workbench.training import events, trainer

guarding.LOOK_S = 0.1
guarding.GIVE_UP_S = float(sys.argv.pop(1))
watch.PATIENCE_S = 0.3
trainer.KEEP_S = 0.0

driver = Driver(pytest.MonkeyPatch())


class _Ended(events.EpochEnded):
    def __init__(self, record: events.EpochRecord) -> None:
        super().__init__(record)
        driver.hang()


trainer.EpochEnded = _Ended  # type: ignore[misc]
sys.exit(program.main(sys.argv[1:]))

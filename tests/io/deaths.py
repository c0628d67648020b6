"""Kills processes while they save a model, and writes what is found at its place after each death.

Started by tests as ``python -m tests.io.deaths steps|moments FOLDER OLD.h5 NEW.h5``; writes one
JSON object a death. It forks, so it must have no threads.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.io.here import fingerprint, read_here
from workbench import plugins
from workbench.io import ModelFile, save_model

#: Bytes that one write takes: some writes a save where each is a step; so many where moments are
#: drawn that a save spends most of its time on them.
STEP_BYTES = 4096
MOMENT_BYTES = 2
MOMENTS = 50
WITH_TEMPORARY = 25


def _short_writes(write: Callable[..., int], size: int) -> Callable[..., int]:
    return lambda handle, content: write(handle, content[:size])


class Doom:
    """Kills this process before or after the call of the operating system whose number is due."""

    def __init__(self, due: int) -> None:
        self.due = due
        self.count = 0

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def doomed(*args: Any, **named: Any) -> Any:
            self._point()
            result = call(*args, **named)
            self._point()
            return result

        return doomed

    def _point(self) -> None:
        if self.count == self.due:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1


def _save_and_die(target: Path, model: ModelFile, due: int) -> None:
    doom = Doom(due)
    os.write = _short_writes(os.write, STEP_BYTES)
    for name in ("open", "write", "fsync", "close", "chmod", "replace", "unlink"):
        setattr(os, name, doom.wrap(getattr(os, name)))
    save_model(target, model)


def _save_in_turn(target: Path, models: list[ModelFile], rounds: Iterable[int]) -> None:
    os.write = _short_writes(os.write, MOMENT_BYTES)
    for _ in rounds:
        for model in models:
            save_model(target, model)


def _fork(work: Callable[..., None], *args: Any) -> int:
    """Return the process id of a child that does `work` and ends."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            work(*args)
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    return child


def _report(target: Path, states: dict[str, str], child: int, status: int) -> dict[str, Any]:
    found = {
        "died": os.WIFSIGNALED(status),
        "failed": os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0,
        "temporary": any(target.parent.glob(f"{target.name}.tmp-{child}-*")),
        "state": states.get(fingerprint(read_here(target)), "neither"),
    }
    print(json.dumps(found))
    return found


def _at_each_step(target: Path, models: list[ModelFile], states: dict[str, str], old: Path) -> None:
    step, died = 0, True
    while died:
        for left in target.parent.iterdir():
            left.unlink()
        shutil.copy(old, target)
        child = _fork(_save_and_die, target, models[1], step)
        died = _report(target, states, child, os.waitpid(child, 0)[1])["died"]
        step += 1


def _at_random_moments(target: Path, models: list[ModelFile], states: dict[str, str]) -> None:
    began = time.monotonic()
    os.waitpid(_fork(_save_in_turn, target, models, range(1)), 0)
    round_s = time.monotonic() - began
    chance = random.Random(50)
    deaths = with_temporary = 0
    while deaths < MOMENTS or with_temporary < WITH_TEMPORARY:
        child = _fork(_save_in_turn, target, models, itertools.count())
        time.sleep(chance.uniform(0, 2 * round_s))
        os.kill(child, signal.SIGKILL)
        found = _report(target, states, child, os.waitpid(child, 0)[1])
        deaths += found["died"]
        with_temporary += found["temporary"]


def _main(how: str, folder: str, old: str, new: str) -> None:
    plugins.load_packages(["workbench.nn"])
    models = [read_here(Path(old)), read_here(Path(new))]
    states = {fingerprint(models[0]): "old", fingerprint(models[1]): "new"}
    target = Path(folder) / "model.h5"
    shutil.copy(old, target)
    if how == "steps":
        _at_each_step(target, models, states, Path(old))
    else:
        _at_random_moments(target, models, states)


if __name__ == "__main__":
    _main(*sys.argv[1:])

"""The process of one contender: prepares and times what it is told, and rests meanwhile.

Responsible for the clock; knows neither the other contenders nor what becomes of the seconds.

It reads one JSON object a line and answers with one.
"""

from __future__ import annotations

import gc
import importlib
import json
import math
import os
import signal
import sys
import time
from functools import cache
from typing import Any

import numpy as np

from workbench import plugins
from workbench.bench.contender import Contender, Task
from workbench.bench.material import factors, training_images
from workbench.bench.work import Multiplication, Prediction, Training, find_work
from workbench.core.errors import WorkbenchError
from workbench.data.dataset import Split

#: Seconds that a turn is meant to take; what takes longer is done once.
TURN_S = 0.3

#: The modules of the contenders and their classes: each is imported where it is wanted alone.
CONTENDERS = {
    "workbench": ("workbench.bench.ours", "Workbench"),
    "numpy": ("workbench.bench.numpy_peer", "NumPy"),
    "torch": ("workbench.bench.torch_peer", "PyTorch"),
}

#: A process whose threads took less than this part of a moment is at rest.
_REST, _MOMENT_S, _PATIENCE_S = 0.1, 0.02, 2.0


class Child:
    """A contender with the piece of work that it has before it."""

    def __init__(self) -> None:
        self._contender: Contender | None = None
        self._task: Task | None = None
        self._units = 0

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked: ``become`` a contender, ``prepare`` a work, or take a ``turn`` of it.

        What goes wrong is an answer too.
        """
        try:
            if request["do"] == "become":
                return {"about": self.become(*request["who"])}
            if request["do"] == "prepare":
                return {"units": self.prepare(request["work"], request["images"])}
            return {"seconds": self.take_turn()}
        except WorkbenchError as error:
            return {"error": error.message, "hint": error.hint, "status": error.exit_status}

    def become(self, kind: str, *arguments: Any) -> str:
        """Load a contender, made with `arguments`; return what it says that it is."""
        plugins.load_packages(plugins.BUILT_IN)
        module, name = CONTENDERS[kind]
        self._contender = getattr(importlib.import_module(module), name)(*arguments)
        assert self._contender is not None
        return self._contender.about

    def prepare(self, name: str, images: int) -> int:
        """Make everything ready and warm; return how many units a turn has."""
        assert self._contender is not None
        self._task = None
        gc.collect()
        work = find_work(name, images)
        self._task = task = _prepared(self._contender, work)
        task.run(1)
        # The first run compiled, allocated and touched memory; the second tells how long it takes.
        seconds = _timed(task, 1)
        self._units = max(1, math.ceil(TURN_S / max(seconds, 1e-6)))
        if self._units > 1:
            seconds = _timed(task, max(1, self._units // 10)) / max(1, self._units // 10)
            self._units = max(1, math.ceil(TURN_S / seconds))
        rest()
        return self._units

    def take_turn(self) -> float:
        """Return the seconds of one unit, on the mean of a turn; others have worked since the last.

        What is short is warmed up before: a unit that takes a turn of its own has no use for it.
        """
        assert self._task is not None
        if self._units > 1:
            self._task.run(max(1, self._units // 5))
        seconds = _timed(self._task, self._units) / self._units
        rest()
        return seconds


def rest() -> None:
    """Wait until the threads of this process are at rest, so that they take no time from others.

    Runtimes let their threads spin for a while when there is nothing more to do.
    """
    until = time.perf_counter() + _PATIENCE_S
    while time.perf_counter() < until:
        before = time.process_time()
        time.sleep(_MOMENT_S)
        if time.process_time() - before < _REST * _MOMENT_S:
            return


def _timed(task: Task, units: int) -> float:
    began = time.perf_counter()
    task.run(units)
    return time.perf_counter() - began


def _prepared(contender: Contender, work: Training | Prediction | Multiplication) -> Task:
    if isinstance(work, Multiplication):
        left = (work.depth, work.rows) if work.transposed else (work.rows, work.depth)
        return contender.multiply(work, *factors((left, (work.depth, work.columns))))
    if isinstance(work, Prediction):
        return contender.predict(work, _images(1000))
    return contender.train(work, _images(work.images))


def _images(count: int) -> Split:
    return _all_images()[:count]


@cache
def _all_images() -> Split:
    return training_images()


def main() -> None:
    """Answer until there are no more questions."""
    # Whatever libraries print goes to standard error; standard output is for answers alone.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Ctrl-C is for the process that asks, which ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    np.seterr(all="ignore")
    child = Child()
    for line in sys.stdin:
        print(json.dumps(child.answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()

"""Contenders that take turns, and what their times come to.

Responsible for the order of turns and for medians; knows nothing of how the work is done.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

import attrs

from workbench.bench.work import PEAK, Multiplication, Work, find_work
from workbench.core.errors import InputError, WorkbenchError
from workbench.engine.backends.catalogue import devices as list_devices

#: What the libraries behind NumPy and PyTorch read when they start.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Worker(Protocol):
    """A contender, wherever it works."""

    name: str
    about: str

    def prepare(self, work: str, images: int) -> None:
        """Make a piece of work ready."""

    def turn(self) -> float:
        """Return the seconds of a unit, from one turn."""


class ChildProcess:
    """A contender in a process of its own, which waits while others work.

    Parameters
    ----------
    name
        What figures call it.
    arguments
        Which contender, and what it is made with.
    """

    def __init__(self, name: str, *arguments: Any) -> None:
        self.name = name
        self.about = ""
        self._who = arguments

    def __enter__(self) -> ChildProcess:
        threads = dict.fromkeys(_THREAD_VARIABLES, str(cores()))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "workbench.bench.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **threads},
        )
        try:
            self.about = self._ask({"do": "become", "who": self._who})["about"]
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        # It has nothing to save, and may be in the middle of work when this process is interrupted.
        self._process.kill()
        self._process.communicate()

    def prepare(self, work: str, images: int) -> None:
        """Let it make a piece of work ready."""
        self._ask({"do": "prepare", "work": work, "images": images})

    def turn(self) -> float:
        """Let it take a turn; return the seconds of a unit."""
        return float(self._ask({"do": "turn"})["seconds"])

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkbenchError(
                f"The contender {self.name} ended with status {self._process.wait()} when it was "
                f"to {question['do']}.",
                "What it printed stands above; --only leaves works out.",
            )
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            kind = InputError if answer["status"] == InputError.exit_status else WorkbenchError
            raise kind(f"{self.name}: {answer['error']}", answer["hint"])
        return answer


@attrs.frozen
class Figures:
    """What the turns of one contender at one piece of work came to.

    Parameters
    ----------
    rounds_s
        Seconds of a unit, round by round.
    """

    rounds_s: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """The median."""
        return statistics.median(self.rounds_s)

    @property
    def spread(self) -> float:
        """Seconds between the fastest and the slowest round."""
        return max(self.rounds_s) - min(self.rounds_s)


@attrs.frozen
class Measured:
    """One piece of work on one of our devices, beside the peers, which took turns with it."""

    work: Work
    device: str
    ours: Figures
    peers: Mapping[str, Figures]

    @property
    def speedup(self) -> float | None:
        """The fastest peer's median in terms of ours; None without a peer."""
        if not self.peers:
            return None
        return min(peer.seconds for peer in self.peers.values()) / self.ours.seconds

    @property
    def gflops(self) -> float:
        """Arithmetic of the work's matrix products a second, in thousand millions."""
        return self.work.flops / self.ours.seconds / 1e9


@attrs.frozen
class Benchmark:
    """All that was measured.

    Parameters
    ----------
    contenders
        What each contender says that it is, by name.
    peak_gflops
        The best of all products, whoever made it: what this machine can do at all.
    measured
        By work, then by device.
    """

    contenders: Mapping[str, str]
    peak_gflops: float
    measured: tuple[Measured, ...]


#: Told what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]

#: Told of each piece of work, on each device, when it has been measured.
Tell = Callable[[Measured], None]


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_all(
    devices: Sequence[str],
    names: Sequence[str],
    rounds: int,
    images: int,
    progress: Progress,
    tell: Tell,
) -> Benchmark:
    """Measure the named works on our devices and by all peers that are here.

    Beside a GPU PyTorch works on one too, if it can.
    """
    on_gpu = any(info.type == "gpu" for info in list_devices() if info.id in devices)
    with ExitStack() as stack:
        ours = [ChildProcess(device, "workbench", device) for device in devices]
        peers = [ChildProcess("numpy", "numpy")]
        if torch_is_here():
            peers.append(ChildProcess("torch", "torch", cores(), on_gpu))
        for child in (*ours, *peers):
            stack.enter_context(child)
        return measure(ours, peers, names, rounds, images, progress, tell)


def torch_is_here() -> bool:
    """Whether PyTorch can be imported; it is installed by hand."""
    return importlib.util.find_spec("torch") is not None


def measure(
    ours: Sequence[Worker],
    peers: Sequence[Worker],
    names: Sequence[str],
    rounds: int,
    images: int,
    progress: Progress,
    tell: Tell,
) -> Benchmark:
    """Let all contenders take turns at each work: A B C A B C, so that drift treats them alike.

    Parameters
    ----------
    ours
        The workbench, once for each device; its names are the devices' ids.
    peers
        The others.
    names
        Of the works.
    rounds
        Turns of each contender at each work.
    images
        Training images.
    """
    workers = [*ours, *peers]
    order = [*names] if PEAK in names else [PEAK, *names]
    works = {name: find_work(name, images) for name in order}
    measured: list[Measured] = []
    best = 0.0
    for place, (name, work) in enumerate(works.items()):
        for worker in workers:
            progress(f"{name}: preparing {worker.name}", place, len(order))
            worker.prepare(name, images)
        seconds: dict[str, list[float]] = {worker.name: [] for worker in workers}
        for turn in range(rounds):
            progress(f"{name}: round {turn + 1} of {rounds}", place, len(order))
            for worker in workers:
                seconds[worker.name].append(worker.turn())
        figures = {worker: Figures(tuple(found)) for worker, found in seconds.items()}
        if isinstance(work, Multiplication):
            fastest = min(min(found) for found in seconds.values())
            best = max(best, work.flops / fastest / 1e9)
        beside = {peer.name: figures[peer.name] for peer in peers}
        if name in names:
            found = [Measured(work, our.name, figures[our.name], beside) for our in ours]
            measured += found
            for one in found:
                tell(one)
    contenders = {worker.name: worker.about for worker in workers}
    return Benchmark(contenders, best, tuple(measured))

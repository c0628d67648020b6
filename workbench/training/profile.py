"""Where the time of a session's iterations goes, kernel by kernel.

Responsible for bringing together what a device noted and what each kernel has to do; knows nothing
of how it is shown.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import attrs

from workbench.engine.backends.base import Launch
from workbench.engine.lower.cost import Cost, cost
from workbench.engine.lower.plan import Plan
from workbench.training.session import SLOTS, Session

#: Launches that a profile is made of, at most.
_LAUNCHES = 50_000

#: Iterations before the clock is looked at.
_WARM_UP = 5


@attrs.frozen
class KernelTiming:
    """One kernel of a plan, on the mean of its runs, by the device's own clock.

    Parameters
    ----------
    label
        The layers or lines that it came from, as the plan's text has it.
    steps
        Numbers of the plan's steps that it is, or is part of.
    launches
        How often it is run in one iteration: more than once where a plan repeats another.
    seconds
        What all these runs take in one iteration.
    share
        Which part of the time of all kernels that is.
    flops, size_bytes
        What they have to do: see `Cost`. A step that several kernels do is counted for the first.
    """

    label: str
    steps: tuple[int, ...]
    launches: float
    seconds: float
    share: float
    flops: float
    size_bytes: float

    @property
    def gflops(self) -> float:
        """Arithmetic a second, in thousand millions."""
        return self.flops / self.seconds / 1e9 if self.seconds else 0.0

    @property
    def gigabytes_per_second(self) -> float:
        """Bytes read and written a second, in thousand millions."""
        return self.size_bytes / self.seconds / 1e9 if self.seconds else 0.0


@attrs.frozen
class Profile:
    """Where the time of iterations went.

    Parameters
    ----------
    kernels
        In the order in which they are run.
    iterations
        How many it is the mean of.
    seconds
        Time of one iteration by the clock on the wall, the reading of its figures included.
    """

    kernels: tuple[KernelTiming, ...]
    iterations: int
    seconds: float

    @property
    def kernel_seconds(self) -> float:
        """Time of one iteration in which the device was at work."""
        return sum(kernel.seconds for kernel in self.kernels)


def profile(session: Session, seconds: float) -> Profile:
    """Make iterations of a session for about so many seconds, and return where their time went.

    The session's device was opened to be profiled. What is shorter than a mini-batch at the end of
    an epoch is trained on, and not counted.
    """
    device = session.device
    # The first iterations build kernels, and touch memory.
    session.advance(min(_WARM_UP, _whole_left(session)))
    device.launches()
    launches: list[Launch] = []
    made, passed, burst = 0, 0.0, 1
    while passed < seconds and len(launches) < _LAUNCHES:
        count = min(burst, _whole_left(session))
        if not count:
            session.advance(1)
            device.launches()
            continue
        began = time.perf_counter()
        session.advance(count)
        passed += time.perf_counter() - began
        launches += device.launches()
        made += count
        burst = min(2 * burst, SLOTS)
    return Profile(timings(launches, made), made, passed / made)


def _whole_left(session: Session) -> int:
    """Return how many whole mini-batches the epoch still has."""
    return session.left_in_epoch - bool(session.examples % session.batch)


def timings(launches: Iterable[Launch], iterations: int) -> tuple[KernelTiming, ...]:
    """Return what each kernel took, on the mean of so many iterations, in the order of first runs.

    Parameters
    ----------
    launches
        All that ran in these iterations.
    """
    seconds: dict[tuple[Plan, tuple[int, ...], str], list[float]] = {}
    for launch in launches:
        key = (launch.plan, launch.steps, launch.label)
        seconds.setdefault(key, []).append(launch.seconds)
    total = sum(sum(runs) for runs in seconds.values())
    counted: set[tuple[Plan, int]] = set()
    found = []
    for (plan, steps, label), runs in seconds.items():
        new = [number for number in steps if (plan, number) not in counted]
        counted.update((plan, number) for number in new)
        costs: list[Cost] = [cost(plan.steps[number], plan) for number in new]
        often = len(runs) / iterations
        found.append(
            KernelTiming(
                label=label,
                steps=steps,
                launches=often,
                seconds=sum(runs) / iterations,
                share=sum(runs) / total if total else 0.0,
                flops=often * sum(c.flops for c in costs),
                size_bytes=often * sum(c.size_bytes for c in costs),
            )
        )
    return tuple(found)

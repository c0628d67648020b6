"""A run as a person at a terminal sees it, and how Ctrl-C ends it.

Responsible for turning events into progress and messages; knows nothing of how training is done.
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

from workbench.cli.console import Console
from workbench.training.commands import CommandQueue, Stop
from workbench.training.events import EpochEnded, Event, Finished, Snapshot, Started, Stopped
from workbench.training.history import EpochRecord

#: Epochs that follow one another faster than this are not all told.
_EPOCH_LINE_S = 1.0


@contextmanager
def stopping_on_interrupt(commands: CommandQueue) -> Iterator[None]:
    """Let Ctrl-C ask the run to stop instead of breaking off what happens inside the block.

    A second Ctrl-C asks nothing new, so that a save inside the block is completed.
    """

    def stop(_: int, __: FrameType | None) -> None:
        commands.put(Stop("interrupted"))

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def watched(events: Iterable[Event], console: Console) -> Iterator[Event]:
    """Show what a run reports, and pass it on."""
    told_s = 0.0
    untold: EpochRecord | None = None
    for event in events:
        if isinstance(event, Started):
            console.message(
                f"Training {event.parameters:,} parameters on {event.examples:,} data points "
                f"with {event.device.name} ({event.device.id}), {event.precision}."
            )
            console.progress("preparing kernels", 0, 0)
        elif isinstance(event, Snapshot):
            note = (
                f"epoch {event.epoch} of {event.epochs}, "
                f"{event.samples_per_second:,.0f} samples/s, "
                f"{_score(event.log_likelihood[-1], event.accuracy[-1])}"
            )
            console.progress("training", event.step, event.steps, note)
        elif isinstance(event, EpochEnded):
            untold, now_s = event.record, time.monotonic()
            if now_s - told_s >= _EPOCH_LINE_S:
                untold, told_s = None, now_s
                console.message(_epoch_line(event.record))
        elif isinstance(event, Finished):
            # However quick it was, the last one is what the run came to.
            if untold is not None:
                console.message(_epoch_line(untold))
            console.message(f"Finished {event.step:,} iterations in {event.elapsed_s:.1f} s.")
        elif isinstance(event, Stopped):
            console.message(f"Stopped after {event.step:,} iterations: {event.reason}.")
        yield event


def _epoch_line(record: EpochRecord) -> str:
    parts = [f"epoch {record.epoch}: {_score(record.log_likelihood, record.accuracy)}"]
    if record.accuracy is not None:
        parts.append(f"accuracy {record.accuracy:.2%}")
    if record.validation_log_likelihood is not None:
        score = _score(record.validation_log_likelihood, record.validation_accuracy)
        parts.append(f"validation {score}")
    if record.validation_accuracy is not None:
        parts.append(f"accuracy {record.validation_accuracy:.2%}")
    parts.append(f"{record.seconds:.2f} s, {record.samples_per_second:,.0f} samples/s")
    return ", ".join(parts)


def _score(value: float, accuracy: float | None) -> str:
    """Return what training makes large: the log-likelihood where there are classes."""
    classes = accuracy is not None and not math.isnan(accuracy)
    return f"LL {value:.4f}" if classes else f"score {value:.6g}"

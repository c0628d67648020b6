"""A run in words and digits.

Responsible for how figures are written; knows no widget.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.core.errors import UntrustedDevice
from workbench.engine.backends.verdicts import Verdict
from workbench.training.events import RunFailed, Snapshot, Started

#: How much of the former speed stays in the present one: digits that jump cannot be read.
_INERTIA = 0.7


class Speed:
    """How fast a run is, in figures that can be read.

    Parameters
    ----------
    started
        How the run began.
    """

    def __init__(self, started: Started) -> None:
        self._rows = started.examples / started.iterations_per_epoch
        self._speed = 0.0

    def speed_of(self, snapshot: Snapshot) -> float:
        """Take the newest figures; return training rows a second, smoothed."""
        now = snapshot.samples_per_second
        self._speed = _INERTIA * self._speed + (1 - _INERTIA) * now if self._speed else now
        return self._speed

    def left(self, snapshot: Snapshot) -> str:
        """Return the time left at the present speed."""
        rows = (snapshot.steps - snapshot.step) * self._rows
        return f"{duration(rows / self._speed)} left" if self._speed and rows else ""


def epoch_text(snapshot: Snapshot) -> str:
    """Return which epoch of how many."""
    return f"epoch {snapshot.epoch:,} of {snapshot.epochs:,}"


def score_text(log_likelihood: np.ndarray, accuracy: np.ndarray) -> str:
    """Return the last log-likelihood, or another objective's score; nothing where there is none.

    Without classes the accuracies are NaN, and the scores others.
    """
    if not len(log_likelihood):
        return ""
    known = not math.isnan(accuracy[-1])
    value = float(log_likelihood[-1])
    text = f"LL {value:.4f}" if known and value > -1000 else f"LL {value:.4g}"
    if not known:
        text = f"score {value:.5g}"
    return text.replace("-", "−")


def duration(seconds: float) -> str:
    """Return a time as h:mm:ss or m:ss."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    text = f"{minutes:02}:{whole % 60:02}"
    return f"{hours}:{text}" if hours else text.removeprefix("0")


def trust_text(verdict: Verdict | None) -> str:
    """Return what is known of a device that computes; nothing of the reference itself."""
    if verdict is None or not (verdict.findings or verdict.failure or verdict.unasked):
        return "What computes"
    told = []
    if verdict.trust != "trusted":
        told.append(f"Computes wrong: {verdict.faults}")
    elif verdict.findings:
        error = f"the largest error found is {verdict.worst_error:.1e}"
        told.append(f"Computes as NumPy does; {error}")
    if verdict.unasked:
        told.append(f"Still to be asked while nothing is trained, {verdict.open_questions}")
    return ".\n".join(told)


def way_on(failed: RunFailed) -> str:
    """Return what a person may do about a failure by a press on a button; empty if nothing."""
    return "Use it anyway" if failed.kind == UntrustedDevice.__name__ else ""

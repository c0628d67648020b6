"""Whether a run has fallen so far below guessing that its rate must be too high.

Responsible for telling that from noise; knows neither widget nor network.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.training.history import History

#: Iterations that are judged together: single ones are noise where batches are small.
_BLOCK = 20

#: A run has learnt something once half of a block is nearer to 0 than this part of guessing.
_LEARNT = 0.9

#: How many times lower than guessing an iteration has to be to count, how much of it counts at
#: most, and how much all of them may come to before the run has learnt something; in units of
#: guessing. So ten iterations are the fewest that are said anything of.
_WIDE, _MOST, _LIMIT = 2.0, 50.0, 500.0


class Collapse:
    """Watches the log-likelihoods of a run.

    A rate that is somewhat too high makes a run fall and rise again; one that is absurd leaves it
    where it fell, or with units that are dead and never do better than guessing again.

    Parameters
    ----------
    history
        The figures of the run, as they come.
    classes
        How many there are to guess from, 2 at least.
    """

    def __init__(self, history: History, classes: int) -> None:
        self._history = history
        self._guessing = -math.log(classes)
        self._seen = 0
        self._fallen = 0.0
        self._rate: float | None = None

    def rate(self) -> float | None:
        """Look at what has come; return the rate by which the run fell, None while all is well."""
        points = self._history.points()
        count = (len(points["step"]) - self._seen) // _BLOCK
        if not count:
            return self._rate
        rows = slice(self._seen, self._seen + count * _BLOCK)
        self._seen = rows.stop
        # How many times as far from 0 as guessing.
        times = points["log_likelihood"][rows].reshape(-1, _BLOCK) / self._guessing
        rates = points["rate"][rows][_BLOCK - 1 :: _BLOCK]
        learnt = np.flatnonzero((times < _LEARNT).sum(axis=1) >= _BLOCK // 2)
        if len(learnt):
            self._fallen, self._rate = 0.0, None
            times, rates = times[learnt[-1] + 1 :], rates[learnt[-1] + 1 :]
        fallen = np.where(times > _WIDE, np.minimum(times - 1, _MOST), 0)
        total = self._fallen + np.cumsum(fallen.sum(axis=1))
        if len(total):
            self._fallen = float(total[-1])
        if self._rate is None and self._fallen > _LIMIT:
            self._rate = float(rates[np.searchsorted(total, _LIMIT, side="right")])
        return self._rate

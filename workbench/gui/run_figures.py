"""What of a run can be plotted, and how its figures are called and written.

Responsible for the choices and for words; draws nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import numpy as np


def _as_is(values: np.ndarray) -> np.ndarray:
    return values


def _error(share: np.ndarray) -> np.ndarray:
    return 1 - share


@attrs.frozen
class Figure:
    """One way to look at a column of the history.

    Parameters
    ----------
    name
        What it is called.
    column
        Name of the column; that of the validation split begins with ``validation_``.
    convert
        From the column to what is plotted.
    percent
        Whether it is a part of one that is written in hundredths.
    rises
        Whether learning makes it larger.
    help
        What it is, in a sentence.
    """

    name: str
    column: str
    convert: Callable[[np.ndarray], np.ndarray]
    percent: bool
    rises: bool
    help: str

    @property
    def label(self) -> str:
        """Its name with its unit."""
        return f"{self.name} (%)" if self.percent else self.name

    def write(self, value: float) -> str:
        """Return a converted number in words for people."""
        text = f"{100 * value:.2f} %" if self.percent else f"{value:.5g}"
        return text.replace("-", "−")


_SCORE = "log_likelihood"

LIKELIHOODS = (
    Figure("Log-likelihood", _SCORE, _as_is, False, True, "Mean of log P[correct class]."),
    Figure(
        "Average probability",
        _SCORE,
        np.exp,
        True,
        True,
        "exp(log-likelihood): the geometric mean of the correct class's probability.",
    ),
    Figure("Loss", _SCORE, np.negative, False, False, "Log-likelihood with the other sign."),
)
SCORES = (
    Figure("Score", _SCORE, _as_is, False, True, "Negative mean of the squared errors."),
    Figure("Loss", _SCORE, np.negative, False, False, "Mean of the squared errors."),
)
SHARES = (
    Figure("Accuracy", "accuracy", _as_is, True, True, "Part of the images classified rightly."),
    Figure("Error", "accuracy", _error, True, False, "Part of the images classified wrongly."),
)


def describe(
    figures: tuple[Figure, ...],
    points: Mapping[str, np.ndarray],
    epochs: Mapping[str, np.ndarray],
    step: float | None = None,
) -> str:
    """Return the figures nearest to an iteration, or the newest, a line for each split.

    Parameters
    ----------
    figures
        What is told.
    points, epochs
        Columns of the history.
    step
        Number of an iteration; None for the newest.
    """
    parts = []
    for name, prefix, rows in (("Iteration", "", points), ("Validation at", "validation_", epochs)):
        steps = rows["step"]
        if len(steps):
            row = len(steps) - 1 if step is None else nearest(steps, step)
            values = [
                f"{figure.name.lower()} {figure.write(float(figure.convert(value)))}"
                for figure in figures
                if not np.isnan(value := rows[prefix + figure.column][row])
            ]
            if values:
                parts.append(f"{name} {steps[row]:,}: {', '.join(values)}")
    return "\n".join(parts)


def nearest(steps: np.ndarray, step: float) -> int:
    """Return the row whose number is nearest to `step`; `steps` rise and are not empty."""
    right = int(np.searchsorted(steps, step))
    if right == 0:
        return 0
    if right == len(steps):
        return right - 1
    return right if steps[right] - step < step - steps[right - 1] else right - 1

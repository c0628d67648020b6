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


def thinned(
    steps: np.ndarray, values: np.ndarray, left: float, right: float, columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that a picture of so many columns needs, and no more of them.

    Of the rows that share a column or half of one, the least and the largest stay, so that no peak
    is lost. Columns begin at the same rows however many follow: a curve that grows stays as it was.

    Parameters
    ----------
    steps, values
        All rows; `steps` rise. Rows without a value are left out.
    left, right
        What of `steps` is in view. One row beyond either side belongs to the picture.
    columns
        Width of the picture.

    Shapes
    ------
    steps, values : (n,)
    returned : twice (m,) with m <= n and m < 4 columns + 4; float64
    """
    first = max(int(np.searchsorted(steps, left)) - 1, 0)
    last = int(np.searchsorted(steps, right, side="right")) + 1
    size = 1 << max((len(steps[first:last]) // columns).bit_length() - 1, 0)
    first -= first % size
    steps, values = steps[first:last], values[first:last]
    missing = np.isnan(values)
    if missing.any():
        steps, values = steps[~missing], values[~missing]
    if size > 2:
        chosen = _extremes(values, size)
        steps, values = steps[chosen], values[chosen]
    return steps.astype(np.float64), values.astype(np.float64)


def _extremes(values: np.ndarray, size: int) -> np.ndarray:
    """Return where the least and the largest of each `size` values are, in rising order."""
    whole = len(values) - len(values) % size
    groups, rest = values[:whole].reshape(-1, size), values[whole:]
    found = np.stack([groups.argmin(1), groups.argmax(1)], 1) + np.arange(0, whole, size)[:, None]
    if len(rest):
        found = np.concatenate([found, [[whole + rest.argmin(), whole + rest.argmax()]]])
    return np.sort(found, axis=1).ravel()


def nearest(steps: np.ndarray, step: float) -> int:
    """Return the row whose number is nearest to `step`; `steps` rise and are not empty."""
    right = int(np.searchsorted(steps, step))
    if right == 0:
        return 0
    if right == len(steps):
        return right - 1
    return right if steps[right] - step < step - steps[right - 1] else right - 1

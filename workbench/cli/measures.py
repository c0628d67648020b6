"""Measures by class, as several verbs give them.

Responsible for their names and their table; the arithmetic is elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.cli.console import print_table
from workbench.training.evaluator import Evaluation
from workbench.training.metrics import f1, precision, recall

_MEASURES = {"precision": precision, "recall": recall, "f1": f1}


def by_class(evaluation: Evaluation) -> dict[str, Any]:
    """Return precision, recall and F1, each by class; None where there are no classes."""
    if evaluation.accuracy is None:
        return dict.fromkeys(_MEASURES)
    return {name: measure(evaluation.confusion) for name, measure in _MEASURES.items()}


def print_by_class(measures: Mapping[str, Any]) -> None:
    """Print the table of what `by_class` returned, among other figures perhaps."""
    columns = {name: [f"{value:.4f}" for value in measures[name]] for name in _MEASURES}
    print_table({"class": [str(i) for i in range(len(measures["f1"]))], **columns})

"""Stands in for what devices are asked: answers as it is told to, and notes what was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs
import pytest

from workbench.core.errors import WorkbenchError
from workbench.engine.backends.base import Device, DeviceInfo
from workbench.engine.backends.verdicts import Finding, Question, Verdict
from workbench.training import devices, trust
from workbench.training.trial import Trial

#: What there is to ask.
QUESTIONS: tuple[Question, ...] = (
    ("updates", "float32"),
    ("updates", "float64"),
    ("moves", "float32"),
)


class Asking:
    """Answers in the place of every device; nothing is known of any at first.

    Attributes
    ----------
    wrong
        Families that are answered wrong, and what there is wrong.
    off
        Whether a network is computed wrong.
    fails
        What is raised in the place of an answer, by family; ``trial`` is what a network needs.
    may_end
        Answers wait for it.
    asked
        The questions; ``trial`` and a precision for what a network needs.
    threads
        Where they were asked.
    """

    def __init__(self) -> None:
        self.wrong: Mapping[str, tuple[str, ...]] = {}
        self.off = False
        self.fails: dict[str, WorkbenchError] = {}
        self.may_end = threading.Event()
        self.may_end.set()
        self.asked: list[Question] = []
        self.threads: set[str] = set()

    def ask(
        self,
        device: Device,
        known: Verdict,
        progress: Callable[[str, int, int], None],
        most: int | None,
    ) -> Verdict:
        """Stand in for `trust.ask`."""
        for question in known.unasked[:most]:
            progress(f"checking {device.info.id}", 0, 1)
            found = self._answer(*question, self.wrong.get(question[0], ()))
            known = attrs.evolve(known.having(found), unasked=known.unasked[1:])
        return attrs.evolve(known, trust=trust._trust(known.findings))

    def compare(self, trial: Trial, _: Device) -> Finding:
        """Stand in for `Trial.compare`."""
        found = self._answer("trial", trial.precision, ("0.weight",) if self.off else ())
        return attrs.evolve(found, family=trial.family)

    def _answer(self, family: str, precision: str, wrong: tuple[str, ...]) -> Finding:
        self.asked.append((family, precision))
        self.threads.add(threading.current_thread().name)
        assert self.may_end.wait(20)
        if family in self.fails:
            raise self.fails[family]
        return Finding(family, precision, 0.5 if wrong else 1e-7, "TN", wrong)


def first_question(info: DeviceInfo) -> str:
    """Return how a device's first question is told, where it is answered wrong."""
    return f"{info.id} ({info.name}) computes wrong: updates in float32 (TN; error 0.5)"


@pytest.fixture
def asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asking:
    """Return what answers on a machine where nothing is known of any device."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "asking"))
    families = {"updates": trust.FAMILIES["updates"], "moves": trust.FAMILIES["moves"]}
    monkeypatch.setattr(trust, "FAMILIES", families)
    made = Asking()
    monkeypatch.setattr(devices, "ask", made.ask)
    monkeypatch.setattr(devices, "speed", lambda _: 10.0)
    monkeypatch.setattr(Trial, "compare", lambda trial, device: made.compare(trial, device))
    return made

"""The forms of the run: how the network is trained, and on which data.

Responsible for editing those two specs and for warning of a rate that ruins a run; knows nothing of
the network but how many classes it tells apart.
"""

from __future__ import annotations

import math
import time
from typing import Any

import attrs
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from workbench.gui.collapse import Collapse
from workbench.gui.forms.form import Form
from workbench.gui.panels.base import PANELS, Panel
from workbench.gui.state import DocumentState
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.fitted_scroll import FittedScroll
from workbench.nn.shapes import walk
from workbench.spec.data import DataSpec
from workbench.spec.training import TrainingSpec
from workbench.training.events import Event, Prepared, Snapshot

#: Room for the first fields, however long the stack is.
_MIN_PX = 160

#: Seconds between two looks at a run.
_AGAIN_S = 0.5


@PANELS.add("run_form")
class RunFormPanel(Panel):
    """Shows and edits the training spec and the data spec."""

    title = "Run"
    place = "left"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: DocumentState | None = None
        self._collapse: Collapse | None = None
        self._looked_at_s = -math.inf
        self.training = Form(TrainingSpec)
        self.training.spec_edited.connect(self._on_training_spec_edited)
        self.data = Form(DataSpec)
        self.data.spec_edited.connect(self._on_data_spec_edited)
        inside = QWidget()
        rows = QVBoxLayout(inside)
        rows.setContentsMargins(S.s, S.s, S.s, S.s)
        rows.setSpacing(S.xs)
        for title, form in (("Training", self.training), ("Data", self.data)):
            heading = QLabel(title)
            heading.setProperty("role", "heading")
            rows.addWidget(heading)
            rows.addWidget(form)
            rows.addSpacing(S.s)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        scroll = FittedScroll(inside)
        self.setMinimumHeight(_MIN_PX)
        column.addWidget(scroll)
        # Below what scrolls: it is seen whatever is scrolled, and no field moves when it comes.
        self._warning = QLabel()
        self._warning.setProperty("role", "warning")
        self._warning.setWordWrap(True)
        self._warning.setContentsMargins(S.s, S.xs, S.s, S.s)
        self._warning.hide()
        column.addWidget(self._warning)
        column.addStretch(1)

    def take_state(self, state: DocumentState) -> None:
        """Show another run."""
        self._state = state
        self.training.set_spec(state.training)
        self.data.set_spec(state.data)
        self._warn()

    def take_snapshot(self, snapshot: Snapshot) -> None:
        """Look at what has come, now and then: looking takes time from the training."""
        now = time.monotonic()
        if now - self._looked_at_s >= _AGAIN_S:
            self._looked_at_s = now
            self._warn()

    def take_event(self, event: Event) -> None:
        """Watch another run."""
        if isinstance(event, Prepared):
            self._collapse = self._watch(event)
        self._warn()

    def fault(self) -> str:
        """Return what was entered and refused."""
        return self.training.fault() or self.data.fault()

    def _watch(self, event: Prepared) -> Collapse | None:
        """Return what watches a run; None where there is nothing to guess."""
        if event.network is None or self._state is None:
            return None
        shape = walk(event.network)[-1].out_shape
        if self._state.training.objective != "log_likelihood" or shape is None or shape[-1] < 2:
            return None
        return Collapse(event.history, shape[-1])

    def _warn(self) -> None:
        """Say that the rate is too high, if it is."""
        rate = None if self._collapse is None else self._collapse.rate()
        if rate is not None:
            self._warning.setText(
                f"At rate {rate:g} the log-likelihood fell far below that of guessing. Enter a "
                "lower rate, then choose Training, Start over."
            )
        if self._warning.isHidden() is not (rate is None):
            self._warning.setVisible(rate is not None)
            if rate is not None:
                alert = QAccessibleEvent(self._warning, QAccessible.Event.Alert)
                QAccessible.updateAccessibility(alert)

    def _on_training_spec_edited(self, training: Any, field: str) -> None:
        self._edit(field, training=training)

    def _on_data_spec_edited(self, data: Any, field: str) -> None:
        self._edit(field, data=data)

    def _edit(self, field: str, **changed: Any) -> None:
        assert self._state is not None
        self._state = attrs.evolve(self._state, **changed)
        self.state_edited.emit(self._state, f"Set {field}")

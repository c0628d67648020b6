"""The forms of the run: how the network is trained, and on which data.

Responsible for editing those two specs; knows nothing of the network.
"""

from __future__ import annotations

from typing import Any

import attrs
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from workbench.gui.forms.form import Form
from workbench.gui.panels.base import PANELS, Panel
from workbench.gui.state import DocumentState
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.fitted_scroll import FittedScroll
from workbench.spec.data import DataSpec
from workbench.spec.training import TrainingSpec

#: Room for the first fields, however long the stack is.
_MIN_PX = 160


@PANELS.add("run_form")
class RunFormPanel(Panel):
    """Shows and edits the training spec and the data spec."""

    title = "Run"
    place = "left"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: DocumentState | None = None
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
        scroll.setMinimumHeight(_MIN_PX)
        column.addWidget(scroll)
        column.addStretch(1)

    def take_state(self, state: DocumentState) -> None:
        """Show another run."""
        self._state = state
        self.training.set_spec(state.training)
        self.data.set_spec(state.data)

    def fault(self) -> str:
        """Return what was entered and refused."""
        return self.training.fault() or self.data.fault()

    def _on_training_spec_edited(self, training: Any, field: str) -> None:
        self._edit(field, training=training)

    def _on_data_spec_edited(self, data: Any, field: str) -> None:
        self._edit(field, data=data)

    def _edit(self, field: str, **changed: Any) -> None:
        assert self._state is not None
        self._state = attrs.evolve(self._state, **changed)
        self.state_edited.emit(self._state, f"Set {field}")

"""What every editor is: a control for one field that shows what is wrong beneath itself.

Responsible for that meeting point of form and controls; knows no particular control.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from workbench.core.errors import WorkbenchError
from workbench.gui.forms.values import label_of, tip_of
from workbench.gui.theme.spacing import S
from workbench.spec.field_info import FieldInfo


class Editor(QWidget):
    """Edits one field.

    Parameters
    ----------
    info
        The field.

    Attributes
    ----------
    control
        What takes the keys; None where all of the value stands below. It is no focus proxy: Tab
        would come to it by way of the editor once more.
    below
        More of the value, for the whole width beneath the field's row; None where all of it
        stands in the row.
    level
        How many forms the editor's own stands in.

    Signals
    -------
    value_edited(object, str)
        The person gave another value that the field accepts, and the name of what they changed,
        which may lie deep inside the value: "units".
    """

    value_edited = Signal(object, str)

    def __init__(self, info: FieldInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.info = info
        self.label = label_of(info)
        self.control: QWidget | None = None
        self.below: QWidget | None = None
        self.level = 0
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S.xs)
        self._row = QHBoxLayout()
        self._row.setSpacing(S.xs)
        column.addLayout(self._row)
        self._fault = QLabel()
        self._fault.setProperty("role", "bad")
        self._fault.setWordWrap(True)
        self._fault.hide()
        column.addWidget(self._fault)
        self._value: Any = None

    @property
    def value(self) -> Any:
        """The value that was set or edited last."""
        return self._value

    @property
    def fault(self) -> str:
        """What is wrong with what stands in the control; "" where nothing is."""
        return self._fault.text()

    def set_value(self, value: Any) -> None:
        """Show another value; what is being typed stays when the value is the same."""
        if value != self._value or type(value) is not type(self._value):
            self._value = value
            self.show_fault(None)
            self._show_value()

    def show_fault(self, fault: WorkbenchError | None) -> None:
        """Say beneath the control what is wrong with what stands in it."""
        self._fault.setText("" if fault is None else str(fault))
        self._fault.setVisible(fault is not None)

    def refuse(self, applied: Any, fault: WorkbenchError) -> None:
        """Leave in the control what the person gave, but hold the value that still applies."""
        self._value = applied
        self.show_fault(fault)

    def _show_value(self) -> None:
        """Bring the control to the present value, without a signal."""

    def append(self, button: QWidget) -> None:
        """Put a further button at the end of the row."""
        self._row.addWidget(button)

    def _add(self, control: QWidget, name: str = "") -> None:
        """Put a control into the row and let it say what it is for."""
        control.setToolTip(tip_of(self.info))
        control.setAccessibleName(name or self._spoken_name())
        control.setAccessibleDescription(self.info.help)
        control.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._row.addWidget(control)
        self.control = self.control or control

    def _make_below(self) -> QVBoxLayout:
        """Use the room beneath the row."""
        self.below = QWidget(self)
        column = QVBoxLayout(self.below)
        column.setContentsMargins(S.l, 0, 0, 0)
        column.setSpacing(S.s)
        return column

    def _show_below(self, visible: bool) -> None:
        if self.below is not None:
            self.below.setVisible(visible)

    def _add_unit(self) -> None:
        if self.info.unit:
            unit = QLabel(self.info.unit)
            unit.setProperty("role", "muted")
            self._row.addWidget(unit)

    def _spoken_name(self) -> str:
        return f"{self.label} ({self.info.unit})" if self.info.unit else self.label

    def _apply(self, value: Any, name: str | None = None, show: bool = False) -> None:
        """Take a value that the person gave, and tell it if it is another one.

        Parameters
        ----------
        value
            What was given.
        name
            What was changed; the whole field unless told.
        show
            Whether the control has yet to follow.
        """
        self.show_fault(None)
        if value != self._value or type(value) is not type(self._value):
            self._value = value
            if show:
                self._show_value()
            self.value_edited.emit(value, name or self.label.lower())

"""The sheet that lists what the keyboard can do.

Responsible for showing lines of a table; knows nothing of what the keys do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from workbench.gui.theme.spacing import S


class ShortcutSheet(QDialog):
    """A list that stays beside the window until it is closed; Esc closes it.

    Parameters
    ----------
    groups
        For each heading lines of what is done and by which keys.
    """

    def __init__(
        self, groups: Mapping[str, Sequence[tuple[str, str]]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Shortcuts")
        self.setAccessibleName("Shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        inner = QWidget()
        grid = QGridLayout(inner)
        grid.setContentsMargins(S.l, S.l, S.l, S.l)
        grid.setHorizontalSpacing(S.xl)
        grid.setVerticalSpacing(S.xs)
        for heading, lines in groups.items():
            title = QLabel(heading)
            title.setProperty("role", "heading")
            title.setContentsMargins(0, S.s if grid.count() else 0, 0, 0)
            grid.addWidget(title, grid.rowCount(), 0, 1, 2)
            for what, keys in lines:
                row = grid.rowCount()
                grid.addWidget(QLabel(what), row, 0)
                label = QLabel(keys)
                label.setProperty("role", "muted")
                grid.addWidget(label, row, 1)
        grid.setRowStretch(grid.rowCount(), 1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inner)
        area.setAccessibleName("List of shortcuts")
        area.setToolTip("Up and Down scroll, Esc closes.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)
        wanted = inner.sizeHint()
        self.resize(wanted.width() + S.xl, min(wanted.height() + S.s, 640))

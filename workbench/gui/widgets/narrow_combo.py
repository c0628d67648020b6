"""A box to choose from that gives way where there is little room.

Responsible for that one habit; knows nothing of what is chosen.
"""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QComboBox

#: Letters of a choice that can be read in any case.
_LETTERS = 13


class NarrowCombo(QComboBox):
    """A combo box that is as wide as its choices where it can be, and narrower where it must."""

    def minimumSizeHint(self) -> QSize:
        """Return room for the first letters."""
        whole = super().minimumSizeHint()
        narrow = self.fontMetrics().horizontalAdvance("x" * _LETTERS) + self.iconSize().width() * 2
        return QSize(min(narrow, whole.width()), whole.height())

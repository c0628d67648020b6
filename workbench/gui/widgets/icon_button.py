"""A button with a picture on it.

Responsible for its look in either theme, its name and its tooltip; knows not what it does.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QWidget

from workbench.gui.theme.icons import icon
from workbench.gui.theme.palette import hub


class IconButton(QToolButton):
    """A tool button that is reached by Tab and follows the theme.

    Parameters
    ----------
    picture
        Name of an icon.
    name
        What a screen reader says.
    tip
        What the tooltip says: one sentence on what it does, and the keys that do the same.
    """

    def __init__(self, picture: str, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = picture
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        hub().palette_changed.connect(self._on_palette_changed)
        self._on_palette_changed()

    def _on_palette_changed(self) -> None:
        self.setIcon(icon(self._picture))

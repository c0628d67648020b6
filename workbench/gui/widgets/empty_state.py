"""What a part of the window says while it has nothing to show.

Responsible for how that looks; knows nothing of what is missing.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from workbench.gui.theme.icons import icon
from workbench.gui.theme.palette import current, hub
from workbench.gui.theme.spacing import S


class EmptyState(QWidget):
    """A picture, what is missing, and what to do next.

    Parameters
    ----------
    picture
        Name of an icon.
    heading, advice
        A few words; a sentence.
    """

    def __init__(
        self, picture: str, heading: str, advice: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._name = picture
        self._picture = QLabel()
        title, sentence = QLabel(heading), QLabel(advice)
        title.setProperty("role", "heading")
        sentence.setProperty("role", "muted")
        sentence.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setSpacing(S.s)
        layout.addStretch(1)
        for label in (self._picture, title, sentence):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(label)
        layout.addStretch(1)
        hub().palette_changed.connect(self._on_palette_changed)
        self._on_palette_changed()

    def _on_palette_changed(self) -> None:
        self._picture.setPixmap(icon(self._name, current().muted).pixmap(2 * S.xl, 2 * S.xl))

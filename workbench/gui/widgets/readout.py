"""Lines of words that change often.

Responsible for showing them where nothing else moves; knows nothing of what they say.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget


class Readout(QWidget):
    """A label in a place of fixed height: other words never lay the window out anew.

    Parameters
    ----------
    lines
        As many have room.
    wraps
        Whether lines that are too long are broken.
    role
        What the words are, for the style sheet.
    """

    def __init__(
        self,
        lines: int,
        wraps: bool = False,
        role: str = "muted",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._label = QLabel(self)
        self._label.setProperty("role", role)
        self._label.setWordWrap(wraps)
        self._text = ""
        self._label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.set_lines(lines)

    def set_lines(self, lines: int) -> None:
        """Make room for so many lines; what is more is not seen."""
        self.setFixedHeight(lines * self._label.fontMetrics().lineSpacing())

    def set_text(self, text: str) -> None:
        """Say something else."""
        if text != self._text:
            self._text = text
            self._show()

    def text(self) -> str:
        """Return what is said."""
        return self._text

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fill the place: a label of fixed size asks for no layout when its words change."""
        super().resizeEvent(event)
        self._label.setFixedSize(self.size())
        self._show()

    def _show(self) -> None:
        """Write the words, and dots for those of a line that do not fit."""
        text = self._text
        if not self._label.wordWrap():
            shorten, dots = self._label.fontMetrics().elidedText, Qt.TextElideMode.ElideRight
            text = "\n".join(shorten(line, dots, self.width()) for line in text.split("\n"))
        self._label.setText(text)

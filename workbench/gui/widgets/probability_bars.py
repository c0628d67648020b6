"""A bar for each class with the probability that the network gives it.

Responsible for drawing the figures; knows nothing of where they come from.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui.theme.palette import Palette, current, hub
from workbench.gui.theme.spacing import S

#: Most bars; of more classes the likeliest are shown.
MOST_BARS = 10


def in_percent(share: float) -> str:
    """Return a share as words say it: "98 %"; never 100 or 0 for what is not."""
    if 0.995 <= share < 1:
        return "> 99 %"
    return "< 1 %" if 0 < share < 0.005 else f"{share:.0%}".replace("%", " %")


def in_words(outputs: np.ndarray, name: int) -> str:
    """Return what a network gives a class: a share, or a number where its outputs are no shares."""
    figure = float(outputs[name])
    return in_percent(figure) if _are_shares(outputs) else f"{figure:.2f}".replace("-", "−")


def _are_shares(outputs: np.ndarray) -> bool:
    return bool(outputs.min() >= 0 and outputs.max() <= 1)


class ProbabilityBars(QWidget):
    """Shows one bar a class, the likeliest in the accent colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._classes = np.arange(MOST_BARS)
        self._figures: np.ndarray | None = None
        self._winner: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Probability of each class")
        self.setToolTip("What probability the network gives each class, from 0 to 1")
        self.show_nothing()
        hub().palette_changed.connect(self.update)

    @property
    def winner(self) -> int | None:
        """The likeliest class; None where nothing is shown."""
        return self._winner

    @property
    def figures(self) -> np.ndarray | None:
        """The probabilities of all classes as they were given; None where nothing is shown."""
        return self._figures

    def show_nothing(self) -> None:
        """Empty the bars."""
        self._figures = self._winner = None
        self._describe("No reading yet")
        self.update()

    def show_probabilities(self, probabilities: np.ndarray) -> None:
        """Show the network's outputs for one drawing.

        Shapes
        ------
        probabilities : (classes,)
        """
        if self._figures is not None and np.array_equal(self._figures, probabilities):
            return
        count = len(probabilities)
        likeliest = np.argsort(-probabilities, kind="stable")[:MOST_BARS]
        rows = min(count, MOST_BARS)
        if rows != len(self._classes):
            self.updateGeometry()
        self._classes = np.sort(likeliest)
        self._figures, self._winner = probabilities, int(likeliest[0])
        self._describe(f"{self._winner}: {in_words(probabilities, self._winner)}")
        self.update()

    def figure_text(self, name: int) -> str:
        """Return what stands beside the bar of a class.

        With one decimal all are aligned, and none jumps about between "9 %" and "< 1 %".
        """
        if self._figures is None:
            return ""
        figure = float(self._figures[name])
        if not _are_shares(self._figures):
            return f"{figure:.2f}".replace("-", "−")
        most = 100.0 if figure == 1 else 99.9  # no 100 for what is not
        return f"{min(100 * figure, most):.1f} %"

    def _describe(self, text: str) -> None:
        if text != self.accessibleDescription():
            self.setAccessibleDescription(text)
            change = QAccessible.Event.DescriptionChanged
            QAccessible.updateAccessibility(QAccessibleEvent(self, change))

    def sizeHint(self) -> QSize:
        """Return the room that the bars need."""
        return QSize(200, self._row_height() * len(self._classes))

    def minimumSizeHint(self) -> QSize:
        """Return the least room that shows the bars."""
        return QSize(120, self.sizeHint().height())

    def _row_height(self) -> int:
        return self.fontMetrics().height() + S.xs

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw label, bar and figure of each class."""
        palette, painter = current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bold = painter.font()
        bold.setBold(True)
        metrics = QFontMetricsF(bold)
        label_width = metrics.horizontalAdvance(str(self._classes.max(initial=9)))
        figure_width = metrics.horizontalAdvance("100.0 %")
        height = float(self._row_height())
        for row, name in enumerate(self._classes):
            line = QRectF(0, row * height, self.width(), height)
            track = line.adjusted(label_width + S.s, S.xs, -figure_width - S.s, -S.xs)
            self._draw_row(painter, palette, line, track, int(name))

    def _draw_row(
        self, painter: QPainter, palette: Palette, line: QRectF, track: QRectF, name: int
    ) -> None:
        wins = name == self._winner
        font = painter.font()
        font.setBold(wins)
        painter.setFont(font)
        painter.setPen(QColor(palette.text if self._figures is not None else palette.muted))
        centre, right = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignRight
        painter.drawText(line, centre | Qt.AlignmentFlag.AlignLeft, str(name))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(palette.raised))
        painter.drawRoundedRect(track, 2, 2)
        if self._figures is None:
            return
        figure = float(self._figures[name])
        filled = QRectF(track)
        filled.setWidth(track.width() * min(max(figure, 0.0), 1.0))
        painter.setBrush(QColor(palette.accent if wins else palette.muted))
        painter.drawRoundedRect(filled, 2, 2)
        painter.setPen(QColor(palette.text if wins else palette.muted))
        painter.drawText(line, centre | right, self.figure_text(name))

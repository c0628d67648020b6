"""One layer of the stack as a card: what it is, what comes out of it, what is wrong with it.

Responsible for showing that; knows no spec.
"""

from __future__ import annotations

import attrs
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from workbench.gui.theme.icons import icon
from workbench.gui.theme.palette import current, hub
from workbench.gui.theme.spacing import S

#: Side of the icons on a card, in logical pixels.
_ICON_SIZE = 16


@attrs.frozen
class CardText:
    """What a card says.

    Parameters
    ----------
    title
        Name of the layer.
    shape
        Shape of its output; None where it is not known.
    parameter_count
        How many numbers it learns.
    about
        A sentence on what it does.
    fault, hint
        What is wrong with it and what to do; "" where nothing is.
    movable
        Whether it can be dragged.
    """

    title: str
    shape: tuple[int, ...] | None
    parameter_count: int = 0
    about: str = ""
    fault: str = ""
    hint: str = ""
    movable: bool = True

    @property
    def shape_text(self) -> str:
        """The shape as people write it: ``1 × 28 × 28``."""
        return "?" if self.shape is None else " × ".join(map(str, self.shape))

    @property
    def tip(self) -> str:
        """All of it, with exact numbers."""
        shape = "not known" if self.shape is None else self.shape_text
        lines = [self.about, f"Output shape: {shape}"]
        if self.movable:
            lines.append(f"Parameters: {self.parameter_count:,}")
        return "\n".join(filter(None, [*lines, self.fault, self.hint]))


class LayerCard(QFrame):
    """Shows one `CardText`; mouse events are left to the list that it stands in."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setProperty("chosen", False)
        self._grip = QLabel()
        self._title = QLabel()
        self._title.setProperty("role", "heading")
        self._shape = QLabel()
        self._count = QLabel()
        self._count.setProperty("role", "muted")
        self._fault = QLabel()
        self._fault.setProperty("role", "bad")
        self._fault.setWordWrap(True)
        grid = QGridLayout(self)
        grid.setContentsMargins(S.xs, S.xs, S.m, S.xs)
        grid.setHorizontalSpacing(S.s)
        grid.setVerticalSpacing(S.xs)
        grid.addWidget(self._grip, 0, 0)
        grid.addWidget(self._title, 0, 1)
        grid.addWidget(self._shape, 0, 2, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self._count, 0, 3, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self._fault, 1, 1, 1, 3)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, _ICON_SIZE)
        grid.setColumnMinimumWidth(3, self.fontMetrics().horizontalAdvance("00.0M"))
        self._text = CardText("", None)
        hub().palette_changed.connect(self._on_hub_palette_changed)

    @property
    def text(self) -> CardText:
        """What is shown."""
        return self._text

    def show_text(self, text: CardText) -> None:
        """Show what is known of a layer."""
        self._text = text
        self._title.setText(text.title)
        self._shape.setText(text.shape_text)
        self._count.setText(short_count(text.parameter_count) if text.parameter_count else "")
        self._fault.setText(f"{text.fault} {text.hint}".strip())
        self._fault.setVisible(bool(text.fault))
        self.setToolTip(text.tip)
        self.setAccessibleName(f"{text.title}, output {text.shape_text}")
        self.setAccessibleDescription(text.tip)
        if text.movable:
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        self._on_hub_palette_changed()

    def set_chosen(self, chosen: bool) -> None:
        """Frame the card if it is the chosen one."""
        if chosen == self.property("chosen"):
            return
        self.setProperty("chosen", chosen)
        self.style().polish(self)

    def _on_hub_palette_changed(self) -> None:
        name = "error" if self._text.fault else "drag" if self._text.movable else "image"
        colour = current().bad if self._text.fault else current().muted
        self._grip.setPixmap(icon(name, colour).pixmap(_ICON_SIZE, _ICON_SIZE))


def short_count(count: int) -> str:
    """Return a number of parameters in at most five characters: ``2.6k``, ``201k``, ``1.2M``."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= 0.9995 * size:
            # One digit behind the point below ten, as in 9.9k; 10k has none.
            tenths = round(10 * count / size)
            return f"{tenths / 10:.1f}{letter}" if tenths < 100 else f"{count / size:.0f}{letter}"
    return str(count)

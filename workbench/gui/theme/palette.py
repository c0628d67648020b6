"""The colours of the window, light and dark.

Responsible for every colour that is used and for which theme holds; knows no widget.
"""

from __future__ import annotations

import functools
from typing import Literal

import attrs
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication

Theme = Literal["system", "light", "dark"]


@attrs.frozen
class Palette:
    """One theme; colours are ``#rrggbb``.

    What is read stands out from window, surface and raised by 4.5 : 1 at least.

    Parameters
    ----------
    window, surface, raised
        Behind everything, of panels and fields, of buttons and what is pointed at.
    border
        Lines around them.
    text, muted
        Of words.
    faint
        Of words and icons that cannot be used now; stands out by 3 : 1 at least.
    accent, accent_text
        Of what is chosen or to be done next, and of words on it.
    good, warning, bad
        Of words that say how something went.
    train, validation
        Of curves and marks of the two splits.
    negative, zero, positive
        The diverging scale of weights; told apart by people with any colour vision.
    is_dark
        Which of the two themes it is.
    """

    window: str
    surface: str
    raised: str
    border: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_text: str
    good: str
    warning: str
    bad: str
    train: str
    validation: str
    negative: str
    zero: str
    positive: str
    is_dark: bool


LIGHT = Palette(
    window="#f3f4f6",
    surface="#ffffff",
    raised="#e8ebef",
    border="#c3c9d1",
    text="#1b1f24",
    muted="#545d68",
    faint="#7f8893",
    accent="#0b5cad",
    accent_text="#ffffff",
    good="#14692d",
    warning="#7d5200",
    bad="#b3201a",
    train="#0068a3",
    validation="#a84800",
    negative="#2166ac",
    zero="#f7f7f7",
    positive="#b2182b",
    is_dark=False,
)

DARK = Palette(
    window="#15181c",
    surface="#1d2127",
    raised="#2a3038",
    border="#424a55",
    text="#e8ebef",
    muted="#a9b2bd",
    faint="#717b88",
    accent="#63adff",
    accent_text="#08192b",
    good="#5ec97a",
    warning="#e3b450",
    bad="#ff8a80",
    train="#56b4e9",
    validation="#f0a04b",
    negative="#5aa9f5",
    zero="#23272e",
    positive="#ff8b6b",
    is_dark=True,
)


class Hub(QObject):
    """Holds the theme that was chosen and follows the system's where that is wanted.

    Signals
    -------
    palette_changed()
        `current` is another palette now.
    """

    palette_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._theme: Theme = "system"
        self._palette = LIGHT

    @property
    def palette(self) -> Palette:
        """The palette of the present theme."""
        return self._palette

    @property
    def theme(self) -> Theme:
        """What was chosen."""
        return self._theme

    def choose(self, theme: Theme) -> None:
        """Use a theme from now on; ``system`` follows the system's settings."""
        hints = QGuiApplication.styleHints()
        # Connecting here, not at construction: there may be no application yet by then.
        hints.colorSchemeChanged.connect(
            self._on_hints_color_scheme_changed, Qt.ConnectionType.UniqueConnection
        )
        self._theme = theme
        self._update(hints.colorScheme())

    def _on_hints_color_scheme_changed(self, scheme: Qt.ColorScheme) -> None:
        self._update(scheme)

    def _update(self, scheme: Qt.ColorScheme) -> None:
        dark = self._theme == "dark" or (self._theme == "system" and scheme == Qt.ColorScheme.Dark)
        palette = DARK if dark else LIGHT
        if palette != self._palette:
            self._palette = palette
            self.palette_changed.emit()


@functools.cache
def hub() -> Hub:
    """Return the one object that knows the theme."""
    return Hub()


def current() -> Palette:
    """Return the palette to draw with now."""
    return hub().palette

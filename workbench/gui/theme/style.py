"""The style sheet of the window.

Responsible for turning palette and spacing into what Qt draws with; knows no widget of ours but by
its object name or property.
"""

from __future__ import annotations

from string import Template

import attrs
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from workbench.core.resources import resource_path
from workbench.gui.theme.palette import Palette
from workbench.gui.theme.spacing import S

_SHEET = Template(
    """
QToolTip { color: $text; background: $raised; border: 1px solid $border; padding: ${xs}px; }
QLabel[role="heading"] { font-weight: 600; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="bad"] { color: $bad; }
QLabel[role="warning"] { color: $warning; }
QLabel[role="good"] { color: $good; }
QWidget[role="pane"] { background: $surface; border: 1px solid $border; border-radius: 6px; }
QFrame[role="card"] { background: $surface; border: 1px solid $border; border-radius: 6px; }
QFrame[role="card"][chosen="true"] { border: 1px solid $accent; }
QPushButton, QToolButton {
  color: $text; background: $raised; border: 1px solid $border; border-radius: 4px;
  padding: ${xs}px ${s}px;
}
QToolButton[flat="true"] { background: transparent; border: 1px solid transparent;
  padding: ${xs}px; }
QPushButton:hover, QToolButton:hover { border-color: $muted; }
QPushButton:pressed, QToolButton:pressed, QPushButton:checked, QToolButton:checked {
  background: $border; }
QPushButton:disabled, QToolButton:disabled { color: $faint; background: transparent; }
QPushButton[role="primary"], QToolButton[role="primary"] {
  color: $accent_text; background: $accent; border-color: $accent; font-weight: 600; }
QPushButton[role="primary"]:disabled, QToolButton[role="primary"]:disabled {
  color: $faint; background: transparent; border-color: $border; }
QPushButton:focus, QToolButton:focus, QComboBox:focus, QAbstractSpinBox:focus, QLineEdit:focus,
QAbstractItemView:focus, QTabBar:focus { border: 1px solid $accent; }
QPushButton[role="primary"]:focus, QToolButton[role="primary"]:focus { border-color: $text; }
QComboBox, QAbstractSpinBox, QLineEdit {
  color: $text; background: $surface; border: 1px solid $border; border-radius: 4px;
  padding: 3px ${xs}px; selection-background-color: $accent; selection-color: $accent_text;
}
QLineEdit[fault="true"], QComboBox[fault="true"], QLineEdit[fault="true"]:focus,
QComboBox[fault="true"]:focus { border: 1px solid $bad; }
QComboBox:disabled, QAbstractSpinBox:disabled, QLineEdit:disabled { color: $muted;
  background: $window; }
QComboBox QLineEdit, QComboBox QLineEdit:focus { border: none; padding: 0;
  background: transparent; }
QComboBox { padding-right: ${l}px; }
QComboBox:!editable { padding-left: 6px; }
QComboBox::drop-down { border: none; width: ${l}px; }
QComboBox::down-arrow { image: url("$arrow"); width: ${m}px; height: ${m}px; }
QCheckBox::indicator { width: ${m}px; height: ${m}px; background: $surface;
  border: 1px solid $muted; border-radius: 3px; }
QCheckBox::indicator:focus { border-color: $accent; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("$tick"); }
QCheckBox::indicator:indeterminate { background: $raised; }
QCheckBox::indicator:checked:focus { border-color: $text; }
QAbstractItemView { color: $text; background: $surface; border: 1px solid $border;
  selection-background-color: $accent; selection-color: $accent_text; }
QScrollArea { border: none; background: transparent; }
QScrollArea > QWidget > QWidget { background: transparent; }
QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: ${m}px; }
QScrollBar:horizontal { height: ${m}px; }
QScrollBar::handle { background: $border; border-radius: 4px; margin: 2px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::handle:vertical { min-height: ${xl}px; }
QScrollBar::handle:horizontal { min-width: ${xl}px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QTabWidget::pane { border: 1px solid $border; border-radius: 6px; background: $surface;
  top: -1px; }
QTabBar::tab { color: $muted; padding: ${s}px ${m}px; border: none;
  border-bottom: 2px solid transparent; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom: 2px solid $accent; }
QProgressBar { color: $text; background: $raised; border: none; border-radius: 3px;
  text-align: center; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: $border; }
QMenuBar, QMenu { color: $text; background: $window; }
QMenu { border: 1px solid $border; padding: ${xs}px; }
QMenu::item { padding: ${xs}px ${xl}px; border-radius: 4px; }
QMenuBar::item { padding: ${xs}px ${s}px; background: transparent; }
QMenu::item:selected, QMenuBar::item:selected { color: $accent_text; background: $accent; }
QMenu::item:disabled { color: $muted; background: transparent; }
QMenu::separator { height: 1px; background: $border; margin: ${xs}px; }
QStatusBar { color: $muted; }
QStatusBar::item { border: none; }
QFrame#message_bar { background: $raised; border: 1px solid $bad; border-radius: 6px; }
QFrame#message_bar[kind="info"] { border-color: $accent; }
"""
)

_ROLES = {
    QPalette.ColorRole.Window: "window",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Base: "surface",
    QPalette.ColorRole.AlternateBase: "window",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.Button: "raised",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.ToolTipBase: "raised",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.PlaceholderText: "muted",
    QPalette.ColorRole.Highlight: "accent",
    QPalette.ColorRole.HighlightedText: "accent_text",
    QPalette.ColorRole.Link: "accent",
    QPalette.ColorRole.Mid: "border",
}


def style_sheet(palette: Palette) -> str:
    """Return the style sheet in the colours of `palette`.

    Widgets say what they are by the property ``role``: labels ``heading``, ``muted``, ``bad``,
    ``warning`` or ``good``, frames ``card``, buttons ``primary``; tool buttons without a frame have
    the property ``flat``.
    """
    spaces = {name: getattr(S, name) for name in ("xs", "s", "m", "l", "xl")}
    theme = "dark" if palette.is_dark else "light"
    pictures = {
        name: resource_path("icons", f"{name}-{theme}.svg").as_posix() for name in ("arrow", "tick")
    }
    return _SHEET.substitute(attrs.asdict(palette), **spaces, **pictures)


def apply(application: QApplication, palette: Palette) -> None:
    """Let the whole application look like `palette`."""
    colours = QPalette()
    for role, token in _ROLES.items():
        colours.setColor(role, QColor(getattr(palette, token)))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText):
        colours.setColor(QPalette.ColorGroup.Disabled, role, QColor(palette.muted))
    application.setPalette(colours)
    application.setStyleSheet(style_sheet(palette))

"""Everything that can be done from menu, button and keyboard, in one table.

Responsible for words, shortcuts, icons and tips; what an action does is the controller's to say.
"""

from __future__ import annotations

import attrs
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence

from workbench.gui.theme.icons import icon
from workbench.gui.theme.palette import current


@attrs.frozen
class ActionInfo:
    """One line of the table.

    Parameters
    ----------
    menu
        Title of its menu, ``&`` before the letter that opens it.
    text
        What menu and button say; for screen readers too.
    tip
        What it does, in a sentence.
    keys
        Its shortcuts, the first of them shown.
    icon
        One of the theme's icons, or nothing.
    """

    menu: str
    text: str
    tip: str
    keys: tuple[str, ...] = ()
    icon: str = ""


_FILE, _TRAIN, _VIEW, _HELP = "&File", "&Training", "&View", "&Help"

ACTIONS = {
    "new": ActionInfo(_FILE, "&New", "Begin with the starter network.", ("Ctrl+N",), "new"),
    "open": ActionInfo(_FILE, "&Open…", "Open a model file.", ("Ctrl+O",), "open"),
    "save": ActionInfo(
        _FILE, "&Save", "Save network, parameters and settings.", ("Ctrl+S",), "save"
    ),
    "save_as": ActionInfo(_FILE, "Save &as…", "Save to another file.", ("Ctrl+Shift+S",)),
    "quit": ActionInfo(_FILE, "&Quit", "Close the window.", ("Ctrl+Q",)),
    "train": ActionInfo(
        _TRAIN, "&Train", "Train the network, or go on with a run that waits.", ("F5",), "train"
    ),
    "pause": ActionInfo(_TRAIN, "&Pause", "Let the run wait.", ("F6",), "pause"),
    "step": ActionInfo(_TRAIN, "St&ep", "Make one iteration, then wait.", ("F7",), "step"),
    "stop": ActionInfo(_TRAIN, "St&op", "End the run and keep what was learnt.", ("F8",), "stop"),
    "restart": ActionInfo(
        _TRAIN,
        "&Start over",
        "Forget what was learnt: go back to the parameters that training begins with.",
        ("Ctrl+Shift+R",),
        "reset",
    ),
    "theme_system": ActionInfo(_VIEW, "Theme of the s&ystem", "Follow the system's theme."),
    "theme_light": ActionInfo(_VIEW, "&Light theme", "Dark words on a light ground."),
    "theme_dark": ActionInfo(_VIEW, "&Dark theme", "Light words on a dark ground."),
    "shortcuts": ActionInfo(
        _HELP, "&Shortcuts", "Show what the keyboard can do.", ("F1", "?"), "help"
    ),
}

#: The key that trains, pauses and resumes wherever no widget has a use of its own for it. It is no
#: shortcut, because a shortcut would come before buttons and lists.
TRAIN_KEY = Qt.Key.Key_Space

#: The action whose button stands out.
PRIMARY = "train"


def words(action: QAction) -> str:
    """Return what an action says, without the mark of its letter."""
    return action.text().replace("&", "")


class Actions(QObject):
    """The actions of one window, by name."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._by_name = {name: self._make(info) for name, info in ACTIONS.items()}
        self.refresh_icons()

    def __getitem__(self, name: str) -> QAction:
        return self._by_name[name]

    def menus(self) -> dict[str, list[QAction]]:
        """Return the actions of every menu, in the order of the table."""
        found: dict[str, list[QAction]] = {}
        for name, info in ACTIONS.items():
            found.setdefault(info.menu, []).append(self._by_name[name])
        return found

    def refresh_icons(self) -> None:
        """Draw the icons in the colours of the present palette."""
        for name, info in ACTIONS.items():
            if info.icon:
                colour = current().accent_text if name == PRIMARY else None
                self._by_name[name].setIcon(icon(info.icon, colour))

    def _make(self, info: ActionInfo) -> QAction:
        action = QAction(info.text, self)
        action.setShortcuts([QKeySequence(key) for key in info.keys])
        keys = f" ({info.keys[0]})" if info.keys else ""
        action.setToolTip(f"{info.tip}{keys}")
        action.setStatusTip(info.tip)
        return action

"""What the window remembers between two sessions.

Responsible for the names and the place of the settings; knows no widget.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

from PySide6.QtCore import QByteArray, QSettings

from workbench.core.paths import config_folder
from workbench.gui.theme.palette import Theme

#: How many files the list of recent ones holds.
MAX_RECENT = 8


class Settings:
    """The user's settings; what is set is written soon after, or by `write`."""

    def __init__(self) -> None:
        self._stored = QSettings(str(config_folder() / "window.ini"), QSettings.Format.IniFormat)

    @property
    def theme(self) -> Theme:
        """The theme that was chosen."""
        stored = self._stored.value("theme")
        return next((theme for theme in get_args(Theme) if theme == stored), "system")

    @theme.setter
    def theme(self, theme: Theme) -> None:
        self._stored.setValue("theme", theme)

    @property
    def recent(self) -> list[Path]:
        """The files that were opened or saved, the latest first."""
        stored = self._stored.value("recent")
        # A list of one comes back as a text.
        names = [stored] if isinstance(stored, str) else stored or []
        return [Path(str(name)) for name in names]

    def add_recent(self, path: Path) -> None:
        """Put a file at the head of the recent ones."""
        path = path.absolute()
        others = [other for other in self.recent if other != path]
        self._set_recent([path, *others])

    def forget_recent(self, path: Path) -> None:
        """Take a file that is not there any more off the list."""
        self._set_recent([other for other in self.recent if other != path.absolute()])

    def layout(self, name: str) -> QByteArray:
        """Return the geometry or state that was kept under a name; empty where none was."""
        stored = self._stored.value(f"layout/{name}")
        return stored if isinstance(stored, QByteArray) else QByteArray()

    def keep_layout(self, name: str, state: QByteArray) -> None:
        """Keep a geometry or state."""
        self._stored.setValue(f"layout/{name}", state)

    def choices(self, name: str) -> dict[str, Any]:
        """Return what was chosen in a panel; empty where nothing was."""
        try:
            stored = json.loads(str(self._stored.value(f"panels/{name}", "{}")))
        except ValueError:
            return {}
        return stored if isinstance(stored, dict) else {}

    def keep_choices(self, name: str, choices: dict[str, Any]) -> None:
        """Keep what was chosen in a panel."""
        self._stored.setValue(f"panels/{name}", json.dumps(choices))

    def write(self) -> None:
        """Write now what was set."""
        self._stored.sync()

    def _set_recent(self, paths: list[Path]) -> None:
        self._stored.setValue("recent", [str(path) for path in paths[:MAX_RECENT]])

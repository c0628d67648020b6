"""The folders of this user: cache, settings, plugins and data.

Responsible for where things live; never creates a folder before something is written there.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_APP = "neural-workbench"


def cache_folder() -> Path:
    """Return the folder for what can be made again: downloads, drawn digits, tuning.

    ``WORKBENCH_CACHE`` names it; else it is the user's cache.
    """
    named = os.environ.get("WORKBENCH_CACHE")
    if named:
        return Path(named)
    return Path(platformdirs.user_cache_dir(_APP, appauthor=False))


def plugin_folder() -> Path:
    """Return the folder of the user's own layers.

    ``WORKBENCH_PLUGINS`` names it; else it lies in the user's data.
    """
    named = os.environ.get("WORKBENCH_PLUGINS")
    if named:
        return Path(named)
    return Path(platformdirs.user_data_dir(_APP, appauthor=False)) / "plugins"


def data_folder() -> Path | None:
    """Return the folder that ``WORKBENCH_DATA`` names, or None."""
    named = os.environ.get("WORKBENCH_DATA")
    return Path(named) if named else None


def config_folder() -> Path:
    """Return the folder for what the user chose: the window's size, theme and recent files.

    ``WORKBENCH_CONFIG`` names it; else it is the user's own.
    """
    named = os.environ.get("WORKBENCH_CONFIG")
    if named:
        return Path(named)
    return Path(platformdirs.user_config_dir(_APP, appauthor=False))

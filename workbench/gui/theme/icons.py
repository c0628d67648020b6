"""The icons, all of one set.

Responsible for which picture stands for which word, in the colours of the palette; an icon is made
anew after `palette_changed`.
"""

from __future__ import annotations

import qtawesome
from PySide6.QtGui import QIcon

from workbench.gui.theme.palette import current

#: What the window calls a picture, and what qtawesome calls it.
ICONS = {
    "add": "mdi6.plus",
    "brush": "mdi6.brush",
    "clear": "mdi6.eraser",
    "close": "mdi6.close",
    "copy": "mdi6.content-copy",
    "data": "mdi6.database-outline",
    "device": "mdi6.chip",
    "down": "mdi6.arrow-down",
    "drag": "mdi6.drag-vertical",
    "error": "mdi6.alert-circle-outline",
    "export": "mdi6.export-variant",
    "first": "mdi6.page-first",
    "help": "mdi6.keyboard-outline",
    "image": "mdi6.image-outline",
    "info": "mdi6.information-outline",
    "layers": "mdi6.layers-outline",
    "network": "mdi6.graph-outline",
    "new": "mdi6.file-plus-outline",
    "next": "mdi6.chevron-right",
    "open": "mdi6.folder-open-outline",
    "paste": "mdi6.content-paste",
    "pause": "mdi6.pause",
    "previous": "mdi6.chevron-left",
    "redo": "mdi6.redo",
    "remove": "mdi6.trash-can-outline",
    "reset": "mdi6.backup-restore",
    "save": "mdi6.content-save-outline",
    "search": "mdi6.magnify",
    "show_all": "mdi6.arrow-expand-horizontal",
    "step": "mdi6.skip-next",
    "stop": "mdi6.stop",
    "train": "mdi6.play",
    "undo": "mdi6.undo",
    "up": "mdi6.arrow-up",
    "warning": "mdi6.alert-outline",
    "wrong": "mdi6.close-circle-outline",
    "zoom": "mdi6.magnify-plus-outline",
    "zoom_out": "mdi6.magnify-minus-outline",
}


def icon(name: str, colour: str | None = None) -> QIcon:
    """Return an icon of `ICONS` in the text's colour of the present palette, or in another one."""
    palette = current()
    made: QIcon = qtawesome.icon(
        ICONS[name], color=colour or palette.text, color_disabled=palette.faint
    )
    return made

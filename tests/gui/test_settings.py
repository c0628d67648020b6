"""What is kept between two starts comes back, and what has been damaged does no harm."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QSettings

from workbench.core.paths import config_folder
from workbench.gui.controller import Controller
from workbench.gui.settings import Settings
from workbench.gui.widgets.canvas import Canvas


def canvas_of(controller: Controller) -> Canvas:
    found = controller.window.findChild(Canvas)
    assert found is not None
    return found


def test_what_was_chosen_in_a_panel_is_found_at_the_next_start(
    open_window: Callable[[], Controller],
) -> None:
    first = open_window()
    assert canvas_of(first).brush != 61
    canvas_of(first).set_brush(61)
    first.close()
    assert canvas_of(open_window()).brush == 61


@pytest.mark.parametrize("stored", ["", "{", "[1]", '"x"', "null"])
def test_damaged_choices_are_none(stored: str) -> None:
    settings = QSettings(str(config_folder() / "window.ini"), QSettings.Format.IniFormat)
    settings.setValue("panels/draw", stored)
    settings.sync()
    assert Settings().choices("draw") == {}
    Settings().keep_choices("draw", {"brush": 20, "names": ["a", "b"], "on": True})
    assert Settings().choices("draw") == {"brush": 20, "names": ["a", "b"], "on": True}

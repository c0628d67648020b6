"""The program with the window, from its start to its end.

Responsible for the application object and for ending the process; what the window does is the
controller's.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from workbench import plugins
from workbench.gui.controller import Controller
from workbench.gui.settings import Settings
from workbench.gui.signals import SystemSignals
from workbench.gui.state import DocumentState
from workbench.gui.theme import style
from workbench.gui.theme.palette import current, hub
from workbench.gui.widgets.run_plots import are_being_imported
from workbench.spec.data import DataSpec
from workbench.spec.library import find_network
from workbench.spec.training import TrainingSpec

_log = logging.getLogger(__name__)

#: The network that the window opens with.
STARTER = "relu"


def first_state() -> DocumentState:
    """Return what a new document begins with."""
    return DocumentState(find_network(STARTER), TrainingSpec(), DataSpec())


def prepare(application: QApplication) -> list[plugins.PluginWarning]:
    """Give the application its looks, and load extensions; return what failed of them."""
    application.setApplicationName("neural-workbench")
    application.setApplicationDisplayName("Neural Workbench")
    application.setAttribute(Qt.ApplicationAttribute.AA_DontShowIconsInMenus)
    application.setStyle("Fusion")
    application.focusChanged.connect(_on_application_focus_changed)
    hub().palette_changed.connect(_on_hub_palette_changed)
    _on_hub_palette_changed()
    warnings = plugins.load()
    plugins.load_packages(["workbench.gui.panels"])
    return warnings


def run(path: Path | None = None, debug: bool = False) -> int:
    """Show the window until it is closed; return the exit status.

    Parameters
    ----------
    path
        A model file to open it with.
    debug
        Whether the traceback of a failure that nobody foresaw is printed.
    """
    application = QApplication(sys.argv[:1])
    warnings = prepare(application)
    controller = Controller(first_state(), Settings())
    failures = _Failures(controller, debug)
    sys.excepthook = failures.tell
    signals = SystemSignals()
    signals.received.connect(controller.close)
    controller.closed.connect(application.quit)
    controller.show()
    if path is not None:
        controller.filing.open_path(path.absolute())
    if warnings:
        controller.say(" ".join(map(str, warnings)), "Mend the file and start again.")
    application.exec()
    controller.close()
    signals.stop()
    if not controller.ended or are_being_imported():
        # A compiler or a disk does not answer, or modules are still being loaded. What they do is
        # of no use to anybody any more, and files appear whole or not at all; waiting is all that
        # is left out. Python must not be taken down around a thread inside of Qt: it crashes.
        controller.settings.write()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    return 0


class _Failures:
    """Tells of failures that nobody foresaw, and lets the window live on."""

    def __init__(self, controller: Controller, debug: bool) -> None:
        self._controller = controller
        self._debug = debug

    def tell(
        self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        """Show the failure inline, and its traceback where that is wanted."""
        if self._debug:
            sys.__excepthook__(kind, error, traceback)
        else:
            print(f"workbench: an unforeseen failure: {kind.__name__}: {error}", file=sys.stderr)
        self._controller.say(
            f"An unforeseen failure: {kind.__name__}: {error}.",
            "Save your work; workbench --debug shows the details.",
        )


def _on_application_focus_changed(_: QWidget | None, now: QWidget | None) -> None:
    """Scroll to where the keyboard goes; Qt does so only within the area that it comes from."""
    if now is None or QApplication.mouseButtons():
        return
    around = now.parentWidget()
    while around is not None:
        # What fills an area knows itself which part of it is of interest.
        if isinstance(around, QScrollArea) and around.widget() is not now:
            around.ensureWidgetVisible(now)
        around = around.parentWidget()


def _on_hub_palette_changed() -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    style.apply(application, current())

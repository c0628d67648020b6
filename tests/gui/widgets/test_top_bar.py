"""The top bar uses no time while nothing goes on."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QProgressBar
from pytestqt.qtbot import QtBot

from workbench.gui.widgets.top_bar import TopBar


class Paintings(QObject):
    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_the_bar_rests_once_progress_is_known(qtbot: QtBot) -> None:
    bar = TopBar([QAction("Train")])
    qtbot.addWidget(bar)
    bar.resize(1200, 40)
    bar.show()
    qtbot.waitExposed(bar)
    progress = bar.findChild(QProgressBar)
    paintings = Paintings()
    assert progress is not None
    progress.installEventFilter(paintings)
    bar.show_progress("drawing digits", None)
    qtbot.waitUntil(lambda: paintings.count > 4)
    bar.show_progress("ready", 0)
    assert progress.value() == 0
    qtbot.wait(100)
    paintings.count = 0
    qtbot.wait(300)
    assert paintings.count == 0

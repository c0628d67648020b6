"""The window: where everything stands.

Responsible for places alone; what anything does, and what is told to whom, is the controller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
)
from PySide6.QtWidgets import (
    QLabel,
    QMainWindow,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from workbench.gui.actions import TRAIN_KEY, Actions, words
from workbench.gui.panels.base import Panel, Place
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.columns import Columns, Part
from workbench.gui.widgets.message_bar import MessageBar
from workbench.gui.widgets.top_bar import TopBar

#: What a dropped file must be called to be opened as a model.
_SUFFIXES = (".h5", ".hdf5")

#: The smallest window: a screen of 1280 x 800 pixels at 200 %.
_LEAST = QSize(640, 400)


class MainWindow(QMainWindow):
    """Places the parts.

    Parameters
    ----------
    panels
        In the order of their tabs, or from top to bottom.
    actions
        Everything that menus and buttons offer.

    Attributes
    ----------
    may_close
        Whether the window closes when it is asked to; until then it says `close_wanted`.

    Signals
    -------
    close_wanted()
        The window was asked to close.
    train_key_pressed()
        The key that trains and pauses was pressed where nothing else uses it.
    file_dropped(object)
        The path of a model file was dropped.
    panel_shown(object)
        Another tab is in front.
    """

    close_wanted = Signal()
    train_key_pressed = Signal()
    file_dropped = Signal(object)
    panel_shown = Signal(object)

    def __init__(self, panels: Sequence[Panel], actions: Actions) -> None:
        super().__init__()
        self.may_close = False
        self.setAcceptDrops(True)
        names = ("train", "pause", "step", "stop")
        self.top_bar = TopBar([actions[name] for name in names])
        self.message_bar = MessageBar()
        places: dict[Place, list[Part]] = {"left": [], "tab": [], "right": []}
        for panel in panels:
            places[panel.place].append(Part(panel.title, panel))
        self.columns = Columns(places["left"], places["tab"], places["right"])
        self.columns.part_shown.connect(self.panel_shown)
        self.tabs = self.columns.tabs
        self.device_label, self.speed_label, self.saved_label = QLabel(), QLabel(), QLabel()
        self._lay_out()
        self.recent_menu = QMenu("Open &recent", self)
        self._fill_menus(actions, panels)
        self.setMinimumSize(_LEAST)
        self.resize(self._first_size())

    def add_edit_actions(self, undo: QAction, redo: QAction) -> None:
        """Place the actions that undo and redo edits, whose words change."""
        undo.setShortcuts([QKeySequence("Ctrl+Z")])
        redo.setShortcuts([QKeySequence("Ctrl+Shift+Z"), QKeySequence("Ctrl+Y")])
        self._edit_menu.addActions([undo, redo])

    def menus(self) -> dict[str, list[QAction]]:
        """Return the actions of every menu by its title."""
        found = {}
        for action in self.menuBar().actions():
            menu = action.menu()
            if isinstance(menu, QMenu):
                found[words(action)] = menu.actions()
        return found

    def layout_state(self) -> dict[str, QByteArray]:
        """Return where everything stands, to be kept."""
        return {"geometry": self.saveGeometry(), **self.columns.layout_state()}

    def restore_layout(self, state: dict[str, QByteArray]) -> None:
        """Put everything where it stood."""
        if not state["geometry"].isEmpty():
            self.restoreGeometry(state["geometry"])
        self.columns.restore_layout(state)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close if that was settled, else ask for it."""
        if self.may_close:
            event.accept()
        else:
            event.ignore()
            self.close_wanted.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Train or pause by a key that no widget has taken."""
        if event.key() == TRAIN_KEY and not event.modifiers():
            if not event.isAutoRepeat():
                self.train_key_pressed.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.message_bar.dismiss()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome model files."""
        if self._dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Tell which model file was dropped."""
        path = self._dropped(event)
        if path is not None:
            event.acceptProposedAction()
            self.file_dropped.emit(path)

    def _dropped(self, event: QDropEvent) -> Path | None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        models = [path for path in paths if path.suffix.lower() in _SUFFIXES]
        return models[0] if models else None

    def _lay_out(self) -> None:
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(S.m, S.s, S.m, S.xs)
        column.setSpacing(S.s)
        column.addWidget(self.top_bar)
        self.message_bar.float_over(middle)
        column.addWidget(self.columns, 1)
        self.setCentralWidget(middle)
        # It takes the keys where no control has the focus, as at first: Space trains.
        middle.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        middle.setFocus()
        status = self.statusBar()
        status.setSizeGripEnabled(False)
        status.setContentsMargins(S.m, 0, S.m, 0)
        self.device_label.setAccessibleName("Device")
        self.speed_label.setAccessibleName("Speed")
        self.speed_label.setToolTip("Training rows that are looked at in a second")
        self.saved_label.setAccessibleName("Saving")
        for label in (self.device_label, self.speed_label, self.saved_label):
            label.setProperty("role", "muted")
        self.speed_label.setContentsMargins(S.l, 0, 0, 0)
        status.addWidget(self.device_label)
        status.addWidget(self.speed_label)
        status.addPermanentWidget(self.saved_label)

    def _fill_menus(self, actions: Actions, panels: Sequence[Panel]) -> None:
        for title, entries in actions.menus().items():
            menu = self.menuBar().addMenu(title)
            menu.addActions(entries)
            if title == "&File":
                menu.insertMenu(actions["save"], self.recent_menu)
                menu.insertSeparator(actions["save"])
                menu.insertSeparator(actions["quit"])
                self._edit_menu = self.menuBar().addMenu("&Edit")
            elif title == "&View":
                menu.addSeparator()
                tabs = [panel for panel in panels if panel.place == "tab"]
                sides = [panel for panel in panels if panel.place != "tab"]
                menu.addActions(self._panel_actions(tabs, "Ctrl"))
                menu.addSeparator()
                menu.addActions(self._panel_actions(sides, "Alt"))

    def _panel_actions(self, panels: Sequence[Panel], key: str) -> list[QAction]:
        actions = []
        for number, panel in enumerate(panels, 1):
            action = QAction(panel.title, self)
            action.setShortcut(QKeySequence(f"{key}+{number}"))
            action.setData(panel)
            action.triggered.connect(self._on_panel_action_triggered)
            actions.append(action)
        return actions

    def _first_size(self) -> QSize:
        available = QGuiApplication.primaryScreen().availableSize()
        return available.boundedTo(self.sizeHint().expandedTo(available * 0.8))

    def _on_panel_action_triggered(self) -> None:
        action = self.sender()
        assert isinstance(action, QAction)
        self.columns.go_to(action.data())

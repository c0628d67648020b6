"""The one place where the parts of the window are told of each other.

Responsible for every wire between document, engine, files and panels; draws nothing and computes
nothing.
"""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
from PySide6.QtCore import QDeadlineTimer, QObject, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QFileDialog

from workbench.engine.backends.base import DeviceInfo
from workbench.gui.actions import ACTIONS, Actions, words
from workbench.gui.document import Document
from workbench.gui.engine_thread import EngineThread
from workbench.gui.filing import Filing
from workbench.gui.main_window import MainWindow
from workbench.gui.panels.base import PANELS, Panel, new_request_id
from workbench.gui.pump import Pump
from workbench.gui.requests import Requests
from workbench.gui.run_control import Phase, RunControl
from workbench.gui.run_display import RunDisplay
from workbench.gui.run_text import way_on
from workbench.gui.settings import Settings
from workbench.gui.state import DocumentState
from workbench.gui.theme.palette import Theme, hub
from workbench.gui.watchdog import Watchdog
from workbench.gui.widgets.message_bar import Kind
from workbench.gui.widgets.shortcut_sheet import ShortcutSheet
from workbench.spec.registries import DATASETS
from workbench.training.commands import Predict, Probe
from workbench.training.events import (
    Event,
    Fetched,
    Finished,
    Paused,
    Predicted,
    Prepared,
    Probed,
    RequestFailed,
    Resumed,
    RunFailed,
    Snapshot,
    Started,
    Stopped,
)

#: Where the panels come that are not in the order of their names; others follow.
_ORDER = ("stack", "run_form", "training", "weights", "test_images", "draw")

#: Milliseconds in which engine and files have to end when the window closes.
_CLOSE_MS = 1500

_THEMES: dict[str, Theme] = {
    "theme_system": "system",
    "theme_light": "light",
    "theme_dark": "dark",
}


class Controller(QObject):
    """Everything behind one window.

    Parameters
    ----------
    state
        What it opens with, and what every new document begins with.
    settings
        What is remembered.

    Attributes
    ----------
    ended
        After the window has closed: whether all threads ended in time.

    Signals
    -------
    closed()
        The window is gone.
    """

    closed = Signal()

    def __init__(self, state: DocumentState, settings: Settings) -> None:
        super().__init__()
        self.ended = False
        self.settings = settings
        self.document = Document(state, self)
        self.engine = EngineThread(self)
        self.pump = Pump(self.engine.snapshots, self)
        self.run = RunControl(self.document, self.engine.send, self._refused, self)
        self.requests = Requests(self.engine.send, lambda: self.run.holds_document)
        self.actions = Actions(self)
        names = sorted(PANELS, key=lambda name: _ORDER.index(name) if name in _ORDER else 99)
        self.panels = {name: PANELS[name]() for name in names}
        self.window = MainWindow(list(self.panels.values()), self.actions)
        self.display = RunDisplay(self.window)
        self.filing = Filing(
            self.window, self.document, self.run, self.engine.send, settings, state
        )
        self.watchdog = Watchdog(self.engine, self.run, self.say, self)
        self._latest: Snapshot | None = None
        self._told_failure = False
        self._wire_engine()
        self._wire_panels()
        self._wire_window()
        self._wire_actions()

    def show(self) -> None:
        """Show the window as it was left, and make the first network ready."""
        kept = {name: self.settings.layout(name) for name in self.window.layout_state()}
        self.window.restore_layout(kept)
        for name, panel in self.panels.items():
            panel.restore_choices(self.settings.choices(name))
        self.window.show()
        self.engine.start()
        self.watchdog.start()
        self.run.begin(None)

    def say(self, message: str, hint: str = "", kind: Kind = "bad", answer: str = "") -> None:
        """Show a message inline, perhaps with a button that offers a way on."""
        self._told_failure = False
        self.window.message_bar.show_message(message, hint, kind, answer)

    def close(self) -> None:
        """Close the window without asking, and end what goes on behind it."""
        if self.window.may_close:
            return
        for name, kept in self.window.layout_state().items():
            self.settings.keep_layout(name, kept)
        for name, panel in self.panels.items():
            self.settings.keep_choices(name, panel.choices())
        self.window.may_close = True
        self.window.close()
        self.run.rest()
        self.watchdog.rest()
        self.pump.stop()
        # What is on its way from the engine has nowhere to go any more.
        self.engine.event_published.disconnect(self._on_engine_event_published)
        self.engine.devices_found.disconnect(self._on_engine_devices_found)
        deadline = QDeadlineTimer(_CLOSE_MS)
        # While the engine is waited for, what is being saved goes on in its own thread.
        ended = self.engine.stop(deadline)
        self.ended = self.filing.files.stop(deadline) and ended
        self.window.deleteLater()
        self.closed.emit()

    # Wires ----------------------------------------------------------------------------------------

    def _wire_engine(self) -> None:
        self.engine.event_published.connect(self._on_engine_event_published)
        self.engine.devices_found.connect(self._on_engine_devices_found)
        self.pump.snapshot_taken.connect(self._on_pump_snapshot_taken)
        self.pump.text_due.connect(self._on_pump_text_due)
        self.run.phase_changed.connect(self._on_run_phase_changed)
        self.run.message_raised.connect(self.say)
        self.watchdog.silence_changed.connect(self._on_watchdog_silence_changed)

    def _wire_panels(self) -> None:
        for panel in self.panels.values():
            panel.state_edited.connect(self.document.replace)
            panel.parameters_wanted.connect(self._on_panel_parameters_wanted)
            panel.prediction_wanted.connect(self._on_panel_prediction_wanted)
            panel.image_sent.connect(self._on_panel_image_sent)
            panel.export_wanted.connect(self.filing.files.export)
            panel.message_raised.connect(self.say)
        self.document.state_changed.connect(self._on_document_state_changed)
        self._on_document_state_changed(self.document.state)

    def _wire_window(self) -> None:
        window, bar = self.window, self.window.top_bar
        window.close_wanted.connect(self._on_window_close_wanted)
        window.train_key_pressed.connect(self.run.toggle)
        window.file_dropped.connect(self.filing.open_path)
        window.panel_shown.connect(self._on_window_panel_shown)
        window.message_bar.answered.connect(self.run.insist)
        window.recent_menu.aboutToShow.connect(self._on_recent_menu_about_to_show)
        self.filing.message_raised.connect(self._on_filing_message_raised)
        self.filing.files.export_ended.connect(self.say)
        self.filing.saving_changed.connect(window.saved_label.setText)
        self.document.saved_changed.connect(self._on_document_saved_changed)
        self._on_document_saved_changed()
        abouts = {name: str(getattr(source, "about", "")) for name, source in DATASETS.items()}
        bar.set_datasets(abouts)
        bar.show_dataset(self.document.state.data.dataset)
        bar.dataset_chosen.connect(self._on_top_bar_dataset_chosen)
        bar.file_wanted.connect(self._on_top_bar_file_wanted)
        bar.device_chosen.connect(self._on_top_bar_device_chosen)
        hub().palette_changed.connect(self.actions.refresh_icons)

    def _wire_actions(self) -> None:
        slots = {
            "new": self.filing.new,
            "open": self.filing.open,
            "save": self.filing.save,
            "save_as": self.filing.save_as,
            "quit": self.window.close,
            "train": self.run.train,
            "pause": self.run.pause,
            "step": self.run.advance,
            "stop": self.watchdog.stop,
            "restart": self.run.restart,
            "shortcuts": self._show_shortcuts,
        }
        for name, slot in slots.items():
            self.actions[name].triggered.connect(slot)
        for name, theme in _THEMES.items():
            self.actions[name].setCheckable(True)
            self.actions[name].setData(theme)
            self.actions[name].triggered.connect(self._on_theme_action_triggered)
        self._choose_theme(self.settings.theme)
        stack = self.document.undo_stack
        undo, redo = stack.createUndoAction(self), stack.createRedoAction(self)
        self.window.add_edit_actions(undo, redo)
        self._on_run_phase_changed()

    # From the engine to the panels ----------------------------------------------------------------

    def _on_pump_snapshot_taken(self, snapshot: Snapshot) -> None:
        self._latest = snapshot
        self.run.take_snapshot(snapshot)
        self.display.take_snapshot(snapshot)
        self.document.note_training()
        if self.window.isMinimized():
            return
        for panel in self.panels.values():
            if panel.isVisible():
                panel.take_snapshot(snapshot)

    def _on_pump_text_due(self) -> None:
        self.display.refresh()

    def _on_engine_event_published(self, event: Event) -> None:
        asked_for = self.run.phase is not Phase.IDLE
        if isinstance(event, Started):
            self._latest = None
            self.pump.start()
        elif isinstance(event, Resumed):
            self.pump.start()
        elif isinstance(event, Paused | Stopped | Finished | RunFailed):
            self.pump.stop()
        self.run.take_event(event)
        self.filing.take_event(event)
        asker = self.requests.asker_of(event)
        if isinstance(event, Predicted | Probed | RequestFailed):
            if isinstance(asker, Panel):
                asker.take_event(event)
            return
        if not isinstance(event, Fetched):
            for panel in self.panels.values():
                panel.take_event(event)
        self.display.take_event(event)
        self._tell_failure(event, asked_for)

    def _tell_failure(self, event: Event, asked_for: bool) -> None:
        """Say why a run failed, until there is a session again.

        While nobody has asked for a run, what is wrong with a layer is said on its card alone.
        """
        if isinstance(event, RunFailed):
            if event.layer is not None and not asked_for:
                return
            self.say(event.message, event.hint, answer=way_on(event))
            self._told_failure = True
        elif isinstance(event, Prepared) and self._told_failure:
            self.window.message_bar.dismiss()

    def _on_engine_devices_found(self, devices: list[DeviceInfo]) -> None:
        self.window.top_bar.set_devices([(info.id, info.name) for info in devices])

    def _on_run_phase_changed(self) -> None:
        phase = self.run.phase
        rests = phase in (Phase.IDLE, Phase.PAUSED)
        train, pause = self.actions["train"], self.actions["pause"]
        train.setText("&Resume" if phase is Phase.PAUSED else ACTIONS["train"].text)
        on, off = (train, pause) if rests else (pause, train)
        on.setEnabled(True)
        # Whoever pressed one by the keyboard has the other under the same key.
        self.window.top_bar.hand_focus(off, on)
        off.setEnabled(False)
        usable = {"step": rests, "stop": phase is not Phase.IDLE or self.watchdog.silent}
        for name, can_be_used in usable.items():
            if not can_be_used:
                self.window.top_bar.hand_focus(self.actions[name], on)
            self.actions[name].setEnabled(can_be_used)
        self.actions["restart"].setEnabled(phase is Phase.IDLE)

    def _on_watchdog_silence_changed(self) -> None:
        self._on_run_phase_changed()
        if not (self.watchdog.silent or self._told_failure):
            self.window.message_bar.dismiss()

    def _refused(self) -> str:
        return next((fault for panel in self.panels.values() if (fault := panel.fault())), "")

    # From the panels to the engine ----------------------------------------------------------------

    def _on_panel_parameters_wanted(self, layer: int) -> None:
        self.requests.ask(self.sender(), Probe(layer, new_request_id()))

    def _on_panel_prediction_wanted(self, images: np.ndarray, id: int) -> None:
        self.requests.ask(self.sender(), Predict(images, id))

    def _on_panel_image_sent(self, image: np.ndarray, label: int) -> None:
        for panel in self.panels.values():
            if panel is not self.sender():
                panel.show_image(image, label)

    # From the window to the document --------------------------------------------------------------

    def _on_document_state_changed(self, state: DocumentState) -> None:
        for panel in self.panels.values():
            panel.take_state(state)
        self.window.top_bar.show_dataset(state.data.dataset)
        self.window.top_bar.show_device(state.device)

    def _on_filing_message_raised(self, message: str, hint: str = "", kind: Kind = "bad") -> None:
        self.say(message, hint, kind)
        # Why a file was not opened is of no interest once another one is.
        self._told_failure = kind == "bad"

    def _on_document_saved_changed(self) -> None:
        self.window.setWindowTitle(f"{self.document.name}[*] — Neural Workbench")
        self.window.setWindowModified(self.document.modified)

    def _on_top_bar_dataset_chosen(self, name: str) -> None:
        data = attrs.evolve(self.document.state.data, dataset=name)
        state = attrs.evolve(self.document.state, data=data)
        self.document.replace(state, f"Choose the data {Path(name).name}")

    def _on_top_bar_device_chosen(self, id: str | None) -> None:
        state = attrs.evolve(self.document.state, device=id)
        self.document.replace(state, f"Choose {id or 'the default device'}")

    def _on_top_bar_file_wanted(self) -> None:
        self.window.top_bar.show_dataset(self.document.state.data.dataset)
        dialog = QFileDialog(self.window, "Choose data")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._on_top_bar_dataset_chosen)
        dialog.open()

    def _on_window_close_wanted(self) -> None:
        self.watchdog.give_up()
        self.filing.ask_then(self.close)

    def _on_window_panel_shown(self, panel: Panel) -> None:
        if self._latest is not None:
            panel.take_snapshot(self._latest)

    def _on_recent_menu_about_to_show(self) -> None:
        menu = self.window.recent_menu
        menu.clear()
        for path in self.settings.recent:
            action = menu.addAction(path.name)
            action.setToolTip(str(path))
            action.setData(str(path))
            action.triggered.connect(self._on_recent_action_triggered)
        if menu.isEmpty():
            menu.addAction("No files yet").setEnabled(False)

    def _on_recent_action_triggered(self) -> None:
        self.filing.open_path(Path(self._sending_action().data()))

    def _on_theme_action_triggered(self) -> None:
        self._choose_theme(self._sending_action().data())

    def _sending_action(self) -> QAction:
        action = self.sender()
        assert isinstance(action, QAction)
        return action

    def _choose_theme(self, theme: Theme) -> None:
        for name, other in _THEMES.items():
            self.actions[name].setChecked(other == theme)
        self.settings.theme = theme
        hub().choose(theme)

    def _show_shortcuts(self) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for title, actions in self.window.menus().items():
            lines = [(words(action), keys) for action in actions if (keys := _keys(action))]
            if title == "Edit":  # undo and redo are called by what they would do
                lines = [(name.split()[0], keys) for name, keys in lines]
            if lines:
                groups[title] = lines
        groups.setdefault("Training", []).insert(0, ("Train, pause or resume", "Space"))
        for panel in self.panels.values():
            if panel.keys:
                groups.setdefault(panel.title, []).extend(panel.keys)
        ShortcutSheet(groups, self.window).show()


def _keys(action: QAction) -> str:
    form = QKeySequence.SequenceFormat.NativeText
    return " or ".join(key.toString(form) for key in action.shortcuts())

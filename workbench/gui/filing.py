"""New, open, save, save as, and the one question about unsaved changes.

Responsible for no work being lost by any of them; knows neither panels nor how a file is written.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QMessageBox, QWidget

from workbench.core.errors import DeviceStuck, SpecError
from workbench.gui.document import Document
from workbench.gui.files import Files, Look, OpenedModel, SaveJob
from workbench.gui.panels.base import new_request_id
from workbench.gui.run_control import Phase, RunControl
from workbench.gui.settings import Settings
from workbench.gui.state import DocumentState
from workbench.io import ModelFile
from workbench.nn.shapes import check
from workbench.spec.data import DataSpec
from workbench.training.commands import Command, Fetch
from workbench.training.events import Event, Fetched, RequestFailed, RunFailed

_FILTER = "Models (*.h5 *.hdf5);;All files (*)"

_EDITED = "The network was edited after it was trained."
_EDITED_HINT = "The file holds it untrained; undo the edits and save again to keep what was learnt."

_ANSWERS = {
    QMessageBox.StandardButton.Save: "Save, and go on when all of it is on the disk.",
    QMessageBox.StandardButton.Discard: "Go on and lose what is not saved.",
    QMessageBox.StandardButton.Cancel: "Stay with this network as it is.",
}


class Filing(QObject):
    """Everything that concerns the document's file.

    Signals
    -------
    message_raised(str, str, str)
        Something to say inline: a sentence, a hint, and ``bad`` or ``info``.
    saving_changed(str)
        What the status line says of saving: "saving…", "saved 14:02", or nothing.
    recent_changed()
        The list of recent files is another one.
    """

    message_raised = Signal(str, str, str)
    saving_changed = Signal(str)
    recent_changed = Signal()

    def __init__(
        self,
        window: QWidget,
        document: Document,
        run: RunControl,
        send: Callable[[Command], None],
        settings: Settings,
        first_state: DocumentState,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._document = document
        self._run = run
        self._send = send
        self._settings = settings
        self._first_state = first_state
        #: What is to be done once the work is saved or given up.
        self._then: Callable[[], None] | None = None
        self._fetching: tuple[int, Path, DocumentState] | None = None
        #: What the document's file looked like when it was read or written here.
        self._look: Look | None = None
        self._question: QMessageBox | None = None
        self.files = Files(self)
        self.files.saved.connect(self._on_files_saved)
        self.files.opened.connect(self._on_files_opened)
        self.files.failed.connect(self._on_files_failed)

    def new(self) -> None:
        """Begin with the starter network."""
        self.ask_then(self._begin_anew)

    def open(self) -> None:
        """Let the person choose a file, and open it."""
        self.ask_then(self._choose_file_to_open)

    def open_path(self, path: Path) -> None:
        """Open a file."""
        self.ask_then(lambda: self.files.open(path))

    def save(self) -> None:
        """Save to the document's file; to one that the person chooses where there is none yet."""
        if self._document.path is None:
            self.save_as()
        else:
            self.save_to(self._document.path)

    def save_as(self) -> None:
        """Let the person choose a file, and save to it."""
        dialog = self._dialog("Save the model")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("h5")
        dialog.selectFile(str(self._document.path or "model.h5"))
        dialog.fileSelected.connect(self._on_save_dialog_file_selected)
        dialog.rejected.connect(self._on_save_dialog_rejected)
        dialog.open()

    def save_to(self, path: Path) -> None:
        """Save the document as it is now."""
        state = self._document.state
        try:
            check(state.network)
        except SpecError as error:
            self._fail(f"An invalid network cannot be saved: {error.message}", error.hint)
            return
        self.saving_changed.emit("saving…")
        if self._run.holds_document:
            self._fetching = (new_request_id(), path, state)
            self._send(Fetch(self._fetching[0]))
        else:
            self._save(path, state, self._run.opened)

    def ask_then(self, then: Callable[[], None]) -> None:
        """Do `then`, after asking about changes that are not saved, if there are any."""
        if self._question is not None:
            return
        if not self._document.modified:
            then()
            return
        self._then = then
        kinds = QMessageBox.StandardButton
        self._question = QMessageBox(
            QMessageBox.Icon.Question,
            "Unsaved changes",
            f"Save the changes to {self._document.name}?",
            kinds.Save | kinds.Discard | kinds.Cancel,
            self._window,
        )
        self._question.setInformativeText("What is not saved is lost.")
        self._question.button(kinds.Discard).setText("Don't save")
        for kind, tip in _ANSWERS.items():
            self._question.button(kind).setToolTip(tip)
        self._question.setDefaultButton(kinds.Save)
        self._question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._question.buttonClicked.connect(self._on_question_button_clicked)
        self._question.open()

    def take_event(self, event: Event) -> None:
        """Save what was fetched for it."""
        if self._fetching is None:
            return
        id, path, state = self._fetching
        if isinstance(event, Fetched) and event.id == id:
            self._fetching = None
            self._save(path, state, event.model)
        elif isinstance(event, RequestFailed) and event.id == id:
            self._fetching = None
            self._fail(event.message, event.hint)
        elif isinstance(event, RunFailed) and event.kind == DeviceStuck.__name__:
            # Nobody answers any more, and what is known is at hand.
            self._fetching = None
            self.save_to(path)

    def _save(self, path: Path, state: DocumentState, model: ModelFile | None) -> None:
        if model is not None and model.network != state.network:
            if model.position.get("step"):
                self.message_raised.emit(_EDITED, _EDITED_HINT, "info")
            model = None
        look = self._look if path == self._document.path else None
        self.files.save(SaveJob(path, state, model, look))

    def _begin_anew(self) -> None:
        self._document.open(self._first_state, None)
        self._run.begin(None)
        self.saving_changed.emit("")

    def _choose_file_to_open(self) -> None:
        dialog = self._dialog("Open a model")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._on_open_dialog_file_selected)
        dialog.open()

    def _dialog(self, title: str) -> QFileDialog:
        recent = self._settings.recent
        folder = self._document.path or (recent[0] if recent else Path.home() / "model.h5")
        dialog = QFileDialog(self._window, title, str(folder.parent), _FILTER)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return dialog

    def _fail(self, message: str, hint: str) -> None:
        self._then = None
        self.saving_changed.emit("")
        self.message_raised.emit(message, hint, "bad")

    def _on_question_button_clicked(self, button: QAbstractButton) -> None:
        assert self._question is not None
        chosen = self._question.standardButton(button)
        self._question = None
        then, self._then = self._then, None
        if chosen == QMessageBox.StandardButton.Save:
            self._then = then
            self.save()
        elif chosen == QMessageBox.StandardButton.Discard and then is not None:
            then()

    def _on_save_dialog_file_selected(self, name: str) -> None:
        self.save_to(Path(name))

    def _on_save_dialog_rejected(self) -> None:
        self._then = None

    def _on_open_dialog_file_selected(self, name: str) -> None:
        self.files.open(Path(name))

    def _on_files_saved(self, job: SaveJob) -> None:
        step = job.model.position.get("step", 0) if job.model else 0
        trained_since = self._run.phase is Phase.RUNNING or self._run.step != step
        self._look = job.look
        self._document.note_saved(job.path, job.state, trained_since and job.model is not None)
        self._remember(job.path)
        self.saving_changed.emit(f"saved {datetime.now().astimezone():%H:%M}")
        then, self._then = self._then, None
        if then is not None:
            then()

    def _on_files_opened(self, opened: OpenedModel) -> None:
        model = opened.model
        state = DocumentState(
            model.network, opened.training, model.data or DataSpec(), self._document.state.device
        )
        self._look = opened.look
        self._document.open(state, opened.path)
        self._run.begin(model)
        self._remember(opened.path)
        self.saving_changed.emit("")

    def _on_files_failed(self, path: Path, message: str, hint: str) -> None:
        if not path.exists():
            self._settings.forget_recent(path)
            self.recent_changed.emit()
        self._look = None  # who saves again means it
        self._fail(message, hint)

    def _remember(self, path: Path) -> None:
        self._settings.add_recent(path)
        self.recent_changed.emit()

"""Reads and writes model files, and the figures of runs, in a thread of its own.

Responsible for keeping disks and damaged files away from the window's thread and the engine's;
knows nothing of when a file is read or written.
"""

from __future__ import annotations

import logging
from pathlib import Path

import attrs
from PySide6.QtCore import QDeadlineTimer, QObject, QThread, Signal, Slot
from PySide6.QtGui import QImage, QImageWriter

from workbench.core.errors import SaveError, WorkbenchError
from workbench.gui.state import DocumentState
from workbench.io import ModelFile, save_model
from workbench.spec.training import TrainingSpec
from workbench.training.history import History
from workbench.training.model_files import first_model_file, open_model, position_of
from workbench.training.run_log import RunLog
from workbench.training.trainer import unforeseen

_log = logging.getLogger(__name__)

#: What tells that a file is another one than before: when it was written, its size and its place.
Look = tuple[int, int, int]


@attrs.frozen(eq=False)
class SaveJob:
    """What is to be saved, and where.

    Parameters
    ----------
    path
        The file.
    state
        The description.
    model
        The model at hand; None saves the network with the numbers that training begins with.
    look
        That of the file that may be replaced; None replaces any. Once it is saved, the new one's.
    """

    path: Path
    state: DocumentState
    model: ModelFile | None
    look: Look | None = None

    @property
    def content(self) -> ModelFile:
        """What the file will hold: the settings are the document's, edited since or not."""
        state = self.state
        if self.model is None:
            return first_model_file(state.network, state.training, state.data)
        return attrs.evolve(self.model, training=state.training, data=state.data)


@attrs.frozen(eq=False)
class OpenedModel:
    """What a file held."""

    path: Path
    model: ModelFile
    training: TrainingSpec
    look: Look | None


class _Worker(QObject):
    saved = Signal(object)
    opened = Signal(object)
    failed = Signal(object, str, str)
    export_ended = Signal(str, str, str)

    @Slot(object)
    def save(self, job: SaveJob) -> None:
        try:
            found = _look(job.path)
            if job.look and found and found != job.look:
                raise SaveError(
                    f"{job.path} has been changed by somebody else since.",
                    "Save again to replace it, or save under another name.",
                )
            save_model(job.path, job.content)
        except WorkbenchError as error:
            self.failed.emit(job.path, error.message, error.hint)
        except (OSError, MemoryError) as error:
            self.failed.emit(job.path, f"{job.path} was not saved: {error}.", "Try another place.")
        except Exception as error:  # noqa: BLE001 - whatever happens, the thread lives on
            _log.exception("saving failed")
            self.failed.emit(job.path, *unforeseen(error))
        else:
            self.saved.emit(attrs.evolve(job, look=_look(job.path)))

    @Slot(object)
    def open(self, path: Path) -> None:
        try:
            look = _look(path)
            model, training = open_model(path)
            position_of(model)
        except WorkbenchError as error:
            self.failed.emit(path, error.message, error.hint)
        except (OSError, MemoryError) as error:
            self.failed.emit(path, f"{path} was not opened: {error}.", "Try another file.")
        except Exception as error:  # noqa: BLE001 - whatever happens, the thread lives on
            _log.exception("opening failed")
            self.failed.emit(path, *unforeseen(error))
        else:
            self.opened.emit(OpenedModel(path, model, training, look))

    @Slot(object, object)
    def export(self, path: Path, content: History | QImage) -> None:
        # Under a name of its own until it is whole: the process may end before.
        part = path.with_name(f"{path.name}.part")
        try:
            if isinstance(content, QImage):
                writer = QImageWriter(str(part), b"png")
                if not writer.write(content):
                    raise OSError(writer.errorString())
            else:
                with RunLog(part) as log:
                    log.add_history(content)
            part.replace(path)
        except SaveError as error:
            part.unlink(missing_ok=True)
            message = error.message.replace(str(part), str(path))
            self.export_ended.emit(message, error.hint, "bad")
        except OSError as error:
            part.unlink(missing_ok=True)
            message = f"{path} was not written: {error}."
            self.export_ended.emit(message, "Try another place.", "bad")
        else:
            what = "picture is" if isinstance(content, QImage) else "figures are"
            self.export_ended.emit(f"The {what} in {path}.", "", "info")


class Files(QObject):
    """The thread of the files; one thing after another.

    Signals
    -------
    saved(object)
        The `SaveJob` is done: its bytes are on the disk and verified.
    opened(object)
        An `OpenedModel`.
    failed(object, str, str)
        The path, and why it could not be saved or opened: a sentence and a hint.
    export_ended(str, str, str)
        Where the figures of a run are now, or why they are not: a sentence, a hint, and the kind
        of message that it is.
    """

    saved = Signal(object)
    opened = Signal(object)
    failed = Signal(object, str, str)
    export_ended = Signal(str, str, str)
    _save_wanted = Signal(object)
    _open_wanted = Signal(object)
    _export_wanted = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = QThread()
        self._thread.setObjectName("files")
        self._worker = _Worker()
        self._worker.moveToThread(self._thread)
        self._save_wanted.connect(self._worker.save)
        self._open_wanted.connect(self._worker.open)
        self._export_wanted.connect(self._worker.export)
        self._worker.saved.connect(self.saved)
        self._worker.opened.connect(self.opened)
        self._worker.failed.connect(self.failed)
        self._worker.export_ended.connect(self.export_ended)
        self._thread.start()

    def save(self, job: SaveJob) -> None:
        """Save; `saved` or `failed` tells how it went."""
        self._save_wanted.emit(job)

    def open(self, path: Path) -> None:
        """Open; `opened` or `failed` tells how it went."""
        self._open_wanted.emit(path)

    def export(self, path: Path, content: History | QImage) -> None:
        """Write the figures of a run, as the command line's log has them, or a picture."""
        self._export_wanted.emit(path, content)

    def stop(self, deadline: QDeadlineTimer) -> bool:
        """End the thread after what it is doing; return whether that was before the deadline."""
        self._thread.quit()
        return self._thread.wait(deadline)


def _look(path: Path) -> Look | None:
    """Return what a file looks like now; None where there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size, about.st_ino

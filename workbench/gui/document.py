"""What is open: its description with undo, its file, and whether all of it is saved.

Responsible for every change of the description being undoable; knows no widget and no engine.
"""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from workbench.gui.state import DocumentState

#: Edits of one name, each so many seconds after the one before, are one to undo.
_TYPING_S = 1.0

#: Qt's number for commands that may be merged.
_MERGEABLE = 1


class Document(QObject):
    """One network with its settings.

    Parameters
    ----------
    state
        What it begins with.

    Signals
    -------
    state_changed(object)
        The `DocumentState` is another one now: after an edit, an undo, or when another file opens.
    saved_changed()
        `path` or `modified` is another one now.
    """

    state_changed = Signal(object)
    saved_changed = Signal()

    def __init__(self, state: DocumentState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._path: Path | None = None
        self._trained = False
        self.undo_stack = QUndoStack(self)
        self.undo_stack.cleanChanged.connect(self._on_undo_stack_clean_changed)

    @property
    def state(self) -> DocumentState:
        """The present description."""
        return self._state

    @property
    def path(self) -> Path | None:
        """The file, None before it was saved for the first time."""
        return self._path

    @property
    def name(self) -> str:
        """What the title says."""
        return self._path.name if self._path else "Untitled"

    @property
    def modified(self) -> bool:
        """Whether closing would lose something."""
        return self._trained or not self.undo_stack.isClean()

    def replace(self, state: DocumentState, text: str) -> None:
        """Use another description from now on, as an edit that undo calls `text`.

        One that is equal to the present one changes nothing.
        """
        if state != self._state:
            self.undo_stack.push(_Replace(self, state, text))

    def note_training(self) -> None:
        """Note that the parameters are no longer those that were saved or opened."""
        if not self._trained:
            self._trained = True
            self.saved_changed.emit()

    def note_saved(self, path: Path, state: DocumentState, trained_since: bool) -> None:
        """Note that `state` is in the file at `path` now.

        Parameters
        ----------
        path
            The file; it is this document's from now on.
        state
            What was saved; an edit may have been made meanwhile.
        trained_since
            Whether training has gone on since the parameters were taken.
        """
        self._path = path
        self._trained = trained_since
        if state == self._state:
            self.undo_stack.setClean()
        else:
            self.undo_stack.resetClean()  # what is in the file has no place in the stack
        self.saved_changed.emit()

    def open(self, state: DocumentState, path: Path | None) -> None:
        """Begin with another description; there is nothing to undo, and all of it is saved."""
        self._path = path
        self._trained = False
        self.undo_stack.clear()
        self.set_state(state)
        self.saved_changed.emit()

    def set_state(self, state: DocumentState) -> None:
        """Swap the description; for undo and redo."""
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _on_undo_stack_clean_changed(self, _: bool) -> None:
        self.saved_changed.emit()


class _Replace(QUndoCommand):
    """One edit: a swap of two frozen descriptions."""

    def __init__(self, document: Document, after: DocumentState, text: str) -> None:
        super().__init__(text)
        self._document = document
        self._before, self._after = document.state, after
        self._made_s = time.monotonic()

    def id(self) -> int:
        return _MERGEABLE

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in an edit that goes on where this one ended: a number that is still typed."""
        assert isinstance(other, _Replace)
        goes_on = other.text() == self.text() and other._made_s - self._made_s < _TYPING_S
        if not (goes_on and self.text().startswith("Set ")):
            return False
        self._after, self._made_s = other._after, other._made_s
        self.setObsolete(self._after == self._before)
        return True

    def redo(self) -> None:
        self._document.set_state(self._after)

    def undo(self) -> None:
        self._document.set_state(self._before)

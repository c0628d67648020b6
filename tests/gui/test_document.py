"""Every edit of the document can be undone, and what is not saved is known."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.gui.document import Document
from workbench.gui.state import DocumentState
from workbench.nn.layers.dense import Dense
from workbench.nn.optimizers.sgd import SGD
from workbench.spec.data import DataSpec
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS
from workbench.spec.training import TrainingSpec

_LAYERS = st.one_of(
    st.integers(1, 300).map(Dense), st.sampled_from(("relu", "tanh")).map(lambda n: LAYERS[n]())
)
_STATES = st.builds(
    DocumentState,
    network=st.builds(
        NetworkSpec,
        input=st.sampled_from([(1, 28, 28), (4,)]),
        layers=st.lists(_LAYERS, min_size=1, max_size=4).map(tuple),
    ),
    training=st.builds(
        TrainingSpec,
        optimizer=st.floats(1e-6, 10).map(SGD),
        batch=st.one_of(st.just("full"), st.integers(1, 1000)),
        epochs=st.integers(1, 100),
        seed=st.integers(0, 2**62),
    ),
    data=st.builds(DataSpec, limit=st.one_of(st.none(), st.integers(1, 1000))),
    device=st.sampled_from([None, "reference", "pocl:0"]),
)


@settings(max_examples=15)
@given(st.lists(_STATES, min_size=1, max_size=200))
def test_edits_that_are_undone_and_redone_give_equal_states(states: list[DocumentState]) -> None:
    document = Document(states[0])
    path = [states[0]]
    for state in states[1:]:
        document.replace(state, "Edit")
        if state != path[-1]:
            path.append(state)
    assert document.undo_stack.count() == len(path) - 1
    for state in reversed(path[:-1]):
        document.undo_stack.undo()
        assert document.state == state
    assert not document.undo_stack.canUndo()
    for state in path[1:]:
        document.undo_stack.redo()
        assert document.state == state


def test_an_equal_state_is_no_edit(state: DocumentState) -> None:
    document = Document(state)
    document.replace(attrs.evolve(state), "Change nothing")
    assert not document.undo_stack.canUndo()
    assert not document.modified


def test_an_edit_has_a_name_and_tells_of_itself(state: DocumentState) -> None:
    document = Document(state)
    told = []
    document.state_changed.connect(told.append)
    edited = attrs.evolve(state, device="reference")
    document.replace(edited, "Choose reference")
    assert document.undo_stack.undoText() == "Choose reference"
    document.undo_stack.undo()
    assert told == [edited, state]


def test_what_is_not_saved_is_known(state: DocumentState, tmp_path: Path) -> None:
    document = Document(state)
    path = tmp_path / "m.h5"
    edited = attrs.evolve(state, device="reference")
    document.replace(edited, "Edit")
    assert document.modified
    document.note_saved(path, edited, trained_since=False)
    assert (document.modified, document.name) == (False, "m.h5")
    document.undo_stack.undo()
    assert document.modified
    document.undo_stack.redo()
    assert not document.modified
    document.note_training()
    assert document.modified
    document.note_saved(path, edited, trained_since=True)
    assert document.modified
    document.open(state, None)
    assert (document.modified, document.name, document.state) == (False, "Untitled", state)
    assert not document.undo_stack.canUndo()


def test_an_edit_made_while_saving_is_not_saved(state: DocumentState, tmp_path: Path) -> None:
    document = Document(state)
    first, second = (attrs.evolve(state, device=name) for name in ("pocl:0", "reference"))
    document.replace(first, "Edit")
    document.replace(second, "Edit again")
    document.note_saved(tmp_path / "m.h5", first, trained_since=False)
    assert document.modified
    # Nor is what was there before the edits: the file holds something else by now.
    document.undo_stack.undo()
    document.undo_stack.undo()
    assert document.state == state
    assert document.modified


@pytest.mark.parametrize("wait_s", [0.0, 10.0])
def test_typing_a_number_is_one_edit(
    state: DocumentState, wait_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("workbench.gui.document.time.monotonic", lambda: now[0])
    document = Document(state)
    for epochs in (1, 12, 123):
        edited = attrs.evolve(state, training=attrs.evolve(state.training, epochs=epochs))
        document.replace(edited, "Set epochs")
        now[0] += wait_s
    assert document.undo_stack.count() == (1 if wait_s == 0 else 3)
    while document.undo_stack.canUndo():
        document.undo_stack.undo()
    assert document.state == state

"""The stack is edited by mouse and keyboard, each edit tells a new state, cards say errors."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from workbench.core.errors import SpecError
from workbench.gui.document import Document
from workbench.gui.forms.form import SpecEditor
from workbench.gui.forms.line_editors import LineEditor
from workbench.gui.forms.values import make, sentence_of
from workbench.gui.panels.stack import BLANK, StackPanel
from workbench.gui.stack_edits import stack_is_valid
from workbench.gui.state import DocumentState
from workbench.nn.initializers import Constant, Zeros
from workbench.nn.layers.base import Layer
from workbench.nn.layers.dense import Dense
from workbench.spec import codec
from workbench.spec.data import DataSpec
from workbench.spec.fields import number
from workbench.spec.library import find_network, starter_networks
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS
from workbench.spec.training import TrainingSpec
from workbench.training.events import RunFailed

LEFT = Qt.MouseButton.LeftButton
KEYS = Qt.Key
ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


def state_of(*layers: Any, shape: tuple[int, ...] = (1, 28, 28)) -> DocumentState:
    return DocumentState(NetworkSpec(shape, layers), TrainingSpec(), DataSpec())


RELU, SOFTMAX = LAYERS["relu"](), LAYERS["softmax"]()
STATE = state_of(Dense(256), RELU, Dense(10), SOFTMAX)


class Told:
    """What a panel told last, and its names of edits."""

    def __init__(self, panel: StackPanel) -> None:
        self.state = STATE
        self.texts: list[str] = []
        self.panel = panel
        panel.state_edited.connect(self.take)

    def take(self, state: DocumentState, text: str) -> None:
        self.state = state
        self.texts.append(text)
        # As the document does.
        self.panel.take_state(state)

    @property
    def names(self) -> list[str]:
        return [LAYERS.name_of(layer) for layer in self.state.network.layers]


@pytest.fixture
def panel(qtbot: QtBot) -> StackPanel:
    panel = StackPanel()
    qtbot.addWidget(panel)
    panel.resize(320, 700)
    panel.take_state(STATE)
    panel.show()
    return panel


@pytest.fixture
def told(panel: StackPanel) -> Told:
    return Told(panel)


def middle_of(card: QWidget) -> QPoint:
    return card.mapTo(card.parentWidget(), card.rect().center())


def drag(qtbot: QtBot, panel: StackPanel, card: int, to: QPoint) -> None:
    """Press on a card, move in steps, release."""
    start = middle_of(panel.cards.cards[card])
    qtbot.mousePress(panel.cards, LEFT, pos=start)
    for k in range(1, 5):
        qtbot.mouseMove(panel.cards, start + (to - start) * k / 4)
    qtbot.mouseRelease(panel.cards, LEFT, pos=to)


# Cards --------------------------------------------------------------------------------------------


def test_cards_say_shapes_and_parameters(panel: StackPanel) -> None:
    texts = [card.text for card in panel.cards.cards]
    assert [text.title for text in texts] == ["input", "dense", "relu", "dense", "softmax"]
    assert [text.shape_text for text in texts] == ["1 × 28 × 28", "256", "256", "10", "10"]
    assert [text.parameter_count for text in texts] == [0, 200_960, 0, 2_570, 0]
    assert "Parameters: 200,960" in panel.cards.cards[1].toolTip()
    assert "256" in panel.cards.cards[1].accessibleName()


@pytest.mark.parametrize(
    ("network", "layer", "words"),
    [
        (state_of(Dense(3, init=Constant((1.0, 2.0))), SOFTMAX), 0, "2 values cannot fill"),
        (state_of(RELU, Dense(1_000_000, init=Zeros())), 1, "parameters are too many"),
    ],
)
def test_an_error_stands_on_its_card_with_the_remedy(
    panel: StackPanel, network: DocumentState, layer: int, words: str
) -> None:
    assert stack_is_valid(STATE)
    assert not stack_is_valid(network)
    panel.take_state(network)
    card = panel.cards.cards[layer + 1]
    assert words in card.text.fault
    assert card.text.hint
    assert card.text.hint in card.toolTip()
    assert not card.text.fault.startswith("layer ")
    shown = [label.text() for label in card.findChildren(QWidget) if hasattr(label, "text")]
    assert any(words in text and card.text.hint in text for text in shown)
    # Mended, it is gone.
    panel.take_state(STATE)
    assert not any(card.text.fault for card in panel.cards.cards)


def test_what_stopped_a_run_stands_on_its_card_until_the_network_changes(panel: StackPanel) -> None:
    panel.take_event(RunFailed("SpecError", "layer 3 (dense): Too warm.", "Cool it.", layer=2))
    assert (panel.cards.cards[3].text.fault, panel.cards.cards[3].text.hint) == (
        "Too warm.",
        "Cool it.",
    )
    panel.take_state(attrs.evolve(STATE, training=TrainingSpec(epochs=9)))
    assert panel.cards.cards[3].text.fault
    panel.take_state(state_of(Dense(10)))
    assert not any(card.text.fault for card in panel.cards.cards)


# By mouse -----------------------------------------------------------------------------------------


def test_a_click_chooses_a_layer_and_shows_its_form(qtbot: QtBot, panel: StackPanel) -> None:
    assert panel.chosen_layer == 0
    qtbot.mouseClick(panel.cards.cards[3], LEFT)
    assert panel.chosen_layer == 2
    assert panel.form is not None
    assert panel.form.spec == Dense(10)
    qtbot.mouseClick(panel.cards.cards[0], LEFT)
    assert panel.chosen_layer is None
    assert list(panel.form.editors) == ["input"]


def test_buttons_move_duplicate_and_remove(qtbot: QtBot, panel: StackPanel, told: Told) -> None:
    qtbot.mouseClick(panel.down, LEFT)
    assert told.names == ["relu", "dense", "dense", "softmax"]
    assert panel.chosen_layer == 1
    qtbot.mouseClick(panel.up, LEFT)
    assert told.state == STATE
    qtbot.mouseClick(panel.copy, LEFT)
    assert told.state.network.layers[:2] == (Dense(256), Dense(256))
    assert panel.chosen_layer == 1
    qtbot.mouseClick(panel.remove, LEFT)
    assert told.state == STATE
    assert told.texts == ["Move dense down", "Move dense up", "Duplicate dense", "Remove dense"]


def test_buttons_are_there_for_what_can_be_done(panel: StackPanel) -> None:
    tools = (panel.up, panel.down, panel.copy, panel.remove)
    enabled = {}
    for layer in (None, 0, 3):
        panel.choose(layer)
        enabled[layer] = [tool.isEnabled() for tool in tools]
    assert enabled == {
        None: [False, False, False, False],
        0: [False, True, True, True],
        3: [True, False, True, True],
    }
    panel.take_state(state_of(Dense(10)))
    assert [tool.isEnabled() for tool in tools] == [False, False, True, False]


@pytest.mark.parametrize(
    ("card", "over", "names"),
    [
        (1, 4, ["relu", "dense", "softmax", "dense"]),
        (4, 1, ["softmax", "dense", "relu", "dense"]),
        (2, 0, ["relu", "dense", "dense", "softmax"]),
    ],
)
def test_a_card_is_dragged_to_another_place(
    qtbot: QtBot, panel: StackPanel, told: Told, card: int, over: int, names: list[str]
) -> None:
    below = QPoint(0, 10 if over > card else -10)
    drag(qtbot, panel, card, middle_of(panel.cards.cards[over]) + below)
    assert told.names == names
    assert len(told.texts) == 1
    assert not panel.cards.is_dragging


def test_a_drag_can_be_given_up_and_the_input_stays(
    qtbot: QtBot, panel: StackPanel, told: Told
) -> None:
    cards = panel.cards
    drag(qtbot, panel, 0, middle_of(cards.cards[3]))
    start = middle_of(cards.cards[1])
    qtbot.mousePress(cards, LEFT, pos=start)
    qtbot.mouseMove(cards, middle_of(cards.cards[4]))
    assert cards.is_dragging
    cards.grab()  # the mark is drawn
    qtbot.keyClick(cards, KEYS.Key_Escape)
    qtbot.mouseRelease(cards, LEFT, pos=middle_of(cards.cards[4]))
    # A shaky click is no drag.
    drag(qtbot, panel, 2, middle_of(cards.cards[2]) + QPoint(2, 1))
    assert told.texts == []


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_is_found_in_the_palette(
    qtbot: QtBot, panel: StackPanel, told: Told, name: str
) -> None:
    qtbot.mouseClick(panel.add_button, LEFT)
    assert set(panel.palette_list.found()) == set(LAYERS)
    assert panel.palette_list.found()[0] == "dense"
    panel.palette_list.grab()
    qtbot.keyClicks(panel.palette_list.search, name)
    assert name in panel.palette_list.found()
    qtbot.keyClick(panel.palette_list.search, KEYS.Key_Return)
    assert told.texts == [f"Add {name}"]
    assert told.names == ["dense", name, "relu", "dense", "softmax"]
    assert panel.chosen_layer == 1
    assert not panel.palette_list.isVisible()


def test_the_palette_finds_by_what_a_layer_says_of_itself(qtbot: QtBot, panel: StackPanel) -> None:
    qtbot.mouseClick(panel.add_button, LEFT)
    qtbot.keyClicks(panel.palette_list.search, "probabilities")
    assert panel.palette_list.found() == ["softmax"]
    qtbot.keyClicks(panel.palette_list.search, " of fish")
    assert panel.palette_list.found() == []
    qtbot.keyClick(panel.palette_list.search, KEYS.Key_Return)
    assert panel.palette_list.isVisible()
    qtbot.keyClick(panel.palette_list.search, KEYS.Key_Escape)
    assert not panel.palette_list.isVisible()


def test_a_layer_of_a_plugin_has_palette_form_and_card(
    qtbot: QtBot, panel: StackPanel, told: Told
) -> None:
    @LAYERS.add("leaky_tanh")
    @attrs.frozen
    class LeakyTanh(Layer):
        """Keep a slope far from zero. It never saturates."""

        leak: float = number(default=0.1, label="Leak", help="Slope far from zero.")

        def output(self, x: Any, params: Any) -> Any:
            return self.leak * x

    try:
        qtbot.mouseClick(panel.add_button, LEFT)
        qtbot.keyClicks(panel.palette_list.search, "slope")
        qtbot.keyClick(panel.palette_list.search, KEYS.Key_Return)
        assert told.names[1] == "leaky_tanh"
        assert panel.form is not None
        leak = panel.form.editors["leak"]
        assert isinstance(leak, LineEditor)
        leak.line.selectAll()
        qtbot.keyClicks(leak.line, "2")
        assert told.state.network.layers[1] == LeakyTanh(2.0)
        assert told.texts == ["Add leaky_tanh", "Set leak"]
        assert panel.cards.cards[2].text.about == "Keep a slope far from zero."
        panel.take_state(STATE)
    finally:
        LAYERS.remove("leaky_tanh")


@pytest.mark.parametrize("name", starter_networks())
def test_a_starter_network_is_one_edit(
    qtbot: QtBot, panel: StackPanel, told: Told, name: str
) -> None:
    qtbot.mouseClick(panel.starters_button, LEFT)
    entry = panel.starters.entries
    row = panel.starters.found().index(name)
    assert starter_networks()[name] in entry.item(row).data(Qt.ItemDataRole.AccessibleTextRole)
    where = entry.visualItemRect(entry.item(row)).center()
    qtbot.mouseClick(entry.viewport(), LEFT, pos=where)
    assert told.texts == [f"Load {name}"]
    assert told.state == attrs.evolve(STATE, network=find_network(name))


# By keyboard --------------------------------------------------------------------------------------


def test_all_of_it_goes_by_keyboard(qtbot: QtBot, panel: StackPanel, told: Told) -> None:
    cards = panel.cards
    qtbot.keyClick(cards, KEYS.Key_Down)
    assert panel.chosen_layer == 1
    qtbot.keyClick(cards, KEYS.Key_Up, ALT)
    assert told.names == ["relu", "dense", "dense", "softmax"]
    assert panel.chosen_layer == 0
    qtbot.keyClick(cards, KEYS.Key_Up, ALT)  # there is only the input above
    qtbot.keyClick(cards, KEYS.Key_Down, ALT)
    assert told.state == STATE
    qtbot.keyClick(cards, KEYS.Key_D, CONTROL)
    assert told.names == ["dense", "relu", "relu", "dense", "softmax"]
    qtbot.keyClick(cards, KEYS.Key_Delete)
    assert told.state == STATE
    qtbot.keyClick(cards, KEYS.Key_End)
    qtbot.keyClick(cards, KEYS.Key_Down, ALT)
    qtbot.keyClick(cards, KEYS.Key_Home)
    qtbot.keyClick(cards, KEYS.Key_Delete)  # the input stays
    qtbot.keyClick(cards, KEYS.Key_D, CONTROL)
    assert told.texts == ["Move relu up", "Move relu down", "Duplicate relu", "Remove relu"]


def test_the_form_is_reached_from_the_cards(qtbot: QtBot, panel: StackPanel) -> None:
    qtbot.waitUntil(panel.isActiveWindow)
    panel.cards.setFocus()
    qtbot.keyClick(panel.cards, KEYS.Key_Return)
    assert panel.form is not None
    units = panel.form.editors["units"]
    assert isinstance(units, LineEditor)
    assert units.line.hasFocus()


def test_the_only_layer_stays(qtbot: QtBot, panel: StackPanel, told: Told) -> None:
    panel.take_state(state_of(Dense(10)))
    with qtbot.waitSignal(panel.message_raised) as said:
        qtbot.keyClick(panel.cards, KEYS.Key_Delete)
    assert said.args is not None
    assert all(said.args)
    assert told.texts == []


# The form -----------------------------------------------------------------------------------------


def test_an_edit_in_the_form_changes_the_chosen_layer_alone(
    qtbot: QtBot, panel: StackPanel, told: Told
) -> None:
    panel.choose(2)
    assert panel.form is not None
    units = panel.form.editors["units"]
    assert isinstance(units, LineEditor)
    units.line.selectAll()
    qtbot.keyClicks(units.line, "20")
    assert told.state == state_of(Dense(256), RELU, Dense(20), SOFTMAX)
    assert set(told.texts) == {"Set units"}
    assert panel.cards.cards[4].text.shape_text == "20"
    assert units.line.text() == "20"


def test_what_was_typed_for_one_layer_does_not_stand_in_anothers_form(
    qtbot: QtBot, panel: StackPanel, told: Told
) -> None:
    panel.take_state(state_of(Dense(10), Dense(10)))
    panel.choose(0)
    assert panel.form is not None
    units = panel.form.editors["units"]
    assert isinstance(units, LineEditor)
    units.line.selectAll()
    qtbot.keyClicks(units.line, "many")
    assert units.fault
    panel.choose(1)
    assert not panel.form.editors["units"].fault
    assert told.texts == []


def test_the_input_can_be_set(qtbot: QtBot, panel: StackPanel, told: Told) -> None:
    panel.choose(None)
    assert panel.form is not None
    shape = panel.form.editors["input"]
    assert isinstance(shape, LineEditor)
    shape.line.selectAll()
    qtbot.keyClicks(shape.line, "4")
    assert told.state.network.input == (4,)
    assert told.texts == ["Set input"]
    assert panel.chosen_layer is None


# Many edits ---------------------------------------------------------------------------------------

_PLACE = st.integers(-1, 30)
_EDITS = st.one_of(
    st.tuples(st.just("add"), _PLACE, st.sampled_from(list(LAYERS))),
    st.tuples(st.sampled_from(["remove", "duplicate"]), _PLACE, st.none()),
    st.tuples(st.just("move"), _PLACE, _PLACE),
    st.tuples(st.just("units"), _PLACE, st.integers(-5, 2_000_000)),
    st.tuples(st.just("load"), _PLACE, st.sampled_from(list(starter_networks()))),
)


def do(panel: StackPanel, edit: tuple[str, int, Any], layers: int) -> None:
    """Make one edit through the panel."""
    kind, place, value = edit
    panel.choose(None if place < 0 else place % layers)
    match kind:
        case "add":
            panel.add_layer(value)
        case "remove":
            panel.remove_layer()
        case "duplicate":
            panel.duplicate_layer()
        case "move":
            panel.move_layer(value)
        case "load":
            panel.load_starter(value)
        case "units":
            units = panel.form and panel.form.editors.get("units")
            if isinstance(units, LineEditor):
                units.line.setText(str(value))
                units.line.textEdited.emit(str(value))


@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(_EDITS, min_size=200, max_size=200))
def test_whatever_is_edited_can_be_written_read_and_undone(
    panel: StackPanel, edits: list[tuple[str, int, Any]]
) -> None:
    panel.take_state(STATE)
    told, document = Told(panel), Document(STATE)
    panel.state_edited.connect(document.replace)
    for edit in edits:
        before, count = told.state, len(told.texts)
        do(panel, edit, len(told.state.network.layers))
        # As the event loop would between two edits: forms that were left go.
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        assert len(told.texts) - count == (told.state != before) or edit[0] in ("load", "move")
        text = json.dumps(codec.to_json(told.state.network), allow_nan=False)
        assert codec.network_from_json(json.loads(text)) == told.state.network
        assert [card.text.title for card in panel.cards.cards] == ["input", *told.names]
    panel.state_edited.disconnect(told.take)
    panel.state_edited.disconnect(document.replace)
    # Undone and redone, with the panel shown each state.
    document.state_changed.connect(panel.take_state)
    for index, state in ((0, STATE), (document.undo_stack.count(), told.state)):
        document.undo_stack.setIndex(index)
        assert document.state == state
        assert panel.cards.cards[1].text.title == LAYERS.name_of(state.network.layers[0])


def test_sentences_are_there_for_every_layer() -> None:
    for name, cls in LAYERS.items():
        assert sentence_of(cls) != sentence_of(Layer), name
        assert make(cls).out_shape((1, 4))
    with pytest.raises(SpecError):
        find_network("nothing like it")


# Where things are ---------------------------------------------------------------------------------


def test_tab_goes_through_the_panel_from_top_to_bottom(qtbot: QtBot, panel: StackPanel) -> None:
    qtbot.waitUntil(panel.isActiveWindow)
    panel.choose(3)
    panel.choose(2)  # this form was made last of all
    assert panel.form is not None
    init = panel.form.editors["init"]
    assert isinstance(init, SpecEditor)
    qtbot.keyClick(init.box, KEYS.Key_Home)  # and these fields of "constant" later still
    qtbot.keyClick(init.box, KEYS.Key_Up)
    assert init.form is not None
    qtbot.waitUntil(init.form.editors["value"].isVisible)
    panel.up.setFocus()
    reached = []
    for _ in range(11):
        control = panel.focusWidget()
        assert control is not None
        reached.append(control)
        qtbot.keyClick(control, KEYS.Key_Tab)
    heights = [control.mapTo(panel, QPoint(0, 0)).y() for control in reached]
    assert heights == sorted(heights)
    assert reached[4:7] == [
        panel.cards,
        panel.add_button,
        panel.starters_button,
    ]
    assert reached[-2:] == [
        init.box,
        init.form.editors["value"].control,
    ]


def test_a_long_form_leaves_room_for_cards(qtbot: QtBot, panel: StackPanel) -> None:
    panel.resize(260, 340)
    panel.choose(0)
    qtbot.waitUntil(lambda: panel.height() == 340)
    assert panel.cards.cards[1].visibleRegion().boundingRect().height() > 0


def test_one_can_begin_with_next_to_nothing(panel: StackPanel, told: Told) -> None:
    panel.load_starter(BLANK)
    assert told.state == state_of(Dense(10))
    assert told.texts == ["Load blank"]


def test_typing_is_one_edit_to_undo(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.gui.document.time.monotonic", lambda: 100.0)
    panel, document = StackPanel(), Document(STATE)
    qtbot.addWidget(panel)
    panel.state_edited.connect(document.replace)
    document.state_changed.connect(panel.take_state)
    panel.take_state(STATE)
    panel.choose(0)
    assert panel.form is not None
    units = panel.form.editors["units"]
    assert isinstance(units, LineEditor)
    units.line.selectAll()
    qtbot.keyClicks(units.line, "300")
    assert document.state.network.layers[0] == Dense(300)
    assert document.undo_stack.undoText() == "Set units"
    panel.duplicate_layer()
    panel.duplicate_layer()
    assert document.undo_stack.count() == 3
    for _ in range(3):
        document.undo_stack.undo()
    assert document.state == STATE
    assert panel.form is not None
    assert panel.form.spec == STATE.network.layers[panel.chosen_layer or 0]
    document.undo_stack.redo()
    assert panel.cards.cards[1].text.shape == (300,)

"""The stack: a card for the input and for each layer, and the form of the one that is chosen.

Responsible for editing the network; knows nothing of how it is trained.
"""

from __future__ import annotations

from typing import Any

import attrs
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workbench.gui import stack_edits
from workbench.gui.forms.form import Form
from workbench.gui.forms.values import make, sentence_of
from workbench.gui.panels.base import PANELS, Panel
from workbench.gui.state import DocumentState
from workbench.gui.theme.icons import icon
from workbench.gui.theme.palette import hub
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.card_list import CardList
from workbench.gui.widgets.chooser import Chooser
from workbench.gui.widgets.fitted_scroll import FittedScroll
from workbench.gui.widgets.icon_button import IconButton
from workbench.gui.widgets.layer_card import CardText
from workbench.nn.shapes import LayerShape, walk
from workbench.spec.library import starter_networks
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS
from workbench.training.events import Event, Prepared, RunFailed

#: Room for cards that the form leaves them.
_MIN_CARDS_PX = 100

#: Pixels around a dragged card that are kept in view.
_MARGIN_PX = 24


#: What the starter is called that has next to nothing in it.
BLANK = "blank"


@PANELS.add("stack")
class StackPanel(Panel):
    """Shows and edits the layers of the network."""

    title = "Layers"
    place = "left"
    keys = (
        ("Choose a layer", "Up or Down"),
        ("Move the chosen layer", "Alt+Up or Alt+Down"),
        ("Duplicate the chosen layer", "Ctrl+D"),
        ("Remove the chosen layer", "Delete"),
        ("Go to the form of the chosen layer", "Enter"),
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: DocumentState | None = None
        self._failed: RunFailed | None = None
        self.cards = CardList()
        self.cards.setProperty("goal", True)
        self.cards.index_chosen.connect(self._on_cards_index_chosen)
        self.cards.move_wanted.connect(self._on_cards_move_wanted)
        self.cards.removal_wanted.connect(self._on_cards_removal_wanted)
        self.cards.copy_wanted.connect(self._on_cards_copy_wanted)
        self.cards.opening_wanted.connect(self._on_cards_opening_wanted)
        self.cards.drag_moved.connect(self._on_cards_drag_moved)
        self.palette_list = Chooser("layer", self)
        self.palette_list.name_chosen.connect(self.add_layer)
        self.starters = Chooser("network", self)
        self.starters.name_chosen.connect(self.load_starter)
        self.form: Form | None = None
        self._formed: tuple[int | None, type[Any]] | None = None
        self._build()
        hub().palette_changed.connect(self._on_hub_palette_changed)
        self._on_hub_palette_changed()

    # What it is told ------------------------------------------------------------------------------

    def take_state(self, state: DocumentState) -> None:
        """Show another network."""
        before, self._state = self._state, state
        if before is not None and before.network == state.network:
            return
        self._failed = None
        self._show_cards()
        if before is None:
            self.cards.choose(1)
        self._show_form()

    def take_event(self, event: Event) -> None:
        """Show on the layer's card why a run failed; forget it when there is a session again."""
        if isinstance(event, RunFailed | Prepared) and self._state is not None:
            self._failed = event if isinstance(event, RunFailed) else None
            self._show_cards()

    def fault(self) -> str:
        """Return what was entered and refused."""
        return "" if self.form is None else self.form.fault()

    # What can be done, by whatever means ----------------------------------------------------------

    @property
    def chosen_layer(self) -> int | None:
        """Index of the chosen layer, from 0; None where the input is chosen."""
        return self.cards.chosen - 1 if self.cards.chosen else None

    def choose(self, layer: int | None) -> None:
        """Choose a layer by its index, or the input."""
        self.cards.choose(0 if layer is None else layer + 1)
        self._show_form()

    def add_layer(self, name: str) -> None:
        """Add a layer behind the chosen one."""
        if self._state is not None:
            # The card behind the chosen one is that of the layer with the chosen card's number.
            index = self.cards.chosen
            self._edit(stack_edits.add(self._state, index, make(LAYERS[name])), index)
            self.cards.setFocus()

    def remove_layer(self) -> None:
        """Remove the chosen layer, unless it is the only one."""
        index = self.chosen_layer
        if self._state is None or index is None:
            return
        if stack_edits.can_remove(self._state):
            left = len(self._state.network.layers) - 2
            self._edit(stack_edits.remove(self._state, index), min(index, left))
        else:
            self.message_raised.emit(
                "A network keeps at least one layer.", "Add another one before removing this one."
            )

    def duplicate_layer(self) -> None:
        """Add a second layer like the chosen one behind it."""
        index = self.chosen_layer
        if self._state is not None and index is not None:
            self._edit(stack_edits.duplicate(self._state, index), index + 1)

    def move_layer(self, target: int) -> None:
        """Move the chosen layer so that it is number `target`, from 0."""
        index = self.chosen_layer
        if self._state is None or index is None or target == index:
            return
        if 0 <= target < len(self._state.network.layers):
            self._edit(stack_edits.move(self._state, index, target), target)

    def load_starter(self, name: str) -> None:
        """Take a starter network instead of the present one."""
        if self._state is not None:
            edit = stack_edits.begin_anew if name == BLANK else stack_edits.load_starter
            self._edit(edit(self._state, name), 0)

    # How it is shown ------------------------------------------------------------------------------

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(S.s, S.s, S.s, S.s)
        column.setSpacing(S.s)
        heading = QHBoxLayout()
        heading.setSpacing(0)
        title = QLabel(self.title)
        title.setProperty("role", "heading")
        heading.addWidget(title)
        heading.addStretch(1)
        self.up = IconButton("up", "Move up", "Moves the chosen layer towards the input (Alt+Up).")
        self.down = IconButton(
            "down", "Move down", "Moves the chosen layer towards the output (Alt+Down)."
        )
        self.copy = IconButton(
            "copy", "Duplicate", "Adds a second layer like the chosen one (Ctrl+D)."
        )
        self.remove = IconButton("remove", "Remove", "Removes the chosen layer (Delete).")
        for button in (self.up, self.down, self.copy, self.remove):
            button.setProperty("flat", True)
            button.clicked.connect(self._on_tool_clicked)
            heading.addWidget(button)
        column.addLayout(heading)
        self._scroll = FittedScroll(self.cards)
        self._scroll.setMinimumHeight(_MIN_CARDS_PX)
        column.addWidget(self._scroll)
        column.addLayout(self._build_adding())
        column.addWidget(FittedScroll(self._build_form_place()))
        column.addStretch(1)

    def _build_adding(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(S.s)
        self.add_button = QPushButton("Add layer")
        self.add_button.setToolTip("Adds a layer behind the chosen one.")
        self.add_button.setAccessibleName("Add layer")
        self.add_button.clicked.connect(self._on_add_button_clicked)
        self.starters_button = QPushButton("Starters")
        self.starters_button.setToolTip("Loads one of the networks that come along.")
        self.starters_button.setAccessibleName("Starter networks")
        self.starters_button.clicked.connect(self._on_starters_button_clicked)
        row.addWidget(self.add_button, 1)
        row.addWidget(self.starters_button)
        return row

    def _build_form_place(self) -> QWidget:
        place = QFrame()
        self._form_column = QVBoxLayout(place)
        self._form_column.setContentsMargins(0, S.xs, 0, 0)
        self._form_column.setSpacing(S.xs)
        self._form_title = QLabel()
        self._form_title.setProperty("role", "heading")
        self._form_about = QLabel()
        self._form_about.setProperty("role", "muted")
        self._form_about.setWordWrap(True)
        self._form_column.addWidget(self._form_title)
        self._form_column.addWidget(self._form_about)
        return place

    def _show_cards(self) -> None:
        assert self._state is not None
        network = self._state.network
        about = "Shape of one input: channels, height, width."
        cards = [CardText("input", network.input, about=about, movable=False)]
        cards += [
            self._card(index, layer, step)
            for index, (layer, step) in enumerate(zip(network.layers, walk(network), strict=True))
        ]
        self.cards.show_texts(cards)

    def _card(self, index: int, layer: Any, step: LayerShape) -> CardText:
        name = LAYERS.name_of(layer)
        fault = self._failed if self._failed and self._failed.layer == index else step.error
        return CardText(
            name,
            step.out_shape,
            step.parameter_count,
            sentence_of(type(layer)),
            # The card itself says which layer it is.
            fault.message.removeprefix(f"layer {index + 1} ({name}): ") if fault else "",
            fault.hint if fault else "",
        )

    def _show_form(self) -> None:
        assert self._state is not None
        index = self.chosen_layer
        network = self._state.network
        spec = network if index is None else network.layers[index]
        title = "input" if index is None else LAYERS.name_of(spec)
        self._form_title.setText(title if index is None else f"{title}, layer {index + 1}")
        # Another layer gets another form, even of the same class: what was typed is not its own.
        if self._formed != (index, type(spec)):
            self._formed = (index, type(spec))
            self._renew_form(type(spec))
        assert self.form is not None
        self.form.set_spec(spec)
        about = "What goes in." if index is None else sentence_of(type(spec))
        nothing = "" if self.form.editors else " It has nothing to set."
        self._form_about.setText(about + nothing)
        self._enable_tools()

    def _renew_form(self, cls: type[Any]) -> None:
        if self.form is not None:
            self._form_column.removeWidget(self.form)
            self.form.hide()
            self.form.deleteLater()
        self.form = Form(cls, ("input",) if cls is NetworkSpec else None)
        self.form.spec_edited.connect(self._on_form_spec_edited)
        self._form_column.addWidget(self.form)
        self.form.follow(self.starters_button)

    def _enable_tools(self) -> None:
        assert self._state is not None
        index = self.chosen_layer
        last = len(self._state.network.layers) - 1
        self.up.setEnabled(index is not None and index > 0)
        self.down.setEnabled(index is not None and index < last)
        self.copy.setEnabled(index is not None)
        self.remove.setEnabled(index is not None and last > 0)

    def _edit(self, edit: stack_edits.Edit, chosen: int | None) -> None:
        """Show an edit, choose the layer that it is about, and tell of it."""
        state, text = edit
        self.take_state(state)
        self.choose(chosen)
        self._keep_in_view()
        self.state_edited.emit(state, text)

    def _keep_in_view(self) -> None:
        self.cards.settle()
        self._scroll.ensureWidgetVisible(self.cards.cards[self.cards.chosen], 0, _MARGIN_PX)

    # Slots ----------------------------------------------------------------------------------------

    def _on_cards_index_chosen(self, index: int) -> None:
        self._show_form()
        self._keep_in_view()

    def _on_cards_move_wanted(self, index: int, target: int) -> None:
        self.choose(index - 1)
        self.move_layer(target - 1)

    def _on_cards_removal_wanted(self, index: int) -> None:
        self.remove_layer()

    def _on_cards_copy_wanted(self, index: int) -> None:
        self.duplicate_layer()

    def _on_cards_opening_wanted(self) -> None:
        if self.form is not None and self.form.editors:
            control = next(iter(self.form.editors.values())).control
            if control is not None:
                control.setFocus()

    def _on_cards_drag_moved(self, at: QPoint) -> None:
        self._scroll.ensureVisible(at.x(), at.y(), 0, _MARGIN_PX)

    def _on_tool_clicked(self) -> None:
        button, index = self.sender(), self.chosen_layer
        if index is None:
            return
        if button is self.up:
            self.move_layer(index - 1)
        elif button is self.down:
            self.move_layer(index + 1)
        elif button is self.copy:
            self.duplicate_layer()
        else:
            self.remove_layer()

    def _on_add_button_clicked(self) -> None:
        # What has something to set stands before the plain functions.
        known = sorted(LAYERS.items(), key=lambda entry: not attrs.fields(entry[1]))
        self.palette_list.offer([(name, sentence_of(cls)) for name, cls in known])
        self.palette_list.open_below(self.add_button)

    def _on_starters_button_clicked(self) -> None:
        blank = sentence_of(stack_edits.begin_anew)
        self.starters.offer([*starter_networks().items(), (BLANK, blank)])
        self.starters.open_below(self.starters_button)

    def _on_form_spec_edited(self, spec: Any, field: str) -> None:
        assert self._state is not None
        index = self.chosen_layer
        if index is None:
            self._edit((attrs.evolve(self._state, network=spec), f"Set {field}"), None)
        else:
            self._edit(stack_edits.set_layer(self._state, index, spec, field), index)

    def _on_hub_palette_changed(self) -> None:
        self.add_button.setIcon(icon("add"))
        self.starters_button.setIcon(icon("layers"))

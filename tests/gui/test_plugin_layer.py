"""A layer in one file of the user's folder is a layer like any other, as a person has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel, QLineEdit

from tests.gui.person import ByMouse, wait_until
from tests.gui.sitting import SIZE, draw
from workbench import plugins
from workbench.gui.controller import Controller
from workbench.gui.run_control import Phase
from workbench.io import load_model
from workbench.nn.model import Model
from workbench.spec.registries import LAYERS

Opener = Callable[..., Controller]

#: All of the file.
GAIN = '''
import attrs

from workbench.nn.initializers import Constant
from workbench.nn.layers import LAYERS, Layer, Param
from workbench.spec.fields import number


@LAYERS.add("gain")
@attrs.frozen
class Gain(Layer):
    """Multiplies each input by a factor that is learnt."""

    first: float = number(default=1.0, label="First factor", help="What every factor starts from.")

    def params(self, in_shape):
        return {"factor": Param(in_shape, Constant(self.first))}

    def output(self, x, params):
        return x * params["factor"]
'''


@pytest.fixture
def _gain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "gain.py").write_text(GAIN)
    monkeypatch.setenv("WORKBENCH_PLUGINS", str(folder))
    assert plugins.load() == []


@pytest.mark.usefixtures("forget_plugins", "_gain")
def test_a_layer_of_the_users_own(open_window: Opener, tmp_path: Path) -> None:
    controller = open_window()
    controller.window.resize(SIZE)
    person, document = ByMouse(controller), controller.document
    first = document.state

    # In the palette, by a word of its sentence; the chosen layer is the one before.
    person.search("Add layer", "factor", "gain")
    added = document.state.network
    assert [LAYERS.name_of(layer) for layer in added.layers[:2]] == ["dense", "gain"]
    card = controller.panels["stack"].cards.cards[2].text
    assert (card.title, card.shape, card.parameter_count, card.fault) == ("gain", (8,), 8, "")
    labels = [label.text() for label in controller.panels["stack"].findChildren(QLabel)]
    assert "Multiplies each input by a factor that is learnt." in labels

    # Its form, and undo of both edits.
    person.enter("First factor", "0.5")
    edited = document.state.network
    assert edited.layers[1] == LAYERS["gain"](0.5)
    person.order("Edit", "Undo Set first factor")
    assert document.state.network == added
    person.order("Edit", "Undo Add gain")
    assert document.state == first
    person.order("Edit", "Redo Add gain")
    person.order("Edit", "Redo Set first factor")
    assert document.state.network == edited

    person.press("Train", controller.window.top_bar)
    wait_until(lambda: controller.run.step == 12 and controller.run.phase is Phase.IDLE)
    read = draw(person)[-1]
    path = tmp_path / "gain.h5"
    person.order("File", "Save as…")
    person.name_file(str(path))
    wait_until(lambda: document.path == path)
    controller.close()
    saved = load_model(path)
    assert saved.network == edited
    learnt = saved.parameters["1.factor"]
    assert learnt.shape == (8,)
    assert len(np.unique(learnt)) > 1
    start = Model.from_spec(edited, saved.training.seed, "float64").parameters["1.factor"]
    assert np.all(start.get_value() == 0.5)

    again = open_window()
    again.window.resize(SIZE)
    person = ByMouse(again)
    person.order("File", "Open…")
    person.name_file(str(path))
    wait_until(lambda: again.document.path == path and again.run.holds_document)
    assert again.document.state.network == edited
    assert again.run.step == 12
    person.choose_card(2)
    assert person.find(QLineEdit, "First factor").text() == "0.5"
    np.testing.assert_array_equal(draw(person)[-1], read)

"""What a person does from an empty stack to a saved file, by mouse and by keyboard alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np
import pytest

from tests import tables
from tests.gui.person import Person, wait_until
from tests.gui.sitting import PEOPLE, SIZE, draw
from workbench.data.loading import load
from workbench.engine.backends.catalogue import devices
from workbench.gui import app
from workbench.gui.controller import Controller
from workbench.gui.run_control import Phase
from workbench.gui.widgets.image_wall import ImageWall
from workbench.gui.widgets.run_plots import RunPlots
from workbench.nn.initializers import Zeros
from workbench.nn.layers.dense import Dense
from workbench.nn.optimizers.sgd import SGD
from workbench.spec.data import DataSpec
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS
from workbench.spec.training import TrainingSpec

Opener = Callable[..., Controller]

ROOT = Path(__file__).parents[2]


@attrs.frozen
class Table:
    """What ten iterations of logistic regression on a dataset give.

    Parameters
    ----------
    log_likelihood
        Of every iteration.
    first_ten
        What the first ten test images are, and are taken for.
    """

    log_likelihood: list[float]
    first_ten: list[str]


TABLES = {
    "mnist": Table(tables.LOGISTIC, tables.LOGISTIC_FIRST_TEN),
    "digits": Table(tables.DIGITS, tables.DIGITS_FIRST_TEN),
}


@pytest.fixture
def dataset(request: pytest.FixtureRequest) -> str:
    """Return the tutorial's dataset, or the embedded one where that is not here."""
    load(DataSpec("digits"))  # the window opens with them, and drawing them takes seconds
    try:
        request.getfixturevalue("mnist")
    except pytest.skip.Exception:
        return "digits"
    return "mnist"


@pytest.mark.parametrize("way", PEOPLE)
def test_from_an_empty_stack_to_a_file(
    open_window: Opener, dataset: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What computes is what a person has who chooses nothing.
    monkeypatch.delenv("WORKBENCH_DEVICE")
    controller = open_window(app.first_state())
    controller.window.resize(SIZE)
    person, table = PEOPLE[way](controller), TABLES[dataset]
    build(person)
    set_run(person, dataset)
    layers = (Dense(10, init=Zeros()), LAYERS["softmax"]())
    run = TrainingSpec(optimizer=SGD(0.5), batch="full", epochs=10, precision="float64")
    state = controller.document.state
    assert (state.network, state.training) == (NetworkSpec((1, 28, 28), layers), run)
    assert state.data == DataSpec(dataset)
    train(person)
    assert devices()[0].id in controller.window.device_label.text()
    plots = person.find(RunPlots, "Plots of the run")
    wait_until(lambda: len(plots.plotted("upper", "train")[0]) == 10)
    steps, values = plots.plotted("upper", "train")
    assert list(steps) == list(range(10))
    np.testing.assert_allclose(values, table.log_likelihood, rtol=0, atol=1e-9)
    read = draw(person)
    look_at_test_images(person, table)
    path = tmp_path / "first.h5"
    save(person, path)
    command = [sys.executable, "-m", "tests.gui.sitting", str(path), way]
    other = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert other.returncode == 0, other.stderr
    assert json.loads(other.stdout) == read[-1].tolist()


def build(person: Person) -> None:
    """Stack the layers of logistic regression, beginning with next to nothing."""
    person.search("Starter networks", "blan", "blank")
    person.search("Add layer", "weighted", "dense")
    person.choose_card(1)
    person.press("Remove")
    person.enter("Units", "10")
    person.choose("Start", "zeros")
    person.search("Add layer", "softm", "softmax")


def set_run(person: Person, dataset: str) -> None:
    """Set what the tutorial sets."""
    person.enter("Rate", "0.5")
    person.press("Batch: full")
    person.enter("Epochs", "10")
    person.choose("Precision", "float64")
    person.choose("Dataset", dataset, person.window.top_bar)


def train(person: Person) -> None:
    """Press Train and wait until nothing goes on."""
    run = person.controller.run
    person.press("Train", person.window.top_bar)
    wait_until(lambda: run.step == 10 and run.phase is Phase.IDLE, 60)


def look_at_test_images(person: Person, table: Table) -> None:
    """Leaf to the first ten test images; what is marked is what is wrong."""
    person.turn_to("Test images")
    wall = person.find(ImageWall, "Test images")
    first = list(wall._captions)
    person.press("Next page")
    assert wall._captions != first
    person.press("Previous page")
    wait_until(lambda: "→" in wall._captions[9])
    seen = []
    for index in range(10):
        person.look_at(wall, index)
        said = re.match(
            r"Image (\d+): true class (\d), assigned (\d)", wall.accessibleDescription()
        )
        assert said is not None
        number, true, assigned = said.groups()
        assert number == str(index + 1)
        seen.append(f"{true} → {assigned}")
    assert seen == table.first_ten
    wrong = [said[0] != said[-1] for said in table.first_ten]
    assert wall._marks[:10] == wrong


def save(person: Person, path: Path) -> None:
    """Save as a new file."""
    person.order("File", "Save as…")
    person.name_file(str(path))
    wait_until(lambda: person.controller.document.path == path)
    assert not person.window.isWindowModified()
    assert path.name in person.window.windowTitle()

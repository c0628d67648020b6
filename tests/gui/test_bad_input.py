"""Bad input, met through the window: a message inline, the window alive, a run undisturbed."""

from __future__ import annotations

import errno
import os
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from tests.failing import FailingDevice
from workbench.core.errors import DeviceError
from workbench.engine.backends import catalogue
from workbench.engine.backends.base import Device
from workbench.engine.backends.reference import INFO as REFERENCE
from workbench.engine.backends.reference import ReferenceDevice
from workbench.gui import engine_thread
from workbench.gui.controller import Controller
from workbench.gui.panels.training import TrainingPanel
from workbench.gui.run_control import Phase
from workbench.gui.settings import Settings
from workbench.gui.state import DocumentState
from workbench.io import load_model, save_model
from workbench.nn.layers.dense import Dense
from workbench.nn.optimizers.sgd import SGD
from workbench.spec.data import DataSpec
from workbench.spec.registries import DATASETS, LAYERS
from workbench.training import devices
from workbench.training.events import Event, RunFailed
from workbench.training.model_files import first_model_file
from workbench.training.session import Session

Opener = Callable[..., Controller]

DAMAGED = Path(__file__).parents[1] / "io" / "damaged"


def said(qtbot: QtBot, controller: Controller, words: str) -> str:
    """Wait for a message with some words, and return it."""
    bar = controller.window.message_bar
    qtbot.waitUntil(lambda: words in bar.text, timeout=30_000)
    assert bar.isVisible()
    return bar.text


def goes_on(qtbot: QtBot, controller: Controller) -> None:
    """Check that the run that was under way still is."""
    assert controller.run.phase is Phase.RUNNING
    step = controller.run.step
    qtbot.waitUntil(lambda: controller.run.step > step, timeout=20_000)
    assert controller.run.phase is Phase.RUNNING


def is_idle(qtbot: QtBot, controller: Controller) -> None:
    qtbot.waitUntil(lambda: controller.run.phase is Phase.IDLE, timeout=20_000)


def edit(controller: Controller, **changes: Any) -> None:
    """Edit the document; what is no part of it is one of its training spec."""
    state = controller.document.state
    own = {name: changes.pop(name) for name in list(changes) if hasattr(state, name)}
    training = attrs.evolve(state.training, **changes)
    controller.document.replace(attrs.evolve(state, **{"training": training, **own}), "Edit")


def is_usable(qtbot: QtBot, controller: Controller, state: DocumentState) -> None:
    """Check that a sound document is trained in this window, with the message gone."""
    controller.document.replace(state, "Mend")
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.phase is Phase.RUNNING, timeout=20_000)
    assert controller.window.message_bar.text == ""
    goes_on(qtbot, controller)


@pytest.fixture
def training(open_window: Opener, qtbot: QtBot, endless: DocumentState) -> Controller:
    """Return a window in which a run goes on."""
    controller = open_window(endless)
    controller.actions["train"].trigger()
    qtbot.waitUntil(
        lambda: controller.run.phase is Phase.RUNNING and controller.run.step > 0, timeout=20_000
    )
    return controller


# Model files ---------------------------------------------------------------------------------


def good(folder: Path, state: DocumentState) -> Path:
    path = folder / "good.h5"
    save_model(path, first_model_file(state.network, state.training, state.data))
    return path


def nothing(folder: Path, _: DocumentState) -> Path:
    return folder / "gone.h5"


def a_folder(folder: Path, _: DocumentState) -> Path:
    return folder


def cut(folder: Path, state: DocumentState) -> Path:
    path = good(folder, state)
    path.write_bytes(path.read_bytes()[:-1000])
    return path


def flipped(folder: Path, state: DocumentState) -> Path:
    path = good(folder, state)
    data = bytearray(path.read_bytes())
    data[data.index(b"layer_names") + 3] ^= 1
    path.write_bytes(data)
    return path


def crashing(_: Path, __: DocumentState) -> Path:
    """Return a file that ends any process that reads it."""
    return DAMAGED / "segv_4865.h5"


def of_a_plugin(folder: Path, state: DocumentState) -> Path:
    """Return a model with a layer that was known where it was saved."""
    softmax = LAYERS["softmax"]

    @attrs.frozen
    class Other(softmax):  # type: ignore[misc, valid-type]
        """Known elsewhere."""

    LAYERS.add("elsewhere")(Other)
    try:
        layers = (*state.network.layers[:-1], Other())
        network = attrs.evolve(state.network, layers=layers)
        return good(folder, attrs.evolve(state, network=network))
    finally:
        LAYERS.remove("elsewhere")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (nothing, "cannot be read"),
        (a_folder, "is refused"),
        (cut, "damaged"),
        (flipped, "refused"),
        (crashing, "damaged"),
        (of_a_plugin, "layer 4 is 'elsewhere', which is not known here"),
    ],
)
def test_a_file_that_cannot_be_opened(
    training: Controller,
    qtbot: QtBot,
    state: DocumentState,
    tmp_path: Path,
    make: Callable[[Path, DocumentState], Path],
    words: str,
) -> None:
    path, before = make(tmp_path, state), training.document.state
    training.filing.open_path(path)
    question = training.window.findChild(QMessageBox)
    discard = question.button(QMessageBox.StandardButton.Discard)
    qtbot.mouseClick(discard, Qt.MouseButton.LeftButton)
    message = said(qtbot, training, words)
    assert path.name in message
    goes_on(qtbot, training)
    assert (training.document.state, training.document.path) == (before, None)
    assert training.document.modified


def test_a_recent_file_that_is_gone(open_window: Opener, qtbot: QtBot, tmp_path: Path) -> None:
    Settings().add_recent(tmp_path / "gone.h5")
    controller = open_window()
    menu = controller.window.recent_menu
    menu.aboutToShow.emit()
    menu.actions()[0].trigger()
    said(qtbot, controller, "gone.h5")
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions()] == ["No files yet"]


# Saving --------------------------------------------------------------------------------------


class Disk:
    """The operating system, whose disk does not take what is saved."""

    def __init__(self, call: str, number: int) -> None:
        self._call = call
        self._number = number

    def __getattr__(self, name: str) -> Any:
        return self._fail if name == self._call else getattr(os, name)

    def _fail(self, *_: object) -> None:
        raise OSError(self._number, os.strerror(self._number))


@pytest.mark.parametrize(
    ("call", "number"),
    [
        ("write", errno.ENOSPC),
        ("fsync", errno.EDQUOT),
        ("open", errno.EACCES),
    ],
)
def test_a_disk_that_does_not_take_a_model(
    training: Controller,
    qtbot: QtBot,
    tmp_path: Path,
    call: str,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "models" / "m.h5"
    path.parent.mkdir()
    training.filing.save_to(path)
    qtbot.waitUntil(lambda: training.document.path == path, timeout=20_000)
    saved = path.read_bytes()
    monkeypatch.setattr("workbench.io.atomic.os", Disk(call, number))
    training.actions["save"].trigger()
    assert "intact" in said(qtbot, training, os.strerror(number))
    goes_on(qtbot, training)
    assert training.document.modified
    assert training.window.saved_label.text() == ""
    assert (path.read_bytes(), list(path.parent.iterdir())) == (saved, [path])
    monkeypatch.undo()
    training.actions["save"].trigger()
    qtbot.waitUntil(lambda: path.read_bytes() != saved, timeout=20_000)


# Data ----------------------------------------------------------------------------------------


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def images(folder: Path, side: int) -> Path:
    """Write a small dataset of square images; return the path of the images."""
    path = folder / "some-images-idx3-ubyte"
    path.write_bytes(idx(np.zeros((60, side, side), np.uint8)))
    labels = np.arange(60, dtype=np.uint8) % 10
    (folder / "some-labels-idx1-ubyte").write_bytes(idx(labels))
    return path


def missing_data(folder: Path) -> DataSpec:
    return DataSpec(str(folder / "nowhere"))


def damaged_data(folder: Path) -> DataSpec:
    path = images(folder, 28)
    path.write_bytes(path.read_bytes()[:-5])
    return DataSpec(str(path))


def other_shapes(folder: Path) -> DataSpec:
    return DataSpec(str(images(folder, 10)))


def too_few(_: Path) -> DataSpec:
    return DataSpec("tiny", limit=201)


def exploding(_: Path) -> DataSpec:
    return DataSpec("exploding")


class Exploding:
    """A dataset of a plugin with a fault that nobody foresaw."""

    about = "A fault."

    def load(self, progress: object) -> None:
        raise ZeroDivisionError("inside a plugin")


@pytest.fixture
def _exploding() -> Iterator[None]:
    DATASETS.add("exploding")(Exploding)
    yield
    DATASETS.remove("exploding")


@pytest.mark.usefixtures("_exploding")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (missing_data, "no dataset or file"),
        (damaged_data, "some-images-idx3-ubyte"),
        (other_shapes, "takes inputs of shape (1, 28, 28)"),
        (too_few, "limit 201"),
        (exploding, "inside a plugin"),
    ],
)
def test_data_that_cannot_be_trained_on(
    training: Controller,
    qtbot: QtBot,
    endless: DocumentState,
    tmp_path: Path,
    make: Callable[[Path], DataSpec],
    words: str,
) -> None:
    edit(training, data=make(tmp_path))
    goes_on(qtbot, training)
    training.actions["stop"].trigger()
    said(qtbot, training, words)
    # What was learnt can be saved all the same.
    training.filing.save_to(tmp_path / "m.h5")
    qtbot.waitUntil(lambda: training.document.path is not None, timeout=20_000)
    assert load_model(tmp_path / "m.h5").position["step"] > 0
    training.actions["train"].trigger()
    is_idle(qtbot, training)
    said(qtbot, training, words)
    is_usable(qtbot, training, endless)


def test_pixels_scaled_beyond_all_numbers(
    open_window: Opener, qtbot: QtBot, endless: DocumentState
) -> None:
    controller = open_window(
        attrs.evolve(endless, data=attrs.evolve(endless.data, pixel_scale=1e306))
    )
    controller.actions["train"].trigger()
    said(qtbot, controller, "training has stopped")
    is_idle(qtbot, controller)
    is_usable(qtbot, controller, endless)


# Devices -------------------------------------------------------------------------------------


class Devices:
    """Opens one device after another; an error instead of one is raised."""

    def __init__(self) -> None:
        self.next: list[Device | Exception] = []

    def open(self, _: str | None) -> Device:
        device = self.next.pop(0) if self.next else ReferenceDevice()
        if isinstance(device, Exception):
            raise device
        return device


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Devices:
    found = Devices()
    monkeypatch.setattr(engine_thread, "open_device", found.open)
    return found


def test_a_device_that_is_not_there(
    training: Controller, qtbot: QtBot, endless: DocumentState
) -> None:
    edit(training, device="nowhere:0")
    goes_on(qtbot, training)
    training.actions["stop"].trigger()
    assert "reference" in said(qtbot, training, "no device 'nowhere:0'")
    is_usable(qtbot, training, endless)


def test_a_device_that_does_not_open(
    machine: Devices,
    open_window: Opener,
    qtbot: QtBot,
    endless: DocumentState,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(devices, "device_info", lambda name: attrs.evolve(REFERENCE, id=name))
    controller = open_window(endless)
    for error in (DeviceError("It is busy.", "Wait."), RuntimeError("a driver's own")):
        machine.next = [error]
        edit(controller, device=f"some:{len(str(error))}")
        said(qtbot, controller, str(error))
    is_usable(qtbot, controller, endless)


def test_a_device_that_is_lost_in_a_run(
    machine: Devices, open_window: Opener, qtbot: QtBot, endless: DocumentState, tmp_path: Path
) -> None:
    device = FailingDevice()
    machine.next = [device]
    controller = open_window(endless)
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.step > 20, timeout=20_000)
    device.lost = True
    assert "The parameters are those after" in said(qtbot, controller, "The device was lost.")
    is_idle(qtbot, controller)
    # It takes nothing with it: neither the figures nor what was learnt.
    panel = controller.panels["training"]
    assert isinstance(panel, TrainingPanel)
    assert len(panel._history.points()["step"]) > 20
    path = tmp_path / "m.h5"
    controller.filing.save_to(path)
    qtbot.waitUntil(lambda: controller.document.path == path, timeout=20_000)
    assert not controller.document.modified
    assert load_model(path).verified
    # The device is opened anew, and the run goes on.
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.phase is Phase.RUNNING, timeout=20_000)
    assert controller.window.message_bar.text == ""
    goes_on(qtbot, controller)


def test_drivers_that_fail_when_asked_for_devices(
    open_window: Opener, qtbot: QtBot, endless: DocumentState, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("a driver's own")

    with monkeypatch.context() as patch:
        patch.setattr(engine_thread, "devices", fail)
        patch.setattr(catalogue, "devices", fail)
        controller = Controller(endless, Settings())
        controller.show()
        said(qtbot, controller, "a driver's own")
        controller.close()
        assert controller.ended
    is_usable(qtbot, open_window(endless), endless)


# Rates ---------------------------------------------------------------------------------------


def test_a_rate_that_the_precision_does_not_hold_is_refused_where_it_is_typed(
    open_window: Opener, qtbot: QtBot, endless: DocumentState
) -> None:
    training = attrs.evolve(endless.training, precision="float32")
    controller = open_window(attrs.evolve(endless, training=training))
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.step > 0, timeout=20_000)
    form = controller.panels["run_form"].training  # type: ignore[attr-defined]
    editor = form.editors["optimizer"]
    line = editor.form.editors["rate"].line
    line.selectAll()
    qtbot.keyClicks(line, "1e39")
    assert "more than float32 holds" in editor.fault
    assert controller.document.state.training.optimizer.rate < 1e39
    goes_on(qtbot, controller)


def test_a_rate_that_the_precision_of_the_run_does_not_hold(
    open_window: Opener, qtbot: QtBot, endless: DocumentState
) -> None:
    training = attrs.evolve(endless.training, precision="float32")
    controller = open_window(attrs.evolve(endless, training=training))
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.step > 0, timeout=20_000)
    # The document's precision is that of the next run.
    edit(controller, precision="float64", optimizer=SGD(1e39))
    said(qtbot, controller, "more than float32 holds")
    goes_on(qtbot, controller)


def test_a_run_that_diverges(
    open_window: Opener,
    qtbot: QtBot,
    endless: DocumentState,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workbench.training.trainer.KEEP_S", 0.0)
    controller = open_window(endless)
    events: list[Event] = []
    controller.engine.event_published.connect(events.append)
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.step > 20, timeout=20_000)
    edit(controller, optimizer=SGD(1e200))
    assert "Use a lower rate" in said(qtbot, controller, "training has stopped")
    is_idle(qtbot, controller)
    panel = controller.panels["training"]
    assert isinstance(panel, TrainingPanel)
    points = panel._history.points()
    assert len(points["step"]) > 20
    assert np.isfinite(points["log_likelihood"]).all()
    path = tmp_path / "m.h5"
    controller.filing.save_to(path)
    qtbot.waitUntil(lambda: controller.document.path == path, timeout=20_000)
    assert not controller.document.modified
    kept = load_model(path)
    failed = next(event for event in events if isinstance(event, RunFailed))
    assert f"again those after {kept.position['step']} iterations" in failed.hint
    assert kept.position["step"] > 0
    assert all(np.isfinite(values).all() for values in kept.parameters.values())
    edit(controller, optimizer=SGD(0.1))
    controller.actions["train"].trigger()
    qtbot.waitUntil(lambda: controller.run.phase is Phase.RUNNING, timeout=20_000)
    goes_on(qtbot, controller)
    steps = panel._history.points()["step"]
    np.testing.assert_array_equal(steps, np.arange(len(steps)))


# Faults that nobody foresaw -------------------------------------------------------------------


def test_a_question_that_fails_leaves_the_run_alone(
    training: Controller, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    def fail(*_: object) -> None:
        asked.set()
        raise ZeroDivisionError("inside a layer")

    monkeypatch.setattr(Session, "predict", fail)
    panel = training.panels["draw"]
    panel.show_image(np.full((28, 28), 200, np.uint8), -1)
    qtbot.waitUntil(asked.is_set, timeout=20_000)
    goes_on(qtbot, training)
    assert training.window.message_bar.text == ""


def test_a_fault_in_a_step_ends_the_run_and_nothing_else(
    training: Controller,
    qtbot: QtBot,
    endless: DocumentState,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("inside a step")

    with monkeypatch.context() as patch:
        patch.setattr(Session, "advance", fail)
        assert "fault of the workbench" in said(qtbot, training, "inside a step")
        is_idle(qtbot, training)
    is_usable(qtbot, training, endless)


# Two windows ----------------------------------------------------------------------------------


def test_two_windows_save_the_same_file(
    open_window: Opener, qtbot: QtBot, endless: DocumentState, tmp_path: Path
) -> None:
    path = tmp_path / "models" / "m.h5"
    path.parent.mkdir()
    layers = (Dense(5), *endless.network.layers[1:])
    other = attrs.evolve(endless, network=attrs.evolve(endless.network, layers=layers))
    windows = [open_window(endless), open_window(other)]
    for controller in windows:
        controller.actions["train"].trigger()
        qtbot.waitUntil(lambda c=controller: c.run.step > 0, timeout=20_000)
    for controller in windows:
        controller.filing.save_to(path)
    for controller in windows:
        qtbot.waitUntil(lambda c=controller: c.document.path == path, timeout=20_000)
    saved = load_model(path)
    assert saved.verified
    assert saved.network in [controller.document.state.network for controller in windows]
    assert list(path.parent.iterdir()) == [path]
    for controller in windows:
        goes_on(qtbot, controller)


def test_what_another_window_saved_is_replaced_only_on_purpose(
    open_window: Opener, qtbot: QtBot, state: DocumentState, tmp_path: Path
) -> None:
    path = tmp_path / "m.h5"
    first, second = open_window(state), open_window(state)

    def save(controller: Controller) -> None:
        with qtbot.waitSignal(controller.filing.files.saved, timeout=20_000):
            controller.filing.save_to(path)

    save(first)
    save(second)
    theirs = path.read_bytes()
    edit(first, epochs=7)
    first.actions["save"].trigger()
    said(qtbot, first, "changed by somebody else")
    assert path.read_bytes() == theirs
    assert first.document.modified
    save(first)
    assert load_model(path).training == first.document.state.training
    save(first)


def test_a_fault_in_saving_is_told(
    training: Controller, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("inside a layer's file form")

    with monkeypatch.context() as patch:
        patch.setattr("workbench.gui.files.save_model", fail)
        training.filing.save_to(tmp_path / "m.h5")
        assert "fault of the workbench" in said(qtbot, training, "inside a layer's file form")
    goes_on(qtbot, training)
    training.filing.save_to(tmp_path / "m.h5")
    qtbot.waitUntil(lambda: training.document.path is not None, timeout=20_000)

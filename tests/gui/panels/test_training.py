"""The plots show the history to the last bit, in every way to look at it, and not too often."""

from __future__ import annotations

import csv
import subprocess
import sys
from itertools import product
from pathlib import Path

import attrs
import numpy as np
import pytest
from PySide6.QtCore import QDeadlineTimer, QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QLabel, QMenu
from pytestqt.qtbot import QtBot

from workbench.engine.backends.catalogue import open_device
from workbench.gui.files import Files
from workbench.gui.panels.training import TrainingPanel
from workbench.gui.run_figures import LIKELIHOODS, SHARES, nearest, thinned
from workbench.gui.state import DocumentState
from workbench.gui.theme.palette import DARK, current, hub
from workbench.gui.widgets.icon_button import IconButton
from workbench.gui.widgets.run_plots import RunPlots
from workbench.spec.data import DataSpec
from workbench.spec.library import find_network
from workbench.spec.training import TrainingSpec
from workbench.training.events import Finished, Snapshot, Started
from workbench.training.history import EpochRecord, History, Iterations
from workbench.training.run_log import RunLog

STATE = DocumentState(find_network("relu"), TrainingSpec(), DataSpec())


def started(history: History) -> Started:
    device = open_device("reference").info
    return Started(device, "float32", 0, 100, 1, 10, 10, 1000, 7850, history)


def snapshot(step: int) -> Snapshot:
    figures = np.zeros(1)
    return Snapshot(step, 100, 1, 10, 0.1, 1000.0, 0.1, figures, figures)


def run(epochs: int = 3, per_epoch: int = 40, classes: bool = True) -> History:
    """Return a history of numbers that no rounding leaves as they are."""
    history, random = History(), np.random.default_rng(5)
    for epoch in range(1, epochs + 1):
        made = np.sort(-random.random(per_epoch))
        shares = random.random(per_epoch) if classes else np.full(per_epoch, np.nan)
        first = (epoch - 1) * per_epoch
        history.add_points(first, epoch, 0.5 * epoch, Iterations(made, shares, made * 0 + 0.1))
        validation = random.random() if classes else None
        history.add_epoch(
            EpochRecord(
                epoch, first + per_epoch, -0.5, 0.5, -random.random() / 3, validation, 0.5, 80.0,
                0.5 * epoch, 0.1,
            )
        )  # fmt: skip
    return history


@pytest.fixture
def panel(qtbot: QtBot) -> TrainingPanel:
    panel = TrainingPanel()
    qtbot.addWidget(panel)
    panel.resize(900, 600)
    panel.take_state(STATE)
    return panel


@pytest.fixture
def history() -> History:
    return run()


@pytest.fixture
def shown(panel: TrainingPanel, history: History, qtbot: QtBot) -> TrainingPanel:
    panel.show()
    qtbot.waitExposed(panel)
    panel.take_event(started(history))
    return panel


def plots(panel: TrainingPanel) -> RunPlots:
    made = panel.plots()
    assert made is not None
    return made


def choose(panel: TrainingPanel, plot: str, index: int) -> None:
    for chooser in panel.findChildren(QComboBox):
        if chooser.accessibleName() == plot:
            chooser.setCurrentIndex(index)


def words(panel: TrainingPanel) -> list[str]:
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]


def test_what_is_plotted_is_the_history_to_the_last_bit(
    shown: TrainingPanel, history: History
) -> None:
    points, epochs = history.points(), history.epochs()
    for which, column in (("upper", "log_likelihood"), ("lower", "accuracy")):
        for split, rows, name in (
            ("train", points, column),
            ("validation", epochs, f"validation_{column}"),
        ):
            x, y = plots(shown).plotted(which, split)  # type: ignore[arg-type]
            assert x.dtype == np.float64
            np.testing.assert_array_equal(x, rows["step"])
            np.testing.assert_array_equal(y, rows[name])


@pytest.mark.parametrize("index", range(len(LIKELIHOODS)))
def test_ways_to_look_at_the_log_likelihood(
    shown: TrainingPanel, history: History, index: int
) -> None:
    choose(shown, "Upper plot", index)
    wanted = [lambda v: v, np.exp, lambda v: -v][index]
    for split, values in (
        ("train", history.points()["log_likelihood"]),
        ("validation", history.epochs()["validation_log_likelihood"]),
    ):
        _, y = plots(shown).plotted("upper", split)  # type: ignore[arg-type]
        np.testing.assert_array_equal(y, wanted(values))


@pytest.mark.parametrize("index", range(len(SHARES)))
def test_ways_to_look_at_the_accuracy(shown: TrainingPanel, history: History, index: int) -> None:
    choose(shown, "Lower plot", index)
    share = history.points()["accuracy"]
    _, y = plots(shown).plotted("lower", "train")
    np.testing.assert_array_equal(y, [share, 1 - share][index])


def test_nothing_to_plot_says_what_to_do(panel: TrainingPanel, qtbot: QtBot) -> None:
    panel.show()
    qtbot.waitExposed(panel)
    panel.take_event(started(History()))
    assert any("Space" in text for text in words(panel))
    qtbot.waitUntil(lambda: panel.plots() is not None)
    assert any("Space" in text for text in words(panel))


def test_what_was_not_measured_is_left_out(shown: TrainingPanel) -> None:
    history = run(classes=False)
    shown.take_state(attrs.evolve(STATE, training=TrainingSpec(objective="squared_error")))
    shown.take_event(started(history))
    for split in ("train", "validation"):
        assert len(plots(shown).plotted("lower", split)[0]) == 0  # type: ignore[arg-type]
    np.testing.assert_array_equal(
        plots(shown).plotted("upper", "train")[1], history.points()["log_likelihood"]
    )
    choices = shown.findChildren(QComboBox)[0]
    assert [choices.itemText(i) for i in range(choices.count())] == ["Score", "Loss"]


def test_it_is_drawn_five_times_a_second_at_most_and_the_last_change_is_seen(
    shown: TrainingPanel, history: History, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    draw = RunPlots.draw

    def counting(self: RunPlots, points: dict, epochs: dict, grows: bool) -> None:
        drawn.append(len(points["step"]))
        draw(self, points, epochs, grows)

    monkeypatch.setattr(RunPlots, "draw", counting)
    made = Iterations([-0.25], [0.5], [0.1])
    for step in range(120, 170):
        history.add_points(step, 4, 1.0, made)
        shown.take_snapshot(snapshot(step + 1))
    assert drawn == []
    qtbot.waitUntil(lambda: drawn == [170])
    shown.take_event(Finished(170, 1.0))
    qtbot.waitUntil(lambda: drawn == [170, 170])  # without the room for what was to come
    qtbot.wait(250)
    assert drawn == [170, 170]


def test_nothing_is_drawn_while_hidden(panel: TrainingPanel, history: History) -> None:
    panel.take_event(started(history))
    panel.take_snapshot(snapshot(120))
    assert panel.plots() is None
    panel.show()
    np.testing.assert_array_equal(plots(panel).plotted("upper", "train")[0], np.arange(120))


def test_the_mouse_reads_the_nearest_point(
    shown: TrainingPanel, history: History, qtbot: QtBot
) -> None:
    told: list[float | None] = []
    plots(shown).step_pointed.connect(told.append)
    canvas = plots(shown)._canvas
    box = plots(shown)._panes[0].plot.getViewBox()
    qtbot.wait(1)
    place = box.mapViewToScene(QPointF(70.3, box.viewRange()[1][0])).toPoint() - QPoint(0, 5)
    qtbot.mouseMove(canvas.viewport(), place)
    assert abs(told[-1] - 70.3) <= 0.5 + 118 / box.width()
    row = int(told[-1])
    value = f"{history.points()['log_likelihood'][row]:.5g}".replace("-", "−")
    text = next(text for text in words(shown) if text.startswith("Iteration"))
    assert f"Iteration {row}: log-likelihood {value}" in text
    assert "Validation at 80: " in text


def test_the_keyboard_reads_and_zooms(shown: TrainingPanel, qtbot: QtBot) -> None:
    made = plots(shown)
    told: list[float | None] = []
    made.step_pointed.connect(told.append)
    for key in (Qt.Key.Key_End, Qt.Key.Key_Left, Qt.Key.Key_Home, Qt.Key.Key_Right):
        qtbot.keyClick(made, key)
    assert told == [119.0, 118.0, 0.0, 1.0]
    everything = made.visible_steps()
    assert -5 < everything[0] < 0
    assert 120 < everything[1] < 125
    qtbot.keyClick(made, Qt.Key.Key_Plus)
    closer = made.visible_steps()
    assert closer[1] - closer[0] == pytest.approx(0.7 * (everything[1] - everything[0]))
    qtbot.keyClick(made, Qt.Key.Key_End)
    assert made.visible_steps()[0] <= 119 <= made.visible_steps()[1]
    qtbot.keyClick(made, Qt.Key.Key_0)
    assert made.visible_steps() == pytest.approx(everything)
    qtbot.keyClick(made, Qt.Key.Key_Escape)
    assert told[-1] is None


def test_a_double_click_shows_all(shown: TrainingPanel, qtbot: QtBot) -> None:
    made = plots(shown)
    everything = made.visible_steps()
    made.zoom(closer=True)
    assert made.visible_steps() != pytest.approx(everything)
    place = made._canvas.viewport().rect().center() - QPoint(0, 60)
    for act in (qtbot.mouseClick, qtbot.mouseDClick, qtbot.mouseRelease):
        act(made._canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert made.visible_steps() == pytest.approx(everything)


def test_the_figures_are_exported_as_the_log_has_them(
    shown: TrainingPanel,
    history: History,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = str(tmp_path / "mine")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (chosen, ""))
    image, figures = shown.findChild(QMenu).actions()
    told: list[str] = []
    files = Files()
    files.export_ended.connect(lambda message, _hint, kind: told.append(f"{kind}: {message}"))
    shown.export_wanted.connect(files.export)
    figures.trigger()
    qtbot.waitUntil(lambda: told == [f"info: The figures are in {tmp_path / 'mine.csv'}."])
    chosen = str(tmp_path / "absent" / "mine")
    figures.trigger()
    qtbot.waitUntil(lambda: len(told) == 2)
    assert told[1].startswith("bad: ")
    assert f"{chosen}.csv' cannot be written" in told[1]
    image.trigger()
    qtbot.waitUntil(lambda: len(told) == 3)
    assert told[2].startswith("bad: ")
    assert f"{chosen}.png was not written" in told[2]
    chosen = str(tmp_path / "mine")
    assert {path.name for path in tmp_path.iterdir()} == {"mine.csv"}
    with RunLog(tmp_path / "log.csv") as log:
        log.add_history(history)
    assert (tmp_path / "mine.csv").read_text() == (tmp_path / "log.csv").read_text()
    with (tmp_path / "mine.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["log_likelihood"]]
    assert [float(row["log_likelihood"]) for row in rows] == list(
        history.points()["log_likelihood"]
    )
    image.trigger()
    qtbot.waitUntil(lambda: len(told) == 4)
    assert told[3] == f"info: The picture is in {tmp_path / 'mine.png'}."
    assert files.stop(QDeadlineTimer(5000))
    saved = QImage(str(tmp_path / "mine.png"))
    assert saved.width() == 2 * plots(shown).width()


def test_it_is_put_into_words_for_screen_readers(
    shown: TrainingPanel, history: History, qtbot: QtBot
) -> None:
    made = plots(shown)
    qtbot.waitUntil(lambda: made.accessibleDescription().startswith("Iteration 119: "))
    history.add_points(120, 4, 1.0, Iterations([-0.25], [0.5], [0.1]))
    shown.take_snapshot(snapshot(121))
    newest = "Iteration 120: log-likelihood −0.25, accuracy 50.00 %"
    qtbot.waitUntil(lambda: any(text.startswith(newest) for text in words(shown)))
    assert made.accessibleDescription().startswith("Iteration 120: ")


def test_it_is_usable_in_little_room(shown: TrainingPanel, qtbot: QtBot) -> None:
    buttons = {button.accessibleName(): button for button in shown.findChildren(IconButton)}
    assert buttons["Zoom in"].isVisible()
    shown.resize(380, 260)
    qtbot.waitUntil(lambda: shown.minimumWidth() <= 380)  # the layout has done without some
    assert not buttons["Zoom in"].isVisible()
    shown.resize(380, 260)
    assert (shown.width(), shown.height()) == (380, 260)
    for widget in (*shown.findChildren(QComboBox), buttons["Export"], plots(shown)):
        assert shown.rect().contains(widget.geometry()), widget
    for pane in plots(shown)._panes:
        assert pane.box.height() > 35
        assert not pane.legend.isVisible()
    shown.resize(900, 600)
    qtbot.waitUntil(lambda: buttons["Zoom in"].isVisible())
    assert plots(shown)._panes[0].legend.isVisible()


def test_the_theme_changes_the_curves(shown: TrainingPanel) -> None:
    hub().choose("dark")
    for pane in plots(shown)._panes:
        pens = {split: curve.opts["pen"] for split, curve in pane.curves.items()}
        assert pens["train"].color().name() == DARK.train
        assert pens["validation"].color().name() == DARK.validation
        assert pens["train"].style() != pens["validation"].style()
        assert {pen.width() for pen in pens.values()} == {1}


def test_the_nearest_row() -> None:
    steps = np.array([0, 1, 5, 9])
    assert [nearest(steps, at) for at in (-3, 0.4, 0.6, 3.5, 8, 99)] == [0, 0, 1, 2, 3, 3]


@pytest.mark.parametrize("count", [1, 7, 100, 401, 12_345])
@pytest.mark.parametrize("view", [(0.0, 1.0), (0.3, 0.55), (-2.0, 3.0)])
def test_a_thinned_curve_looks_like_the_whole_one(count: int, view: tuple[float, float]) -> None:
    columns = 100
    steps, values = np.arange(count), np.random.default_rng(3).standard_normal(count)
    values[::9] = np.nan
    left, right = (part * count for part in view)
    x, y = thinned(steps, values, left, right, columns)
    assert len(x) < 4 * columns + 4
    assert (np.diff(x) >= 0).all()
    np.testing.assert_array_equal(y, values[x.astype(int)])  # each is a row
    assert not np.isnan(y).any()
    # In every column that is painted the extremes are those of all rows.
    size = max(count * (min(view[1], 1) - max(view[0], 0)) / columns, 1)
    for begin in np.arange(max(left, 0), min(right, count) - 2 * size, 2 * size):
        own = values[(steps >= begin) & (steps < begin + 2 * size)]
        near = y[(x >= begin - 2 * size) & (x < begin + 4 * size)]
        if not np.isnan(own).all():
            assert near.min() <= np.nanmin(own)
            assert near.max() >= np.nanmax(own)


def test_a_growing_curve_stays_as_it_was() -> None:
    steps, values = np.arange(5000), np.random.default_rng(3).standard_normal(5000)
    before, after = (thinned(steps[:n], values[:n], 0, 5000, 100) for n in (4000, 4900))
    whole = 3900
    seen = [x[x < whole] for x, _ in (before, after)]
    np.testing.assert_array_equal(*seen)


def test_few_points_are_painted_however_many_there_are(shown: TrainingPanel) -> None:
    history = run(epochs=2, per_epoch=50_000)
    shown.take_event(started(history))
    pane = plots(shown)._panes[0]
    assert len(pane.curves["train"].getData()[0]) < 4 * pane.box.width() + 4
    assert len(plots(shown).plotted("upper", "train")[0]) == 100_000


def test_the_axes_stay_while_points_come(shown: TrainingPanel, history: History) -> None:
    made, ranges = plots(shown), set()
    for step in range(120, 220):
        history.add_points(step, 4, 1.0, Iterations([-0.25], [0.5], [0.1]))
        made.draw(history.points(), history.epochs(), grows=True)
        left, right = made.visible_steps()
        assert left <= 0
        assert step <= right < 1.2 * step
        ranges.add((left, right))
    assert len(ranges) < 10
    made.draw(history.points(), history.epochs())
    assert made.visible_steps()[1] == pytest.approx(219, rel=0.03)


def test_the_height_follows_what_is_seen(shown: TrainingPanel, history: History) -> None:
    made, values = plots(shown), history.points()["log_likelihood"]
    box = made._panes[0].box
    made._panes[0].plot.setXRange(100, 110, padding=0)
    bottom, top = box.viewRange()[1]
    seen = values[99:112]
    assert bottom <= seen.min() < seen.max() <= top
    assert top - bottom < 2 * (seen.max() - seen.min())


def test_plots_are_made_once_their_library_is_there() -> None:
    program = """
import sys
from PySide6.QtCore import QThread, QTimer
from PySide6.QtWidgets import QApplication
from workbench.gui.files import Files
from workbench.gui.panels.training import TrainingPanel
application = QApplication([])
panel = TrainingPanel()
panel.show()
assert panel.plots() is None  # nobody waited for the library
look = QTimer(interval=5)
look.timeout.connect(lambda: panel.plots() is None or application.quit())
look.start()
QTimer.singleShot(60_000, lambda: application.exit(3))
sys.exit(application.exec() or panel.plots().thread() is not QThread.currentThread())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_curves_of_another_network_say_so_until_the_edit_is_undone(
    panel: TrainingPanel, history: History, qtbot: QtBot
) -> None:
    panel.show()
    panel.take_event(attrs.evolve(started(history), network=STATE.network))
    panel.resize(400, 400)
    qtbot.waitUntil(lambda: panel.plots() is not None)
    drawn = plots(panel).plotted("upper", "train")[1]

    def told() -> str:
        return " ".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())

    def painted() -> int:
        """Return in how many pixels the curve has its full colour; its name has a few."""
        QApplication.processEvents()
        image = plots(panel).grab().toImage()
        places = product(range(image.width()), range(image.height()))
        return sum(image.pixelColor(x, y).name() == current().train for x, y in places)

    qtbot.waitUntil(lambda: painted() > 100)
    tanh = attrs.evolve(STATE, network=find_network("tanh"))
    panel.take_state(tanh)
    assert "of the network that was trained" in told()
    assert (plots(panel).plotted("upper", "train")[1] == drawn).all()  # to be exported yet
    assert painted() < 50
    panel.take_state(STATE)
    assert "of the network" not in told()
    assert painted() > 100
    panel.take_state(tanh)
    panel.take_event(attrs.evolve(started(run()), network=tanh.network))
    assert "of the network" not in told()
    assert painted() > 100

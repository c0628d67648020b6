"""Every control of the window says what it is and does, and the keyboard reaches each in order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QScrollArea, QWidget

from tests.gui.person import ByKeyboard, focus, front, wait_until
from tests.gui.sitting import SIZE
from workbench.gui.controller import Controller
from workbench.gui.forms.values import make
from workbench.gui.panels.stack import BLANK, StackPanel
from workbench.gui.panels.training import TrainingPanel
from workbench.gui.run_control import Phase
from workbench.gui.state import DocumentState
from workbench.gui.widgets.chooser import Chooser
from workbench.gui.widgets.shortcut_sheet import ShortcutSheet
from workbench.spec.library import starter_networks
from workbench.spec.registries import INITIALIZERS, LAYERS, OPTIMIZERS, SCHEDULES

Opener = Callable[..., Controller]

#: Where the sides of the window are tabs.
NARROW = QSize(700, 560)


def controls(within: QWidget) -> list[QWidget]:
    """Return what can be seen and used with keys, whether or not it is of use just now."""
    return [
        widget
        for widget in within.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        # What has a proxy is part of a control.
        and widget.focusProxy() is None
        and widget.isVisible()
        and widget.window() is within.window()
    ]


def told(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.accessibleName()!r}"


def check_words(within: QWidget) -> None:
    """Every control has a name for screen readers and a tooltip."""
    found = controls(within)
    assert found
    for widget in found:
        assert widget.accessibleName(), f"{told(widget)} in {told(widget.parentWidget())}"
        assert widget.toolTip(), told(widget)


def walk(back: bool = False) -> list[QWidget]:
    """Return what Tab comes to, one after the other, until it comes to the first again."""
    key, modifiers = (
        (Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
        if back
        else (Qt.Key.Key_Tab, Qt.KeyboardModifier.NoModifier)
    )
    passed: list[QWidget] = []
    while True:
        QTest.keyClick(front(), key, modifiers)
        if focus() in passed:
            assert focus() is passed[0], f"Tab goes from {told(passed[-1])} to {told(focus())}"
            return passed
        assert not focus().visibleRegion().isEmpty(), f"{told(focus())} is out of sight"
        passed.append(focus())


def check_tab(controller: Controller) -> None:
    """Tab reaches every control, from column to column and down each of them."""
    window = controller.window
    window.centralWidget().setFocus()
    passed = walk()
    usable = [widget for widget in controls(window) if widget.isEnabled()]
    assert {told(w) for w in usable} == {told(w) for w in passed}
    assert len(usable) == len(passed)
    for one, other in itertools.pairwise(passed):
        places = place_of(controller, one), place_of(controller, other)
        assert places[0] <= places[1], f"{told(other)} comes after {told(one)}"
        if places[0] == places[1]:
            assert is_before(one, other), f"{told(other)} comes after {told(one)}"


def place_of(controller: Controller, widget: QWidget) -> int:
    """Return the number of a part of the window, in the order in which it is read."""
    window, panels = controller.window, controller.panels.values()
    sides: dict[str, list[QWidget]] = {"left": [], "tab": [], "right": []}
    for panel in panels:
        sides["tab" if window.columns.is_narrow else panel.place].append(panel)
    parts = [window.top_bar, window.message_bar]
    parts += [*sides["left"], window.tabs.tabBar(), *sides["tab"], *sides["right"]]
    numbers = [
        number for number, part in enumerate(parts) if part is widget or part.isAncestorOf(widget)
    ]
    assert len(numbers) == 1, f"{told(widget)} stands nowhere"
    return numbers[0]


def is_before(one: QWidget, other: QWidget) -> bool:
    """Return whether a control is read before another: to its left in a row, else above it."""
    first, second = unscrolled(one), unscrolled(other)
    shared = min(first.bottom(), second.bottom()) - max(first.top(), second.top())
    if 2 * shared > min(first.height(), second.height()):
        return first.left() < second.left()
    return first.top() < second.top()


def unscrolled(widget: QWidget) -> QRect:
    """Return where a control stands in its window while nothing is scrolled."""
    corner, inside = QPoint(), widget
    while not inside.isWindow():
        around = inside.parentWidget().parentWidget()
        if not (isinstance(around, QScrollArea) and around.widget() is inside):
            corner += inside.pos()
        inside = inside.parentWidget()
    return QRect(corner, widget.size())


@pytest.fixture
def controller(open_window: Opener, state: DocumentState) -> Controller:
    controller = open_window(state)
    controller.window.resize(SIZE)
    return controller


def tabs(controller: Controller) -> Iterator[int]:
    """Bring one tab after the other to the front."""
    for index in range(controller.window.tabs.count()):
        controller.window.tabs.setCurrentIndex(index)
        QTest.qWait(1)
        yield index


def train(controller: Controller) -> None:
    controller.actions["train"].trigger()
    wait_until(lambda: controller.run.step == 12 and controller.run.phase is Phase.IDLE)
    # The plots come when their library is loaded, and with them what Tab reaches.
    wait_until(lambda: is_plotted(controller))


def is_plotted(controller: Controller) -> bool:
    panel = controller.panels["training"]
    assert isinstance(panel, TrainingPanel)
    plots = panel.plots()
    return plots is not None and len(plots.plotted("upper", "train")[0]) > 0


@pytest.mark.parametrize("trained", [False, True])
def test_tab_goes_around_and_back_on_every_tab(controller: Controller, trained: bool) -> None:
    if trained:
        train(controller)
        controller.say("Something is wrong.", "Mend it.")
    for _ in tabs(controller):
        if trained:
            wait_until(lambda: not controller.requests._asked)
        check_words(controller.window)
        check_tab(controller)
        there = walk()
        back = walk(back=True)
        assert back[1:] + back[:1] == there[::-1][1:] + there[::-1][:1]


def test_tab_goes_around_a_narrow_window(controller: Controller) -> None:
    controller.window.resize(NARROW)
    wait_until(lambda: controller.window.columns.is_narrow)
    for _ in tabs(controller):
        check_words(controller.window)
        check_tab(controller)


def test_tab_goes_the_old_way_when_the_window_is_wide_again(controller: Controller) -> None:
    controller.window.resize(NARROW)
    wait_until(lambda: controller.window.columns.is_narrow)
    controller.window.resize(SIZE)
    wait_until(lambda: not controller.window.columns.is_narrow)
    check_tab(controller)


def test_the_controls_of_a_run_that_goes_on(open_window: Opener, endless: DocumentState) -> None:
    controller = open_window(endless)
    controller.window.resize(SIZE)
    controller.actions["train"].trigger()
    wait_until(lambda: controller.run.phase is Phase.RUNNING)
    check_words(controller.window)
    check_tab(controller)


def test_every_starter_and_the_form_of_each_of_its_layers(controller: Controller) -> None:
    stack = controller.panels["stack"]
    assert isinstance(stack, StackPanel)
    for name in [*starter_networks(), BLANK]:
        stack.load_starter(name)
        for layer in [None, *range(len(controller.document.state.network.layers))]:
            stack.choose(layer)
            QTest.qWait(1)
            check_words(controller.window)
            check_tab(controller)


def test_the_form_of_every_layer(controller: Controller) -> None:
    stack = controller.panels["stack"]
    assert isinstance(stack, StackPanel)
    for name in LAYERS:
        stack.add_layer(name)
        QTest.qWait(1)
        check_words(controller.window)
        check_tab(controller)
        controller.document.undo_stack.undo()


@pytest.mark.parametrize(
    ("field", "registry"), [("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)]
)
def test_the_form_of_every_way_to_train(controller: Controller, field: str, registry: Any) -> None:
    state = controller.document.state
    for name in registry:
        training = attrs.evolve(state.training, **{field: make(registry[name])})
        controller.document.replace(attrs.evolve(state, training=training), "Choose")
        QTest.qWait(1)
        check_words(controller.window)
        check_tab(controller)


def test_the_form_of_every_start(controller: Controller) -> None:
    state = controller.document.state
    for name in INITIALIZERS:
        layers = (
            attrs.evolve(state.network.layers[0], init=make(INITIALIZERS[name])),
            *state.network.layers[1:],
        )
        network = attrs.evolve(state.network, layers=layers)
        controller.document.replace(attrs.evolve(state, network=network), "Choose")
        QTest.qWait(1)
        check_words(controller.window)
        check_tab(controller)


@pytest.mark.parametrize("name", ["Add layer", "Starter networks"])
def test_a_palette_is_gone_through_and_left_by_keys(controller: Controller, name: str) -> None:
    person = ByKeyboard(controller)
    person.press(name)
    chooser = QApplication.activePopupWidget()
    assert isinstance(chooser, Chooser)
    check_words(chooser)
    assert set(walk()) == set(controls(chooser))
    person.key(Qt.Key.Key_Escape)
    assert not chooser.isVisible()
    assert focus().accessibleName() == name


def test_the_question_and_the_shortcuts_say_what_they_offer(controller: Controller) -> None:
    person = ByKeyboard(controller)
    controller.actions["shortcuts"].trigger()
    sheet = controller.window.findChild(ShortcutSheet)
    check_words(sheet)
    wait_until(sheet.isActiveWindow)
    person.key(Qt.Key.Key_Escape)
    train(controller)
    controller.window.close()
    question = controller.window.findChild(QMessageBox)
    wait_until(question.isActiveWindow)
    for button in question.buttons():
        assert button.text()
        assert button.toolTip(), button.text()
    assert set(walk()) == set(question.buttons())
    person.key(Qt.Key.Key_Escape)
    assert controller.window.isVisible()

"""A look, now and then, at whether the device still answers.

Responsible for what is said and done when it does not; the engine thread itself cannot.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from workbench.core.errors import DeviceStuck
from workbench.gui.engine_thread import EngineThread
from workbench.gui.run_control import RunControl
from workbench.training.events import RunFailed

#: Milliseconds between two looks.
LOOK_MS = 1000
#: Looks between two words about the same silence.
_LOOKS_A_WORD = 5


class Watchdog(QObject):
    """Tells of a device that does not answer, and gives it up when a person says so.

    Parameters
    ----------
    engine, run
        What is watched, and what goes on from what is known after a giving up.
    say
        Shows a sentence and a hint.

    Signals
    -------
    silence_changed()
        `silent` is another one.
    """

    silence_changed = Signal()

    def __init__(
        self,
        engine: EngineThread,
        run: RunControl,
        say: Callable[[str, str], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._run = run
        self._say = say
        # Looks are counted, not seconds: a machine that slept has not waited.
        self._overdue = 0
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._on_timer_timeout)

    @property
    def silent(self) -> bool:
        """Whether the device is taken not to answer."""
        return self._overdue > 1

    def start(self) -> None:
        """Look from now on."""
        self._timer.start()

    def rest(self) -> None:
        """Look no more."""
        self._timer.stop()

    def stop(self) -> None:
        """End the run, even one whose device does not answer."""
        if self.silent:
            self.give_up()
        else:
            self._run.stop()

    def give_up(self) -> None:
        """Give the device up if it does not answer; what is known of the model stays."""
        if not self.silent:
            return
        lifeline = self._engine.lifeline
        silence = f"{lifeline.device_id} did not answer for {lifeline.overdue_s} s"
        model = self._engine.give_up()
        step = model.position["step"] if model else 0
        failed = RunFailed(
            DeviceStuck.__name__,
            f"{silence} and was given up.",
            f"Choose another device. The parameters are those after {step} iterations.",
        )
        self._overdue = 0
        self._run.begin(model)
        self._engine.event_published.emit(failed)
        self.silence_changed.emit()

    def _on_timer_timeout(self) -> None:
        lifeline = self._engine.lifeline
        silence_s, was_silent = lifeline.overdue_s, self.silent
        self._overdue = self._overdue + 1 if silence_s else 0
        if self._overdue % _LOOKS_A_WORD == 2:
            self._say(
                f"{lifeline.device_id} has not answered for {silence_s} s.",
                "Wait, or press Stop to give it up; closing the window ends it, too.",
            )
        if self.silent is not was_silent:
            self.silence_changed.emit()

"""How a run goes, in the top bar and in the status line.

Responsible for what is written there and when; knows neither panels nor engine.
"""

from __future__ import annotations

from workbench.gui.main_window import MainWindow
from workbench.gui.run_text import Speed, epoch_text, score_text, trust_text
from workbench.training.events import (
    DeviceAdmitted,
    DeviceChecking,
    Event,
    Finished,
    Paused,
    Prepared,
    Preparing,
    RunFailed,
    Snapshot,
    Started,
    Stopped,
)


class RunDisplay:
    """Writes down what is prepared, how far a run has come and how fast it goes.

    Parameters
    ----------
    window
        Where it is written.
    """

    def __init__(self, window: MainWindow) -> None:
        self._bar, self._messages = window.top_bar, window.message_bar
        self._device, self._speed_label = window.device_label, window.speed_label
        #: The device at hand, in words, and what is known of the one that was admitted last.
        self._known = ""
        self._at_hand: Prepared | None = None
        self._admitted: DeviceAdmitted | None = None
        self._speed: Speed | None = None
        self._latest: Snapshot | None = None

    def take_snapshot(self, snapshot: Snapshot) -> None:
        """Note the newest figures."""
        self._latest = snapshot

    def refresh(self) -> None:
        """Write the newest figures of a run that goes on, as often as they can be read."""
        if self._latest is not None and self._speed is not None:
            speed = self._speed.speed_of(self._latest)
            self._speed_label.setText(f"{speed:,.0f} samples/s")
            self._show(self._latest, self._speed.left(self._latest))

    def take_event(self, event: Event) -> None:
        """Write what has happened."""
        if isinstance(event, Preparing):
            self._bar.show_progress(event.what, event.done / event.total if event.total else None)
        elif isinstance(event, DeviceChecking):
            self._device.setText(f"{event.device.name} ({event.device.id}), checking…")
            self._device.setToolTip("What it computes is compared with NumPy before its first use")
        elif isinstance(event, DeviceAdmitted):
            told, self._admitted = self._admitted, event
            if event.note and (told is None or event.note != told.note):
                self._messages.show_message(event.note, kind="info")
            if self._at_hand is not None and self._at_hand.device == event.device:
                self._show_device(self._at_hand)
        elif isinstance(event, Started):
            self._speed, self._latest = Speed(event), None
            self._show_device(event)
            self._bar.show_progress("preparing kernels", None)
        elif isinstance(event, Prepared):
            self._speed_label.clear()
            self._show_device(event)
            points = event.history.points()
            self._bar.show_progress(
                f"iteration {event.step:,}" if event.step else "ready",
                event.step / event.steps if event.steps else 0,
                score=score_text(points["log_likelihood"], points["accuracy"]),
            )
        elif isinstance(event, Paused | Stopped | Finished | RunFailed):
            self._device.setText(self._known)
            self._speed_label.clear()
            if self._latest is not None:
                self._show(self._latest)
            else:
                self._bar.show_progress("" if isinstance(event, RunFailed) else "ready", 0)

    def _show(self, snapshot: Snapshot, left: str = "") -> None:
        score = score_text(snapshot.log_likelihood, snapshot.accuracy)
        self._bar.show_progress(epoch_text(snapshot), snapshot.progress, left, score)

    def _show_device(self, event: Prepared) -> None:
        self._at_hand = event
        device = event.device
        verdict = None if self._admitted is None else self._admitted.verdict
        trust = ""
        if verdict is not None and not verdict.is_known:
            trust = ", not checked yet"
        elif verdict is not None and verdict.findings:
            trust = f", {verdict.trust}"
        self._known = f"{device.name} ({device.id}){trust}, {event.precision}"
        self._device.setText(self._known)
        self._device.setToolTip(trust_text(verdict))
        wrong = verdict is not None and verdict.trust != "trusted"
        self._device.setProperty("role", "bad" if wrong else "muted")
        self._device.style().polish(self._device)

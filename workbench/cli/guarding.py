"""A watch over a device that may never answer, while the main thread waits for it.

Responsible for telling so, and for ending the process where nobody else can; knows nothing of what
is computed.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workbench.cli.console import Console
from workbench.cli.program import INTERRUPTED
from workbench.core.errors import DeviceError, WorkbenchError
from workbench.engine.backends.base import Device

#: Seconds between two looks at the device.
LOOK_S = 1.0
#: Seconds from the first word about a device that does not answer to the end of the process; a
#: compiler may take any time.
GIVE_UP_S = 300.0


@contextmanager
def guarded(
    device: Device, console: Console, rescue: Callable[[], str] = lambda: ""
) -> Iterator[None]:
    """Tell of a device that does not answer; end the process if it never does, or at Ctrl-C.

    Python obeys Ctrl-C in the main thread alone, and this one waits inside the driver.

    Parameters
    ----------
    device
        What the block computes with.
    console
        Where it is told.
    rescue
        Saves what is known without asking the device, and says so in a sentence.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        guard = _Guard(device, console, rescue, ours)
        thread = threading.Thread(target=guard.look, name="guard", daemon=True)
        thread.start()
        try:
            yield
        finally:
            guard.over.set()
            thread.join()
            signal.set_wakeup_fd(before)


class _Guard:
    def __init__(
        self, device: Device, console: Console, rescue: Callable[[], str], signals: socket.socket
    ) -> None:
        self.over = threading.Event()
        self._device = device
        self._console = console
        self._rescue = rescue
        self._signals = signals

    def look(self) -> None:
        """Look at the device until the block is over."""
        # Looks are counted, not seconds: a process that slept has not waited.
        overdue, watch = 0, self._device.watch
        while not self.over.wait(LOOK_S):
            silence_s = watch.overdue_s
            overdue = overdue + 1 if silence_s else 0
            if overdue == 2:
                end = "" if watch.building else f"; in {GIVE_UP_S:.0f} s it ends by itself"
                self._console.message(
                    f"{self._device.info.id} has not answered for {silence_s} s. "
                    f"Ctrl-C ends the program{end}."
                )
            if overdue >= 2 and self._interrupted():
                self._end(INTERRUPTED, "Interrupted", silence_s)
            if overdue * LOOK_S > GIVE_UP_S and not watch.building:
                self._end(1, "Given up", silence_s)

    def _interrupted(self) -> bool:
        try:
            return signal.SIGINT in self._signals.recv(4096)
        except BlockingIOError:
            return False

    def _end(self, status: int, how: str, silence_s: float) -> None:
        """End the process: what the main thread waits for does not come back."""
        what = f"{self._device.info.id} has not answered for {silence_s} s"
        try:
            print(f"workbench: {how}: {what}.", self._advice(), file=sys.stderr, flush=True)
        finally:
            os._exit(status)

    def _advice(self) -> str:
        try:
            saved = self._rescue()
        except WorkbenchError as error:
            saved = str(error)
        return f"{saved} Use another device.".lstrip()


def with_rescue(error: DeviceError, rescue: Callable[[], str]) -> DeviceError:
    """Return an error that says what was rescued from the device's failure, if anything was."""
    cause = error.__cause__
    # What a trainer adds for those who go on with its parameters is of no use to a program that
    # ends.
    hint = cause.hint if isinstance(cause, DeviceError) else error.hint
    return type(error)(error.message, rescue() or hint, error.layer)

"""The questions of the panels on their way to the engine.

Responsible for letting no panel's question displace another's, where of the engine's only the
newest counts; knows nothing of what is asked.
"""

from __future__ import annotations

from collections.abc import Callable

from workbench.gui.panels.base import Panel
from workbench.training.commands import Command, Predict, Probe
from workbench.training.events import Event, Predicted, Probed, RequestFailed, RunFailed

Question = Predict | Probe


class Requests:
    """Sends one question of each kind at a time, and the newest of each asker next.

    Parameters
    ----------
    send
        Puts a command into the engine's queue.
    ready
        Tells whether the engine would answer for the document that is open.
    """

    def __init__(self, send: Callable[[Command], None], ready: Callable[[], bool]) -> None:
        self._send = send
        self._ready = ready
        self._waiting: dict[type[Question], dict[object, Question]] = {Predict: {}, Probe: {}}
        self._asked: dict[type[Question], tuple[object, Question]] = {}

    def ask(self, asker: object, question: Question) -> None:
        """Send a question as soon as the one before it is answered.

        While there is nothing of this document to ask, that is the answer.
        """
        if not self._ready():
            if isinstance(asker, Panel):
                asker.take_event(RequestFailed(question.id, "The network is not ready yet.", ""))
            return
        # A newer question waits at the end of the line, so that nobody is passed over for ever.
        waiting = self._waiting[type(question)]
        waiting.pop(asker, None)
        waiting[asker] = question
        self._send_next(type(question))

    def asker_of(self, event: Event) -> object | None:
        """Return who asked what `event` answers, if it answers anything, and send what waits."""
        asker = None
        if isinstance(event, Predicted | Probed | RequestFailed):
            for kind, (who, question) in list(self._asked.items()):
                if question.id == event.id:
                    asker = who
                    del self._asked[kind]
                    self._send_next(kind)
        elif isinstance(event, RunFailed):
            # What was asked may have gone down with the run: it is asked again.
            for kind, (who, question) in list(self._asked.items()):
                del self._asked[kind]
                self._waiting[kind].setdefault(who, question)
                self._send_next(kind)
        return asker

    def _send_next(self, kind: type[Question]) -> None:
        waiting = self._waiting[kind]
        if kind not in self._asked and waiting:
            asker = next(iter(waiting))
            question = waiting.pop(asker)
            self._asked[kind] = (asker, question)
            self._send(question)

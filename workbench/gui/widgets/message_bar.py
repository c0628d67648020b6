"""A note in the corner of the window that says what went wrong and what to do.

Responsible for showing one message at a time, above what stands there: nothing moves when it comes
or goes. Knows nothing of what went wrong.
"""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from workbench.gui.theme.icons import icon
from workbench.gui.theme.palette import current, hub
from workbench.gui.theme.spacing import S

Kind = Literal["bad", "info"]

#: Its width in logical pixels where there is as much room, and how far it stays from the edges.
_WIDTH, _DISTANCE = 440, S.l

_ICONS: dict[Kind, str] = {"bad": "error", "info": "info"}


class MessageBar(QFrame):
    """Shows a sentence and a hint until it is dismissed or another one comes.

    Signals
    -------
    answered()
        The button was pressed that the message offered.
    """

    answered = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message_bar")
        self.setAccessibleName("Message")
        self._kind: Kind = "bad"
        self._sign = QLabel()
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._text.setAccessibleName("Message")
        flags = Qt.TextInteractionFlag
        self._text.setTextInteractionFlags(flags.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._answer = QToolButton()
        self._answer.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._answer.clicked.connect(self._on_answer_clicked)
        self._dismiss = QToolButton()
        self._dismiss.setProperty("flat", True)
        self._dismiss.setAccessibleName("Dismiss the message")
        self._dismiss.setToolTip("Dismiss the message (Esc)")
        self._dismiss.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._dismiss.clicked.connect(self.dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(S.m, S.xs, S.xs, S.xs)
        row.setSpacing(S.s)
        row.addWidget(self._sign)
        row.addWidget(self._text, 1)
        row.addWidget(self._answer, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._dismiss, 0, Qt.AlignmentFlag.AlignTop)
        hub().palette_changed.connect(self._refresh)
        self._refresh()
        self.hide()

    def float_over(self, around: QWidget) -> None:
        """Stay in the lower right corner of a widget, above everything in it."""
        self.setParent(around)
        around.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the corner."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    @property
    def text(self) -> str:
        """What is shown; empty when nothing is."""
        return "" if self.isHidden() else self._text.text()

    def show_message(
        self, message: str, hint: str = "", kind: Kind = "bad", answer: str = ""
    ) -> None:
        """Show a message in place of the one there may be.

        Parameters
        ----------
        message, hint
            What happened; what to do about it.
        kind
            ``bad`` for what went wrong, ``info`` for what is good to know.
        answer
            What a button says that offers a way on; none if empty.
        """
        self._answer.setText(answer)
        self._answer.setAccessibleName(answer)
        self._answer.setVisible(bool(answer))
        self._kind = kind
        self._text.setText(f"{message} {hint}".strip())
        self.setProperty("kind", kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self._refresh()
        self._place()
        self.show()
        self.raise_()
        QAccessible.updateAccessibility(QAccessibleEvent(self._text, QAccessible.Event.Alert))

    def dismiss(self) -> None:
        """Hide the message; who had the focus here gives it to what stands around."""
        around = self.parentWidget()
        if around is not None and self.isAncestorOf(QApplication.focusWidget() or around):
            around.setFocus()
        self.hide()

    def _on_answer_clicked(self) -> None:
        self.dismiss()
        self.answered.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Esc dismiss the message."""
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def _place(self) -> None:
        around = self.parentWidget()
        if around is not None:
            self.ensurePolished()
            width = min(_WIDTH, around.width() - 2 * _DISTANCE)
            height = self.heightForWidth(width)
            left, top = around.width() - _DISTANCE - width, around.height() - _DISTANCE - height
            self.setGeometry(left, top, width, height)

    def _refresh(self) -> None:
        palette = current()
        colour = palette.bad if self._kind == "bad" else palette.accent
        self._sign.setPixmap(icon(_ICONS[self._kind], colour).pixmap(20, 20))
        self._dismiss.setIcon(icon("close"))

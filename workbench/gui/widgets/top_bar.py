"""The bar at the top: on what, by what, the run's buttons, and how far the run has come.

Responsible for showing choices and progress; what the buttons do is in the actions it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from workbench.gui.theme.spacing import S

_BROWSE = object()
_STEPS = 1000

#: Where the bar is less wide than the first, its buttons are icons without words; where it is less
#: wide than the second, how far the run has come is said in words alone.
_WORDS_PX, _PROGRESS_PX = 880, 700


class TopBar(QWidget):
    """Choices, buttons and progress.

    Parameters
    ----------
    buttons
        The actions of the run; the first is the primary one.

    Signals
    -------
    dataset_chosen(str)
        A dataset by name or path.
    file_wanted()
        The data are to be looked for among the files.
    device_chosen(object)
        The id of a device, or None for the default one.
    """

    dataset_chosen = Signal(str)
    file_wanted = Signal()
    device_chosen = Signal(object)

    def __init__(self, buttons: Sequence[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._datasets: dict[str, str] = {}
        self._dataset = _chooser("Dataset", "What the network is trained on", 120, 80)
        self._dataset.activated.connect(self._on_dataset_activated)
        self._device = _chooser("Device", "What computes", 150, 124)
        self._device.addItem("Default device", None)
        self._device.activated.connect(self._on_device_activated)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(S.s)
        row.addWidget(self._dataset)
        row.addWidget(self._device)
        self._buttons = [_button(action) for action in buttons]
        self._buttons[0].setProperty("role", "primary")
        for button in self._buttons:
            row.addWidget(button)
        row.addSpacing(S.xs)
        self._epoch = QLabel()
        self._epoch.setAccessibleName("Epoch")
        self._bar = QProgressBar()
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(S.s)
        self._bar.setMinimumWidth(60)
        self._bar.setAccessibleName("Progress of the run")
        self._left = QLabel()
        self._left.setAccessibleName("Time left")
        self._left.setToolTip("Time left, in hours, minutes and seconds")
        self._score = QLabel()
        self._score.setAccessibleName("Log-likelihood")
        self._score.setToolTip(
            "Log-likelihood of the latest iteration: the mean of log P of the right class, per "
            "data point"
        )
        for label in (self._epoch, self._left, self._score):
            label.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        row.addWidget(self._epoch)
        row.addWidget(self._bar, 1)
        row.addStretch()
        row.addWidget(self._left)
        row.addWidget(self._score)

    def minimumSizeHint(self) -> QSize:
        """Return the height alone: how wide it is, the window decides."""
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out what there is no room for."""
        super().resizeEvent(event)
        self._bar.setVisible(event.size().width() >= _PROGRESS_PX)
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        if event.size().width() < _WORDS_PX:
            style = Qt.ToolButtonStyle.ToolButtonIconOnly
        for button in self._buttons:
            button.setToolButtonStyle(style)

    def hand_focus(self, before: QAction, after: QAction) -> None:
        """Give the focus to another button if the first one has it."""
        if self._button_of(before).hasFocus():
            self._button_of(after).setFocus()

    def set_datasets(self, about: Mapping[str, str]) -> None:
        """Offer datasets by name, each with a sentence about it."""
        self._datasets = dict(about)

    def show_dataset(self, name: str) -> None:
        """Show the dataset that is chosen, which may be a path."""
        with QSignalBlocker(self._dataset):
            self._dataset.clear()
            for known, about in self._datasets.items():
                self._dataset.addItem(known, known)
                self._dataset.setItemData(
                    self._dataset.count() - 1, about, Qt.ItemDataRole.ToolTipRole
                )
            if name not in self._datasets:
                self._dataset.addItem(name.rstrip("/\\").replace("\\", "/").split("/")[-1], name)
            self._dataset.addItem("Data file…", _BROWSE)
            self._dataset.setCurrentIndex(self._dataset.findData(name))
        self._dataset.setToolTip(f"What the network is trained on: {name}")

    def set_devices(self, devices: Sequence[tuple[str, str]]) -> None:
        """Offer devices, each by id and name, beside the default one."""
        chosen = self._device.currentData()
        with QSignalBlocker(self._device):
            while self._device.count() > 1:
                self._device.removeItem(1)
            for id, name in devices:
                self._device.addItem(f"{name} ({id})", id)
        self.show_device(chosen)

    def show_device(self, id: str | None) -> None:
        """Show the device that is chosen."""
        with QSignalBlocker(self._device):
            if self._device.findData(id) < 0:
                self._device.addItem(str(id), id)
            self._device.setCurrentIndex(self._device.findData(id))
        self._device.setToolTip(f"What computes: {self._device.currentText()}")

    def show_progress(
        self, epoch: str, done: float | None, left: str = "", score: str = ""
    ) -> None:
        """Show how far the run has come.

        Parameters
        ----------
        epoch
            Which epoch of how many, or what is being done.
        done
            Part that is done, 0 to 1; None where that is not known.
        left, score
            Time left and log-likelihood, as they are to be read.
        """
        if self._bar.maximum() != (0 if done is None else _STEPS):
            self._bar.setRange(0, 0 if done is None else _STEPS)
            # Qt's animation for what is not known goes on, thirty times a second, until something
            # else was drawn in its place; an empty bar draws nothing.
            self._bar.setValue(_STEPS)
            self._bar.grab()
        if done is not None:
            self._bar.setValue(round(_STEPS * done))
        for label, text in ((self._epoch, epoch), (self._left, left), (self._score, score)):
            if label.text() != text:
                label.setText(text)

    def _button_of(self, action: QAction) -> QToolButton:
        return next(button for button in self._buttons if button.defaultAction() is action)

    def _on_dataset_activated(self, index: int) -> None:
        name = self._dataset.itemData(index)
        if isinstance(name, str):
            self.dataset_chosen.emit(name)
        else:
            self.file_wanted.emit()

    def _on_device_activated(self, index: int) -> None:
        self.device_chosen.emit(self._device.itemData(index))


def _chooser(name: str, tip: str, width: int, least: int) -> QComboBox:
    chooser = QComboBox()
    chooser.setAccessibleName(name)
    chooser.setToolTip(tip)
    chooser.setMinimumWidth(least)
    chooser.setMaximumWidth(2 * width)
    chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    chooser.setMinimumContentsLength(width // 12)
    return chooser


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setIconSize(QSize(S.l, S.l))
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setAccessibleName(action.text().replace("&", ""))
    return button

"""The test images with their true classes and those that the network assigns.

Responsible for pages, mistakes and for asking for what is not known; knows neither the other panels
nor how predictions are made.
"""

from __future__ import annotations

import math
import time

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from workbench.gui.panels.base import PANELS, Panel, new_request_id
from workbench.gui.readings import Readings
from workbench.gui.theme.spacing import S
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.icon_button import IconButton
from workbench.gui.widgets.image_wall import ImageWall
from workbench.training.events import (
    DataLoaded,
    Event,
    Finished,
    Paused,
    Predicted,
    Prepared,
    RequestFailed,
    Resumed,
    RunFailed,
    Snapshot,
    Started,
    Stopped,
)

#: Images on a page.
PAGE = 50

#: Images in one request where all are asked about: few enough that a drawing is not kept waiting.
_CHUNK = 1000

#: Seconds between two looks at a page, and at the whole split, while the network is trained.
_PAGE_AGAIN_S, _COUNT_AGAIN_S = 1.0, 3.0

_LEGEND = "true → assigned class; mistakes have a frame and a folded corner"


@PANELS.add("test_images")
class TestImagesPanel(Panel):
    """Pages of test images, mistakes marked."""

    title = "Test images"
    keys = (
        ("Next image, and page", "Right arrow"),
        ("Next page", "Ctrl+Page Down"),
        ("Previous page", "Ctrl+Page Up"),
        ("First page", "Ctrl+Home"),
        ("Put an image on the canvas", "Return"),
    )
    __test__ = False  # no collection of tests, whatever its name begins with

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images = np.zeros((0, 1, 1), np.uint8)
        self._labels = np.zeros(0, np.int32)
        self._readings = Readings(self._labels)
        self._shown = np.zeros(0, np.intp)  # what the pages are cut from
        self._page = 0
        self._total: int | None = None  # mistakes in the whole split, once counted
        self._training = self._trained = False
        self._asked: tuple[int, np.ndarray] | None = None  # request and rows; one at a time
        self._page_due = False  # whether the page is to be asked about
        self._count_at: int | None = None  # the row from which on counting goes on; None: no count
        self._page_at_s = self._count_at_s = -math.inf
        self._pages_box = QWidget()
        self._wall = ImageWall()
        self._first = IconButton("first", "First page", "Show the first page (Ctrl+Home)")
        self._previous = IconButton(
            "previous", "Previous page", "Show the page before this one (Ctrl+Page Up)"
        )
        self._next = IconButton(
            "next", "Next page", "Show the page after this one (Ctrl+Page Down)"
        )
        self._place = QLabel()
        self._only_mistakes = QCheckBox("Only mistakes")
        self._summary = QLabel()
        self._detail = QLabel()
        self._pointed = -1  # the image under the mouse
        self._nothing = EmptyState(
            "image",
            "No test images yet",
            "Train a network, or open one, to see what it makes of them.",
        )
        self._misfit = EmptyState(
            "image",
            "No images with classes",
            "The test split of these data has none to show. Choose a dataset that does.",
        )
        self._fits = True
        self._lay_out()
        self._show_page()

    def take_test_split(self, images: np.ndarray, labels: np.ndarray) -> None:
        """Show another test split, its first page first.

        Parameters
        ----------
        images
            uint8 of shape (n, height, width). Rows of numbers are answered by a sentence.
        labels
            True classes, whole numbers of shape (n,).
        """
        self._fits = images.ndim == 3 and labels.ndim == 1 and labels.dtype.kind in "iu"
        self._images = images if self._fits else np.zeros((0, 1, 1), np.uint8)
        self._labels = labels if self._fits else np.zeros(0, np.int32)
        self._page = 0
        self._forget()

    def take_event(self, event: Event) -> None:
        """Take the split and the answers; ask again where the network has changed."""
        match event:
            case DataLoaded():
                self.take_test_split(event.test_inputs, event.test_targets)
            case Predicted() if self._asked is not None and event.id == self._asked[0]:
                self._trained = event.step > 0
                self._take_outputs(self._asked[1], event.outputs)
            case RequestFailed() if self._asked is not None and event.id == self._asked[0]:
                self._ask_no_more()
                self._summary.setText(f"{event.message} {event.hint}".rstrip())
            case Prepared():  # Started is one, too
                self._training = isinstance(event, Started)
                self._forget()
                self._refresh()
            case Resumed():
                self._training, self._total = True, None
            case Paused() | Stopped() | Finished() | RunFailed():
                self._training, self._total = False, None
                self._refresh()

    def take_snapshot(self, snapshot: Snapshot) -> None:
        """Ask again now and then, as the network has learnt since."""
        self._refresh()

    def _take_outputs(self, rows: np.ndarray, outputs: np.ndarray) -> None:
        self._asked = None
        self._readings.take(rows, outputs)
        if self._count_at == len(self._labels):  # the last rows of a count are asked for last
            self._count_at = None
            self._total = int(self._readings.mistakes().sum())
            self._list()
        self._ask()
        self._show_page()

    def _forget(self) -> None:
        """Drop what another network, or the same on other images, has said."""
        self._readings = Readings(self._labels)
        self._total = None
        self._page_at_s = self._count_at_s = -math.inf
        self._ask_no_more()
        self._list()
        self._show_page()

    def _list(self) -> None:
        """Choose anew what the pages show."""
        if self._only_mistakes.isChecked():
            self._shown = np.flatnonzero(self._readings.mistakes())
        else:
            self._shown = np.arange(len(self._labels))
        if len(self._shown):  # if none is known yet, the page is found again once they are
            self._page = min(self._page, self._pages - 1)

    @property
    def _pages(self) -> int:
        return math.ceil(len(self._shown) / PAGE)

    def _on_page(self) -> np.ndarray:
        return self._shown[self._page * PAGE : (self._page + 1) * PAGE]

    @property
    def _all_known(self) -> bool:
        """Whether all mistakes are counted and nothing changes."""
        return not self._training and self._total is not None

    def _refresh(self, due: bool = False) -> None:
        """Ask about the page, and count the mistakes in all where that is worth it.

        They are counted when training rests or only mistakes are shown. While training goes on
        neither is done often, unless it is `due`.
        """
        if not self.isVisible() or not len(self._labels) or self._all_known:
            return
        now_s = time.monotonic()
        if self._training and not due and now_s - self._page_at_s < _PAGE_AGAIN_S:
            return
        self._page_at_s, self._page_due = now_s, True
        rests = self._count_at is None and now_s - self._count_at_s >= _COUNT_AGAIN_S
        if not self._training or (self._only_mistakes.isChecked() and (due or rests)):
            self._count_at_s, self._count_at = now_s, 0
        elif not self._only_mistakes.isChecked():
            self._count_at = self._total = None
        self._ask()

    def _ask(self) -> None:
        """Ask for what comes next, the page first, unless an answer is due or nobody looks."""
        if self._asked is not None or not self.isVisible():
            return
        rows = self._on_page() if self._page_due else np.zeros(0, np.intp)
        self._page_due = False
        if not len(rows) and self._count_at is not None:
            rows = np.arange(self._count_at, min(self._count_at + _CHUNK, len(self._labels)))
            self._count_at += len(rows)
        if len(rows):
            self._asked = (new_request_id(), rows)
            self.prediction_wanted.emit(self._images[rows], self._asked[0])

    def _ask_no_more(self) -> None:
        self._asked, self._page_due, self._count_at = None, False, None

    def _show_page(self) -> None:
        rows, count = self._on_page(), len(self._labels)
        mistakes = self._readings.mistakes()[rows]
        captions = [self._readings.caption(row) for row in rows]
        self._wall.invitation = "No mistakes" if self._total == 0 else "Mistakes are being counted…"
        self._wall.set_images(self._images[rows], captions, mistakes)
        first = self._page * PAGE + 1
        here = f"{first:,}–{first + len(rows) - 1:,} of {len(self._shown):,}"
        self._place.setText(here if len(rows) else "")
        self._summary.setText(self._count_in_words(rows, int(mistakes.sum())))
        self._show_detail()
        for button in (self._first, self._previous):
            button.setEnabled(self._page > 0 and len(rows) > 0)
        self._next.setEnabled(self._page + 1 < self._pages)
        self._pages_box.setVisible(count > 0)
        self._nothing.setVisible(not count and self._fits)
        self._misfit.setVisible(not self._fits)

    def _count_in_words(self, rows: np.ndarray, mistakes: int) -> str:
        if not len(self._labels):
            return ""
        said = []
        if self._readings.is_known(rows) and not self._only_mistakes.isChecked():
            said.append(f"{mistakes} of {len(rows)} wrong here")
        if self._total is not None:
            share = self._total / len(self._labels)
            percent = f"{100 * share:.2f} %"
            said.append(f"{self._total:,} of {len(self._labels):,} wrong in all ({percent})")
        elif self._count_at is not None:
            said.append("counting…")
        if said and not self._trained:
            said.append("not trained yet")
        return " · ".join(said)

    def _show_detail(self) -> None:
        """Say more about the image that is pointed at or chosen, else what the captions mean."""
        rows = self._on_page()
        index = self._pointed if self._pointed >= 0 else self._wall.current()
        text = self._readings.describe(rows[index]) if 0 <= index < len(rows) else _LEGEND
        shorten = Qt.TextElideMode.ElideRight
        self._detail.setText(
            self._detail.fontMetrics().elidedText(text, shorten, self._detail.width())
        )
        if index >= 0 and index == self._wall.current():
            self._wall.setAccessibleDescription(text)

    def _turn(self, page: int, current: int = 0) -> None:
        """Show another page; whoever uses the keyboard goes on at one of its images."""
        page = max(0, min(page, self._pages - 1))
        if page == self._page:
            return
        self._page, self._pointed = page, -1
        self._wall.verticalScrollBar().setValue(0)
        self._wall.set_current(-1)
        self._show_page()
        if self._wall.hasFocus():
            self._wall.set_current(current % len(self._on_page()))
            self._show_detail()
        self._page_due = not self._all_known
        self._ask()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn the page by keys, and where the wall's arrows lead beyond it."""
        key, modifiers = Qt.Key(event.key()), event.modifiers()
        pages = {
            Qt.Key.Key_PageDown: self._page + 1,
            Qt.Key.Key_PageUp: self._page - 1,
            Qt.Key.Key_Home: 0,
        }
        if modifiers == Qt.KeyboardModifier.ControlModifier and key in pages:
            self._turn(pages[key])
        elif self._wall.hasFocus() and key == Qt.Key.Key_Right:
            self._turn(self._page + 1)
        elif self._wall.hasFocus() and key == Qt.Key.Key_Left:
            self._turn(self._page - 1, current=-1)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten the words as far as they have to be."""
        super().resizeEvent(event)
        self._show_detail()

    def _on_first_clicked(self) -> None:
        self._turn(0)

    def _on_previous_clicked(self) -> None:
        self._turn(self._page - 1)

    def _on_next_clicked(self) -> None:
        self._turn(self._page + 1)

    def _on_wall_item_hovered(self, index: int) -> None:
        self._pointed = index
        self._show_detail()

    def _on_wall_item_clicked(self, _: int) -> None:
        self._pointed = -1  # the mouse may rest elsewhere
        self._show_detail()

    def _on_only_mistakes_toggled(self) -> None:
        self._page = 0
        self._list()
        self._show_page()
        self._refresh(due=True)

    def _on_wall_item_activated(self, index: int) -> None:
        row = self._on_page()[index]
        self.image_sent.emit(self._images[row], int(self._labels[row]))

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what has happened unseen."""
        super().showEvent(event)
        self._refresh(due=True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Ask no more."""
        super().hideEvent(event)
        self._ask_no_more()

    def _lay_out(self) -> None:
        self._wall.setAccessibleName("Test images")
        self._wall.setToolTip("Double-click or press Return to put an image on the canvas")
        self._only_mistakes.setToolTip("Show only images whose assigned class is not the true one")
        self._only_mistakes.setAccessibleName("Only mistakes")
        self._place.setAccessibleName("Images on this page")
        self._summary.setAccessibleName("Mistakes")
        self._detail.setAccessibleName("About the image")
        self._detail.setProperty("role", "muted")
        self._detail.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._summary.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._summary.setWordWrap(True)
        top = QHBoxLayout()
        top.setSpacing(S.s)
        for widget in (self._first, self._previous, self._next, self._place):
            top.addWidget(widget)
        top.addSpacing(S.s)
        top.addWidget(self._only_mistakes)
        top.addStretch()
        below = QVBoxLayout()
        below.setSpacing(S.xs)
        below.addWidget(self._detail)
        below.addWidget(self._summary)
        rows = QVBoxLayout(self._pages_box)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(S.s)
        rows.addLayout(top)
        rows.addWidget(self._wall, 1)
        rows.addLayout(below)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(S.m, S.m, S.m, S.m)
        for part in (self._pages_box, self._nothing, self._misfit):
            whole.addWidget(part)
        self._first.clicked.connect(self._on_first_clicked)
        self._previous.clicked.connect(self._on_previous_clicked)
        self._next.clicked.connect(self._on_next_clicked)
        self._only_mistakes.toggled.connect(self._on_only_mistakes_toggled)
        self._wall.item_hovered.connect(self._on_wall_item_hovered)
        self._wall.item_clicked.connect(self._on_wall_item_clicked)
        self._wall.item_activated.connect(self._on_wall_item_activated)

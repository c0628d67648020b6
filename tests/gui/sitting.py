"""Another process with the window: opens a file, draws, and prints what is read.

Run as ``python -m tests.gui.sitting FILE WAY``; the way is one of `PEOPLE`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from tests.gui.person import ByKeyboard, ByMouse, Person, wait_until
from workbench.gui import app
from workbench.gui.controller import Controller
from workbench.gui.settings import Settings
from workbench.gui.widgets.probability_bars import ProbabilityBars

PEOPLE: dict[str, type[Person]] = {"mouse": ByMouse, "keyboard": ByKeyboard}

#: The window; what is drawn depends on it.
SIZE = QSize(1280, 800)

#: A stroke like that of a seven, corner by corner, in parts of the canvas.
STROKE = ((0.3, 0.25), (0.7, 0.25), (0.6, 0.5), (0.5, 0.8))


def draw(person: Person) -> list[np.ndarray]:
    """Draw the stroke; return what is read at each corner, each another reading, and in the end."""
    bars = person.find(ProbabilityBars, "Probability of each class")
    read: list[np.ndarray] = []

    def look() -> None:
        def is_new() -> bool:
            return bars.figures is not None and not any(
                np.array_equal(bars.figures, earlier) for earlier in read
            )

        wait_until(is_new)
        assert bars.figures is not None
        read.append(bars.figures)

    person.draw(STROKE, look)
    wait_until(lambda: not person.controller.requests._asked)
    assert bars.figures is not None
    return [*read, bars.figures]


def main(path: Path, way: str) -> None:
    """Open a file and print the last reading."""
    application = QApplication([])
    app.prepare(application)
    controller = Controller(app.first_state(), Settings())
    controller.show()
    controller.window.resize(SIZE)
    wait_until(lambda: controller.run.holds_document)
    person = PEOPLE[way](controller)
    person.order("File", "Open…")
    person.name_file(str(path))
    wait_until(lambda: controller.document.path == path and controller.run.holds_document)
    print(json.dumps(draw(person)[-1].tolist()))
    controller.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

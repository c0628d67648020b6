"""Takes pictures of the window: every tab, both themes, two screens, 100 % and 200 %.

``uv run docs/take_pictures.py FOLDER`` trains a network on MNIST (on the embedded digits where
MNIST is not at hand), opens it in windows without a screen and writes a PNG for each view. A
screen is given in its own pixels, so that at 200 % a window has half of them in each direction.

``uv run docs/take_pictures.py --docs`` takes those in ``docs/pictures``, on the embedded digits.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

SCREENS = ((1280, 800), (1920, 1200))
SCALES = (1, 2)
THEMES = ("light", "dark")

#: A three, in parts of the canvas.
STROKE = ((0.32, 0.26), (0.42, 0.17), (0.58, 0.17), (0.66, 0.28), (0.62, 0.4), (0.48, 0.48),
          (0.62, 0.52), (0.7, 0.65), (0.62, 0.8), (0.46, 0.85), (0.3, 0.77))  # fmt: skip


#: Name, network, theme and tab of the pictures in the documentation.
PICTURES = (
    ("window", "relu", "light", "training"),
    ("dark", "tanh", "dark", "training"),
    ("weights", "logistic", "light", "weights"),
    ("test-images", "logistic", "light", "test-images"),
)


def main() -> int:
    """Take all pictures, or in a child process those of one window."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("pictures"))
    parser.add_argument("--docs", action="store_true", help="those of the documentation")
    parser.add_argument("--model", type=Path, help="a model file, instead of training one")
    parser.add_argument("--only", metavar="THEME-WIDTHxHEIGHT-SCALE", help="one window")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        if options.docs:
            take_for_docs(Path(scratch))
            return 0
        model = options.model or train(Path(scratch) / "trained.h5", "relu", "mnist", "digits")
        if options.only:
            theme, size, scale = options.only.split("-")
            width, height = map(int, size.split("x"))
            take(options.folder, model, theme, (width, height), int(scale))
            return 0
        for theme in THEMES:
            for width, height in SCREENS:
                for scale in SCALES:
                    in_child(options.folder, model, f"{theme}-{width}x{height}-{scale}")
    return 0


def take_for_docs(scratch: Path) -> None:
    """Write the pictures that the documentation shows."""
    for name, network, theme, view in PICTURES:
        model = train(scratch / f"{network}.h5", network, "digits")
        in_child(scratch, model, f"{theme}-2560x1600-2")
        # 256 colours are enough for what is drawn here, and a quarter of the bytes.
        picture = Image.open(scratch / f"{theme}-2560x1600-200-{view}.png").convert("RGB")
        picture = picture.quantize(256, dither=Image.Dither.NONE)
        picture.save(Path(__file__).parent / "pictures" / f"{name}.png", optimize=True)


def train(path: Path, network: str, *datasets: str) -> Path:
    """Train a starter network on the first dataset that is at hand; return where it is."""
    for dataset in datasets:
        verb = ["train", "--network", network, "--dataset", dataset, "--epochs", "6"]
        done = subprocess.run([sys.executable, "-m", "workbench", *verb, "--save", str(path)])
        if done.returncode == 0:
            return path
    raise SystemExit("no network could be trained")


def in_child(folder: Path, model: Path, only: str) -> None:
    """Take the pictures of one window in a process of its own, as the scale is one's for life."""
    scale = only.rpartition("-")[2]
    with tempfile.TemporaryDirectory() as config:
        screen = {"QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": scale}
        own = {"WORKBENCH_CONFIG": config}
        subprocess.run(
            [sys.executable, __file__, str(folder), "--model", str(model), "--only", only],
            env=os.environ | screen | own,
            check=True,
        )


def take(folder: Path, model: Path, theme: str, screen: tuple[int, int], scale: int) -> None:
    """Open the model in a window and write what its tabs show."""
    # Qt reads its environment when it is imported.
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from workbench.gui import app
    from workbench.gui.controller import Controller
    from workbench.gui.settings import Settings
    from workbench.gui.widgets.canvas import Canvas
    from workbench.gui.widgets.probability_bars import ProbabilityBars

    application = QApplication([])
    app.prepare(application)
    settings = Settings()
    settings.theme = theme  # type: ignore[assignment]
    controller = Controller(app.first_state(), settings)
    controller.show()
    window = controller.window
    window.resize(screen[0] // scale, screen[1] // scale)
    label = f"{theme}-{screen[0]}x{screen[1]}-{100 * scale}"

    def wait_for(condition: Callable[[], object], what: str) -> None:
        until = time.monotonic() + 60
        while not condition():
            if time.monotonic() > until:
                controller.close()
                raise SystemExit(f"{what}: not seen in a minute; {window.message_bar.text}")
            application.processEvents()
            time.sleep(0.005)

    def write(name: str) -> None:
        until = time.monotonic() + 1
        while time.monotonic() < until:  # pictures that were asked for arrive
            application.processEvents()
            time.sleep(0.005)
        window.grab().save(str(folder / f"{label}-{name}.png"))

    wait_for(lambda: controller.run.holds_document, "the first network")
    write("first")
    controller.filing.open_path(model)
    wait_for(lambda: controller.document.path == model, "the file")
    wait_for(lambda: controller.run.holds_document and controller.run.step, "the model")
    canvas = window.findChild(Canvas)
    bars = window.findChild(ProbabilityBars)
    places = [QPoint(int(x * canvas.width()), int(y * canvas.height())) for x, y in STROKE]
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=places[0])
    for place in places[1:]:
        QTest.mouseMove(canvas, place)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=places[-1])
    wait_for(lambda: bars.winner is not None, "a reading")
    for place in range(window.tabs.count()):
        window.tabs.setCurrentIndex(place)
        write(window.tabs.tabText(place).lower().replace(" ", "-"))
    controller.close()


if __name__ == "__main__":
    raise SystemExit(main())

"""The process with the window: how it ends, and what it says where there can be none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gui.conftest import soon_s
from workbench.gui import display
from workbench.io import save_model
from workbench.nn.layers import LAYERS
from workbench.spec.data import DataSpec
from workbench.spec.network import NetworkSpec
from workbench.spec.training import TrainingSpec
from workbench.training.model_files import first_model_file

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")

#: Shows the window and says so; `busy` trains until it is stopped.
_PROGRAM = """
import sys
from PySide6.QtCore import QTimer
from workbench.gui import app, controller

class Telling(controller.Controller):
    def show(self):
        super().show()
        if "busy" in sys.argv:
            self.pump.snapshot_taken.connect(self.tell)
            self.run.train()
        else:
            QTimer.singleShot(0, self.tell)

    def tell(self, _=None):
        print("ready", flush=True)
        self.pump.snapshot_taken.disconnect() if "busy" in sys.argv else None
        self.pump.snapshot_taken.connect(self._on_pump_snapshot_taken)

app.Controller = Telling
sys.exit(app.run())
"""


@pytest.fixture
def window(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, request.param],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONFAULTHANDLER": "1"},
    )
    yield process
    process.kill()
    process.communicate()


_OPENING = """
import sys
from workbench import __main__
from workbench.gui import app, controller

class Telling(controller.Controller):
    def show(self):
        super().show()
        self.filing.files.opened.connect(self.tell)

    def tell(self, _):
        print(self.document.path, self.document.state.network, self.document.modified)
        self.close()

app.Controller = Telling
sys.exit(__main__.main())
"""


def test_a_file_that_is_named_is_opened(tmp_path: Path) -> None:
    network = NetworkSpec((1, 28, 28), (LAYERS["dense"](10), LAYERS["softmax"]()))
    path = tmp_path / "Mine.H5"
    save_model(path, first_model_file(network, TrainingSpec(), DataSpec()))
    done = subprocess.run(
        [sys.executable, "-c", _OPENING, path.name],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"{path} {network} False\n"), done.stderr


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("window", ["idle", "busy"], indirect=True)
def test_a_signal_closes_the_window(window: subprocess.Popen[str], number: int) -> None:
    assert window.stdout is not None
    assert window.stdout.readline() == "ready\n"
    began = time.monotonic()
    window.send_signal(number)
    _, errors = window.communicate(timeout=60)
    took = time.monotonic() - began
    assert window.returncode == 0, errors
    assert took < soon_s()
    assert "Traceback" not in errors


#: Closes while the thread that loads the plots is still at it.
_LOADING = """
import atexit, sys, threading
from workbench.gui import app, controller
from workbench.gui.widgets import run_plots
from workbench.training.events import Prepared

class Closing(controller.Controller):
    def show(self):
        super().show()
        self.engine.event_published.connect(self.leave)

    def leave(self, event):
        # The engine has nothing more to do, so that it ends at once.
        if isinstance(event, Prepared):
            self.close()
            print(f"ended: {self.ended}", flush=True)

run_plots._import = threading.Thread(target=threading.Event().wait, daemon=True)
run_plots._import.start()
app.Controller = Closing
atexit.register(print, "Python was taken down")
sys.exit(app.run())
"""


def test_python_is_not_taken_down_around_the_loading_of_the_plots(tmp_path: Path) -> None:
    # A thread in the middle of Qt's modules, or in code of Qt that called Python, would crash.
    done = subprocess.run(
        [sys.executable, "-c", _LOADING],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "WORKBENCH_DEVICE": "reference",
            "WORKBENCH_CONFIG": str(tmp_path / "settings"),
        },
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended: True\n", "")
    # Nothing is lost by it: where the window stood is remembered.
    assert "[layout]" in (tmp_path / "settings" / "window.ini").read_text()


def start(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    without = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    kept = {name: value for name, value in os.environ.items() if name not in without}
    return subprocess.run(
        [sys.executable, "-m", "workbench"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=kept | environment,
        timeout=60,
        check=False,
    )


@LINUX
@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"DISPLAY": ":4711"},
        {"WAYLAND_DISPLAY": "nowhere"},
        {"QT_QPA_PLATFORM": "xcb"},
        {"QT_QPA_PLATFORM": "nonsense"},
    ],
    ids=lambda environment: "-".join(environment) or "nothing",
)
def test_without_a_display_it_says_what_to_use_instead(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    done = start(tmp_path, **environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert "workbench train" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@LINUX
def test_a_platform_without_a_screen_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert display.trouble() is None


def test_the_command_line_loads_no_qt() -> None:
    program = (
        "import sys; from workbench import __main__; sys.argv = ['workbench', 'devices']; "
        "assert __main__.main() == 0; "
        "assert not [m for m in sys.modules if m.startswith(('PySide6', 'workbench.gui'))]"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()

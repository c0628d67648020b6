"""Whether a window can be shown here at all.

Responsible for finding out before Qt does, which would abort the process; imports Qt only to see
whether it can be imported.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import importlib.util
import os
import socket
import sys
from pathlib import Path

#: What to do instead.
ADVICE = (
    "Without a window, train from the command line: workbench train "
    "(workbench --help lists the other verbs)."
)


def trouble() -> str | None:
    """Return a sentence about why there can be no window, or None where there can."""
    try:
        importlib.import_module("PySide6.QtWidgets")
    except ImportError as error:
        return f"Qt cannot be loaded: {error}. {ADVICE}"
    if not sys.platform.startswith("linux"):
        return None
    wanted = _wanted_platforms()
    if not wanted:
        return f"There is no display: neither DISPLAY nor WAYLAND_DISPLAY is set. {ADVICE}"
    reasons = [_reason_against(name) for name in wanted]
    if None in reasons:
        return None
    return f"No window can be shown: {'; '.join(filter(None, reasons))}. {ADVICE}"


def _wanted_platforms() -> list[str]:
    """Return the names of Qt's platform plugins that would be tried."""
    named = os.environ.get("QT_QPA_PLATFORM")
    if named:
        return [entry.partition(":")[0] for entry in named.split(";")]
    found = {"wayland": os.environ.get("WAYLAND_DISPLAY"), "xcb": os.environ.get("DISPLAY")}
    return [name for name, display in found.items() if display]


def _reason_against(name: str) -> str | None:
    """Return why a platform plugin cannot work, or None where it seems to."""
    spec = importlib.util.find_spec("PySide6")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "Qt" / "plugins" / "platforms"
    plugin = folder / f"libq{name}.so"
    if folder.is_dir():  # a Qt of the system's keeps its plugins elsewhere
        try:
            ctypes.CDLL(str(plugin))
        except OSError as error:
            return f"the platform {name} cannot be loaded ({error})"
    if name == "xcb" and not _reaches_x():
        return f"the display {os.environ.get('DISPLAY')!r} does not answer"
    if name == "wayland" and not _reaches_wayland():
        return f"the display {os.environ.get('WAYLAND_DISPLAY')!r} does not answer"
    return None


def _reaches_x() -> bool:
    library = ctypes.util.find_library("xcb") or "libxcb.so.1"
    try:
        xcb = ctypes.CDLL(library)
    except OSError:
        return True  # the plugin brings its own
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    failed = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return not failed


def _reaches_wayland() -> bool:
    name = os.environ.get("WAYLAND_DISPLAY") or "wayland-0"
    path = Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / name  # an absolute name stays itself
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True

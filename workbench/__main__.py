"""The entry of `workbench` and `python -m workbench`.

Responsible for the choice between command line and window; it must stay quick to import.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from workbench.cli import program

#: What a file is called that the window opens with; a verb has no such ending.
_SUFFIXES = (".h5", ".hdf5")


def main() -> int:
    """Run the verb that was typed, or show the window, with a model file perhaps.

    Returns
    -------
    int
        The exit status.
    """
    words = sys.argv[1:]
    if "--debug" not in words:
        sys.excepthook = program.brief_excepthook
    files = [word for word in words if word != "--debug"]
    if not files:
        return _show_window(None, "--debug" in words)
    if len(files) == 1 and files[0].lower().endswith(_SUFFIXES):
        return _show_window(Path(files[0]), "--debug" in words)
    return program.main(words)


def _show_window(path: Path | None, debug: bool) -> int:
    if path is not None and not path.is_file():
        print(
            f"workbench: There is no file {str(path)!r}. Check its name, or see workbench --help.",
            file=sys.stderr,
        )
        return 2
    # By name, so that the command line never loads Qt.
    trouble = importlib.import_module("workbench.gui.display").trouble()
    if trouble is not None:
        print(f"workbench: {trouble}", file=sys.stderr)
        return 2
    status: int = importlib.import_module("workbench.gui.app").run(path, debug)
    return status


if __name__ == "__main__":
    sys.exit(main())

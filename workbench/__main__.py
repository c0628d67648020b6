"""The entry of `workbench` and `python -m workbench`.

Responsible for the choice between command line and window; it must stay quick to import.
"""

from __future__ import annotations

import importlib
import sys

from workbench.cli import program


def main() -> int:
    """Run the verb that was typed, or show the window; return the exit status."""
    words = sys.argv[1:]
    if "--debug" not in words:
        sys.excepthook = program.brief_excepthook
    if set(words) <= {"--debug"}:
        return _show_window("--debug" in words)
    return program.main(words)


def _show_window(debug: bool) -> int:
    # By name, so that the command line never loads Qt.
    trouble = importlib.import_module("workbench.gui.display").trouble()
    if trouble is not None:
        print(f"workbench: {trouble}", file=sys.stderr)
        return 2
    status: int = importlib.import_module("workbench.gui.app").run(debug)
    return status


if __name__ == "__main__":
    sys.exit(main())

"""The entry of `workbench` and `python -m workbench`: today always the command line.

Responsible for the choice between command line and window; it must stay quick to import.
"""

from __future__ import annotations

import sys

from workbench.cli import program


def main() -> int:
    """Run the command line of this process and return its exit status."""
    if "--debug" not in sys.argv:
        sys.excepthook = program.brief_excepthook
    return program.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())

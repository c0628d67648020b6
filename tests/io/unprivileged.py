"""Tries to save a model as a user who may not, and writes the error.

Started by tests as root: ``python -m tests.io.unprivileged USER_ID MODEL.h5 TARGET.h5 ...``. All is
imported and read first, for that user may not even read the interpreter.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.io.here import read_here
from workbench import plugins
from workbench.core.errors import SaveError
from workbench.io import save_model


def _main(user: int, model: Path, targets: list[Path]) -> None:
    plugins.load_packages(["workbench.nn"])
    loaded = read_here(model)
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
    for target in targets:
        try:
            save_model(target, loaded)
        except SaveError as error:
            print(error)
        else:
            print("saved")


if __name__ == "__main__":
    _main(int(sys.argv[1]), Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])

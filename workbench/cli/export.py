"""``workbench export``: the parameters of a saved model as a NumPy file.

Responsible for nothing but the verb; both files are the business of `workbench.io`.
"""

from __future__ import annotations

import argparse

from workbench.cli.choices import load_extensions
from workbench.cli.console import Console, print_json
from workbench.io import export_parameters, load_model


def run(options: argparse.Namespace) -> int:
    """Write the parameters of the model that the options name; return the exit status."""
    with Console() as console:
        load_extensions(console)
        export_parameters(options.parameters, load_model(options.model).parameters)
    if options.json:
        print_json({"saved": options.parameters})
    else:
        print(f"Saved {options.parameters}.")
    return 0

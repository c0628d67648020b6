"""``workbench import``: a model file made of a network and a NumPy file of its parameters.

Responsible for nothing but the verb; both files are the business of `workbench.io`.
"""

from __future__ import annotations

import argparse

from workbench.cli.choices import load_extensions
from workbench.cli.console import Console, print_json
from workbench.io import ModelFile, import_parameters, save_model
from workbench.spec.library import find_network


def run(options: argparse.Namespace) -> int:
    """Save the network and the parameters that the options name; return the exit status."""
    with Console() as console:
        load_extensions(console)
        network = find_network(options.network)
        parameters = import_parameters(options.parameters, network)
        shape = network.input if len(network.input) == 3 else None
        save_model(options.model, ModelFile(network, parameters, image_shape=shape))
    if options.json:
        print_json({"saved": options.model})
    else:
        print(f"Saved {options.model}.")
    return 0

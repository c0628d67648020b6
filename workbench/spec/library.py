"""The networks and experiments that come with the workbench, by name, and network files by path.

Responsible for finding them; knows nothing of what is in them.
"""

from __future__ import annotations

from pathlib import Path

from workbench.core.errors import SpecError
from workbench.core.resources import resource_names, resource_path
from workbench.spec.codec import experiment_from_json, network_from_json, read_json_file
from workbench.spec.experiment import Experiment
from workbench.spec.field_info import advise, quote
from workbench.spec.network import NetworkSpec


def starter_networks() -> dict[str, str]:
    """Return the names of the networks that come along, each with a sentence about it."""
    files = {name: resource_path("networks", f"{name}.json") for name in resource_names("networks")}
    return {name: str(read_json_file(path).get("about", "")) for name, path in files.items()}


def find_network(name_or_path: str) -> NetworkSpec:
    """Return the network that comes along under a name, or the one in a JSON file.

    Raises
    ------
    SpecError
        There is no such name or file, or the file is wrong; the message names the place in it.
    """
    known = resource_names("networks")
    if name_or_path in known:
        path = resource_path("networks", f"{name_or_path}.json")
    elif name_or_path.endswith(".json"):
        path = Path(name_or_path)
    else:
        hint = f"Known: {', '.join(known)}; or give the path of a .json file."
        raise SpecError(
            f"There is no network called {quote(name_or_path)}.",
            advise(name_or_path, known) or hint,
        )
    data = read_json_file(path)
    try:
        return network_from_json(data)
    except SpecError as error:
        raise SpecError(f"{path}: {error.message}", error.hint, error.layer) from None


def find_experiment(name: str) -> Experiment:
    """Return the experiment that comes along under `name`.

    Raises
    ------
    SpecError
        There is none of that name.
    """
    known = resource_names("experiments")
    if name not in known:
        hint = advise(name, known) or f"Known: {', '.join(known)}."
        raise SpecError(f"There is no experiment called {quote(name)}.", hint)
    return experiment_from_json(read_json_file(resource_path("experiments", f"{name}.json")))

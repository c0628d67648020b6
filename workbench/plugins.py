"""Finds extensions: the files of built-in packages, and those of the user's plugin folder.

Responsible for importing them, so that what they register is known, and for telling which of them
failed; knows nothing of what they are.

A plugin is one Python file in the plugin folder. This one adds a layer, in the stack's files
``{"layer": "leaky_tanh"}``, with its form and its place among the layers to choose from::

    import attrs

    from workbench.nn import expressions as T
    from workbench.nn.layers import LAYERS, Layer
    from workbench.spec.fields import number


    @LAYERS.add("leaky_tanh")
    @attrs.frozen
    class LeakyTanh(Layer):
        leak: float = number(default=0.1, label="Leak", help="Slope far from zero.")

        def output(self, x, params):
            return self.leak * x + T.tanh(x)

Without a field, three lines do, because an activation is a layer too::

    from workbench.nn import expressions as T
    from workbench.spec.registries import ACTIVATIONS


    @ACTIVATIONS.add("leaky_tanh")
    def leaky_tanh(x):
        return 0.1 * x + T.tanh(x)
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs

from workbench.core.paths import plugin_folder
from workbench.core.registry import Registry
from workbench.spec import registries

#: The packages whose every file is an extension, below the window.
BUILT_IN = ("workbench.nn", "workbench.data.sources")

_REGISTRIES = [entry for entry in vars(registries).values() if isinstance(entry, Registry)]


@attrs.frozen
class PluginWarning:
    """A plugin file that could not be used; the others are."""

    file: Path
    reason: str

    def __str__(self) -> str:
        return f"The plugin {self.file} is left out: {self.reason}"


def load(packages: Sequence[str] = BUILT_IN, folder: Path | None = None) -> list[PluginWarning]:
    """Import every module of `packages`, then every file of the plugin folder.

    Parameters
    ----------
    packages
        Names of built-in packages; a new file in one of them is found by itself.
    folder
        The plugin folder; the user's own one unless told.

    Returns
    -------
    list of PluginWarning
        One for each plugin that failed; nothing that it registered is kept.
    """
    load_packages(packages)
    return load_folder(plugin_folder() if folder is None else folder)


def load_packages(packages: Sequence[str]) -> None:
    """Import every module of the named packages, in the order of their names."""
    for package in packages:
        path = importlib.import_module(package).__path__
        for found in pkgutil.walk_packages(path, f"{package}."):
            importlib.import_module(found.name)


def load_folder(folder: Path) -> list[PluginWarning]:
    """Import every ``*.py`` file of a folder, sorted by name; one that was imported stays as it is.

    Returns
    -------
    list of PluginWarning
        One for each file that failed; nothing that it registered is kept.
    """
    failed = (_load_file(path) for path in sorted(folder.glob("*.py")))
    return [warning for warning in failed if warning is not None]


def _load_file(path: Path) -> PluginWarning | None:
    name = f"workbench_plugin_{path.stem}"
    if name in sys.modules and sys.modules[name].__file__ == str(path):
        return None
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = [list(registry) for registry in _REGISTRIES]
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the workbench goes on without it
        del sys.modules[name]
        for registry, known in zip(_REGISTRIES, before, strict=True):
            for added in set(registry) - set(known):
                registry.remove(added)
        return PluginWarning(path, f"{type(error).__name__}: {error}")
    return None

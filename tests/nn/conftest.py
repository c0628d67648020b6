"""Everything that is built in is registered before tests walk the registries."""

from workbench import plugins

plugins.load_packages(["workbench.nn"])

"""Everything that is built in is registered before specs are made of it."""

from workbench import plugins

plugins.load_packages(["workbench.nn"])

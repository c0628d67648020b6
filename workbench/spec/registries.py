"""The extension points: one registry for each kind of thing that can be added by one file.

Responsible for their names; knows nothing of what is registered, so that specs can name what they
do not import.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.registry import Registry

#: Layer classes: frozen, with `out_shape`, `params` and `output`. Every activation is a layer too.
LAYERS: Registry[type[Any]] = Registry("layer")

#: Functions of one variable that keep its shape.
ACTIVATIONS: Registry[Callable[..., Any]] = Registry("activation")

#: Classes that fill a parameter with its first numbers.
INITIALIZERS: Registry[type[Any]] = Registry("initialiser")

#: Classes that turn gradients into updates of the parameters.
OPTIMIZERS: Registry[type[Any]] = Registry("optimizer")

#: Classes that say how the rate changes while training runs.
SCHEDULES: Registry[type[Any]] = Registry("schedule")

#: What training makes as large as it can: scores of outputs against targets.
OBJECTIVES: Registry[Any] = Registry("objective")

#: What is measured beside the objective: functions of outputs and targets.
METRICS: Registry[Callable[..., Any]] = Registry("metric")

#: Sources of data by name.
DATASETS: Registry[Any] = Registry("dataset")

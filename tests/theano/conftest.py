"""Every test here runs in NumPy unless it says otherwise, and leaves the settings as they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workbench.theano import config


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    config.device = "reference"
    yield
    config.device, config.floatX = None, "float64"

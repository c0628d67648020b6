"""The settings: what may be set, and where functions run."""

from __future__ import annotations

import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from workbench.core.errors import NotSupported, UnknownDevice
from workbench.engine.backends import catalogue
from workbench.theano.configuration import Config


def test_the_device_is_the_workbenchs_own_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Config().device == catalogue.devices()[0].id
    monkeypatch.setenv("WORKBENCH_DEVICE", "reference")
    assert Config().device == "reference"
    assert Config().opened().info.id == "reference"
    with pytest.raises(UnknownDevice, match="'cuda0'"):
        theano.config.device = "cuda0"
    assert theano.config.device == "reference"


def test_reference_is_never_fallen_back_upon_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "list_opencl", list)
    config = Config()
    with pytest.warns(UserWarning, match="No OpenCL driver"):
        config.opened()
    assert config.opened().info.id == "reference"


def test_settings_that_change_no_result_are_passed_over_and_others_refused() -> None:
    theano.config.exception_verbosity = "high"
    theano.config.compute_test_value = "off"
    assert theano.config.exception_verbosity == ""
    assert theano.config.compute_test_value == "off"
    with pytest.raises(NotSupported, match=r"config\.gcc"):
        _ = theano.config.gcc
    with pytest.raises(NotSupported, match="small arrays"):
        theano.config.compute_test_value = "raise"
    with pytest.raises(NotSupported, match="float16"):
        theano.config.floatX = "float16"
    with pytest.raises(NotSupported, match=r"config\.flaotX"):
        theano.config.flaotX = "float32"
    assert T.matrix().dtype == "float64"

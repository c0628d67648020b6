"""Which devices there are, by what ids, and which one is the default."""

from __future__ import annotations

import pytest

from workbench.core.errors import UnknownDevice
from workbench.engine.backends import catalogue
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.backends.reference import ReferenceDevice


def test_the_reference_comes_last(device: OpenCLDevice) -> None:
    ids = [info.id for info in catalogue.devices()]
    assert ids[-1] == "reference"
    assert device.info.id in ids
    assert len(set(ids)) == len(ids)


def test_each_opens_by_its_id(device: OpenCLDevice) -> None:
    opened = catalogue.open_device(device.info.id)
    assert isinstance(opened, OpenCLDevice)
    assert opened.info == device.info
    assert isinstance(catalogue.open_device("reference"), ReferenceDevice)


def test_the_first_opencl_device_is_the_default(
    device: OpenCLDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    del device
    assert catalogue.open_device().info.id == catalogue.devices()[0].id
    monkeypatch.setenv("WORKBENCH_DEVICE", "reference")
    assert isinstance(catalogue.open_device(), ReferenceDevice)


def test_an_unknown_id_is_answered_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownDevice, match="no device 'nvidia:7'") as caught:
        catalogue.open_device("nvidia:7")
    assert all(info.id in caught.value.hint for info in catalogue.devices())
    monkeypatch.setenv("WORKBENCH_DEVICE", "gone:0")
    with pytest.raises(UnknownDevice, match="gone:0"):
        catalogue.open_device()


def test_without_a_driver_the_reference_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "list_opencl", list)
    assert [info.id for info in catalogue.devices()] == ["reference"]
    assert isinstance(catalogue.open_device(), ReferenceDevice)

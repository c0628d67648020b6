"""Fixtures for every test: an isolated user, no network, and MNIST where there is one."""

from __future__ import annotations

import gc
import importlib
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from workbench.core.registry import Registry
from workbench.spec import registries

# A busy machine is no failure.
settings.register_profile("workbench", deadline=None, print_blob=True)
settings.load_profile("workbench")


#: More processes would each build kernels that others build too, and want memory.
MAX_WORKERS = 4


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Use several processes for folders, none for single files: to begin takes each a while."""
    if all(Path(argument.partition("::")[0]).is_file() for argument in config.args):
        return 0
    return min(MAX_WORKERS, os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    """Spare the collector what stays: some tests let it look at everything, many times."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _isolated_user(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Give the tests a cache and plugins of their own, in this process and its children.

    Processes that run tests side by side share the cache: what takes long is made once.
    """
    common = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_CACHE", str(common / "cache"))
        patch.setenv("WORKBENCH_PLUGINS", str(tmp_path_factory.mktemp("plugins")))
        patch.delenv("WORKBENCH_DEVICE", raising=False)
        _trust_devices()
        yield


def _trust_devices() -> None:
    """Let every device count as checked: what a check costs, the tests of the check pay."""
    # Drivers are found when the module is imported, and with the cache that was just named.
    device = importlib.import_module("workbench.engine.backends.opencl.device")
    verdicts = importlib.import_module("workbench.engine.backends.verdicts")
    for info in device.list_opencl():
        verdicts.keep(info, verdicts.Verdict("trusted"))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections to other machines; children meet a proxy that is not there."""
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1", "localhost"):
            connect(self, address)
            return
        raise OSError(f"a test reached for the network: {address!r}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


@pytest.fixture
def forget_plugins() -> Iterator[None]:
    """Unload the extensions that a test has loaded."""
    known: list[tuple[Registry[Any], set[str]]] = [
        (registry, set(registry))
        for registry in vars(registries).values()
        if isinstance(registry, Registry)
    ]
    modules = set(sys.modules)
    yield
    for registry, names in known:
        for name in set(registry) - names:
            registry.remove(name)
    for module in set(sys.modules) - modules:
        if module.startswith("workbench_plugin_"):
            del sys.modules[module]


@pytest.fixture(scope="session")
def mnist() -> Path:
    """Return the folder that `WORKBENCH_DATA` names, when MNIST's files lie in it."""
    named = os.environ.get("WORKBENCH_DATA")
    if not named:
        pytest.skip("MNIST is not here: WORKBENCH_DATA names no folder")
    if not (Path(named) / "mnist" / "train-images-idx3-ubyte.gz").exists():
        pytest.skip(f"MNIST is not here: {named} holds no mnist/train-images-idx3-ubyte.gz")
    return Path(named)

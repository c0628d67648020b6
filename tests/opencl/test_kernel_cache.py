"""Built programs are kept, and whatever has become of the cache, programs are built."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from workbench.engine.backends.opencl import kernel_cache
from workbench.engine.backends.opencl.device import OpenCLDevice, open_opencl
from workbench.engine.function import function
from workbench.engine.graph.variable import shared


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where programs are kept, whether or not the driver keeps them itself."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr("pyopencl.characterize.has_src_build_cache", lambda _: False)
    monkeypatch.setattr(kernel_cache, "LOCK_S", 0.1)
    return tmp_path / "kernels"


def compute(device: OpenCLDevice) -> None:
    """Build a program on a device that has built none yet, and run it."""
    fresh = open_opencl(device.info.id)
    numbers = np.arange(5, dtype="float32")
    result = function([], shared(numbers) * 3, device=fresh)()
    np.testing.assert_array_equal(result, 3 * numbers)


def test_a_program_is_kept_once(device: OpenCLDevice, folder: Path) -> None:
    compute(device)
    kept = sorted(folder.rglob("*"))
    assert "binary" in {path.name for path in kept}
    compute(device)
    assert sorted(folder.rglob("*")) == kept


@pytest.mark.parametrize("found", ["nothing", "a program"])
def test_a_lock_that_was_left_behind_is_removed(
    device: OpenCLDevice, folder: Path, found: str
) -> None:
    if found == "a program":
        compute(device)
    folder.mkdir(exist_ok=True)
    (folder / "lock").touch()
    began = time.monotonic()
    compute(device)
    assert time.monotonic() - began < 10
    assert not (folder / "lock").exists()


@pytest.mark.parametrize("name", ["info", "binary"])
def test_a_program_that_was_half_written_is_built_again(
    device: OpenCLDevice, folder: Path, name: str
) -> None:
    compute(device)
    for path in folder.rglob(name):
        path.write_bytes(b"")
    compute(device)


def test_a_folder_that_cannot_be_written_is_no_obstacle(device: OpenCLDevice, folder: Path) -> None:
    folder.write_text("in the way")
    compute(device)

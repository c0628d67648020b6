"""What has not changed is not compiled again, in the next process either."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.engine.backends.opencl.codegen.arguments import Kernel, with_name
from workbench.engine.backends.opencl.device import OpenCLDevice, open_opencl
from workbench.engine.backends.opencl.driver import cl
from workbench.engine.backends.opencl.recall import Recall

A, B, C = (f"a[0] = {number};" for number in (41, 42, 43))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Remember nothing at first; return where it is kept."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    return tmp_path / "programs"


def kernel(body: str) -> Kernel:
    name, text = with_name("made", f"__kernel void @NAME@(__global int *a) {{ {body} }}")
    return Kernel(name, text, (), (1,), (1,), "made")


def built(device: OpenCLDevice, *bodies: str) -> tuple[int, int]:
    """Build kernels on a device that has built none yet, and run them.

    Return how many programs were built, and how many of them were known.
    """
    fresh = open_opencl(device.info.id).runtime
    fresh.build([kernel(body) for body in bodies])
    memory = fresh.allocate(4, "a test")
    for body in bodies:
        made = fresh.kernel(kernel(body))
        made.set_args(memory)
        cl.enqueue_nd_range_kernel(fresh.queue, made, (1,), (1,))
        (found,) = fresh.download(memory, (1,), "int32")
        assert f"a[0] = {found};" == body
    return fresh.counters.programs_compiled, fresh.counters.programs_known


def test_a_second_run_compiles_nothing(device: OpenCLDevice) -> None:
    assert built(device, A, B) == (1, 0)
    assert built(device, A, B) == (1, 1)
    assert built(device, B) == (1, 1)


def test_only_what_is_new_is_compiled(device: OpenCLDevice) -> None:
    built(device, A, B)
    assert built(device, A, C) == (2, 1)
    # By now in two programs.
    assert built(device, A, B, C) == (2, 2)


@pytest.mark.parametrize("damage", ["cut", "gone", "other"])
def test_what_is_damaged_is_not_remembered(device: OpenCLDevice, folder: Path, damage: str) -> None:
    built(device, A)
    for path in folder.rglob("*.cl"):
        if damage == "gone":
            path.unlink()
        else:
            text = path.read_text()
            path.write_text(text[:-5] if damage == "cut" else text.replace("41", "44"))
    assert built(device, A) == (1, 0)
    assert built(device, A) == (1, 1)


def test_nothing_is_remembered_of_other_drivers_or_options() -> None:
    Recall("driver 1", "-w").remember("text of k", ["k"])
    assert Recall("driver 1", "-w").programs(["k", "j"]) == {"text of k": ["k"]}
    assert Recall("driver 2", "-w").programs(["k"]) == {}
    assert Recall("driver 1", "").programs(["k"]) == {}


def test_a_folder_that_cannot_be_written_is_no_obstacle(device: OpenCLDevice, folder: Path) -> None:
    folder.write_text("in the way")
    assert built(device, A) == (1, 0)
    assert built(device, A) == (1, 0)

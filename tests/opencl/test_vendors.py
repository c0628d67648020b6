"""A driver that pip installed into a virtual environment is announced; nothing else is touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workbench.engine.backends.opencl import vendors

LOCAL_MEMORY = "CL_CONFIG_CPU_FORCE_LOCAL_MEM_SIZE"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Return folders for a library, the system's entries and the user's cache, all empty."""
    found = {name: tmp_path / name for name in ("lib", "system", "cache")}
    for folder in found.values():
        folder.mkdir()
    monkeypatch.delenv("OCL_ICD_VENDORS", raising=False)
    monkeypatch.delenv(LOCAL_MEMORY, raising=False)
    monkeypatch.setattr(vendors, "_places", lambda: [tmp_path / "nowhere", found["lib"]])
    monkeypatch.setattr(vendors, "_SYSTEM", found["system"])
    monkeypatch.setattr(vendors, "cache_folder", lambda: found["cache"])
    return found


def announced(places: dict[str, Path]) -> dict[str, str]:
    folder = Path(os.environ["OCL_ICD_VENDORS"])
    assert folder.parent == places["cache"]
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_nothing_happens_without_the_library(places: dict[str, Path]) -> None:
    vendors.announce_drivers()
    assert "OCL_ICD_VENDORS" not in os.environ
    assert list(places["cache"].iterdir()) == []


def test_the_library_is_announced_beside_the_systems_drivers(places: dict[str, Path]) -> None:
    library = places["lib"] / "libintelocl.so"
    library.touch()
    (places["system"] / "mesa.icd").write_text("libMesaOpenCL.so.1\n")
    vendors.announce_drivers()
    assert announced(places) == {
        "mesa.icd": "libMesaOpenCL.so.1\n",
        "intel-workbench.icd": f"{library}\n",
    }


def test_the_driver_is_told_of_local_memory_unless_the_user_has_told_it(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    del places
    vendors.announce_drivers()
    assert os.environ[LOCAL_MEMORY] == "384KB"
    monkeypatch.setenv(LOCAL_MEMORY, "1MB")
    vendors.announce_drivers()
    assert os.environ[LOCAL_MEMORY] == "1MB"


def test_on_windows_the_library_is_named_beside_what_the_system_knows(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendors.sys, "platform", "win32")
    monkeypatch.setenv("PATH", "before")
    monkeypatch.delenv("OCL_ICD_FILENAMES", raising=False)
    vendors.announce_drivers()
    assert "OCL_ICD_FILENAMES" not in os.environ
    assert LOCAL_MEMORY not in os.environ
    library = places["lib"] / "intelocl64.dll"
    library.touch()
    vendors.announce_drivers()
    assert os.environ["OCL_ICD_FILENAMES"] == str(library)
    assert os.environ["PATH"].split(os.pathsep) == [str(places["lib"]), "before"]
    assert "OCL_ICD_VENDORS" not in os.environ
    assert list(places["cache"].iterdir()) == []


def test_an_entry_that_the_system_dropped_goes(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (places["lib"] / "libintelocl.so").touch()
    (places["system"] / "old.icd").write_text("libold.so\n")
    vendors.announce_drivers()
    monkeypatch.delenv("OCL_ICD_VENDORS")
    (places["system"] / "old.icd").unlink()
    vendors.announce_drivers()
    assert set(announced(places)) == {"intel-workbench.icd"}


def test_what_the_user_has_set_stays(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (places["lib"] / "libintelocl.so").touch()
    monkeypatch.setenv("OCL_ICD_VENDORS", "/my/own")
    vendors.announce_drivers()
    assert os.environ["OCL_ICD_VENDORS"] == "/my/own"


def test_a_cache_that_cannot_be_written_is_no_failure(places: dict[str, Path]) -> None:
    (places["lib"] / "libintelocl.so").touch()
    (places["cache"] / "opencl-vendors").write_text("a file where the folder should be")
    vendors.announce_drivers()
    assert "OCL_ICD_VENDORS" not in os.environ


def test_the_places_are_those_of_this_environment() -> None:
    assert all(place.is_absolute() for place in vendors._places())

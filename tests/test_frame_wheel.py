"""The built wheel carries all that it needs and runs where there is no checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, check=True, cwd=ROOT, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an empty environment and return its `workbench` program."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=True, symlinks=os.name != "nt")
    paths = sysconfig.get_paths(vars={"base": str(home), "platbase": str(home)})
    scripts = Path(paths["scripts"])
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    install = [str(python), "-m", "pip", "install", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    # The dependencies are those of this environment, found behind the wheel's own files. A path
    # added by a .pth file has its .pth files ignored, so the checkout stays out of sight.
    (Path(paths["purelib"]) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return scripts / ("workbench.exe" if os.name == "nt" else "workbench")


def run(program: Path, folder: Path, *words: str) -> dict[str, object]:
    done = subprocess.run(
        [program, *words], capture_output=True, text=True, cwd=folder, timeout=100
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert isinstance(result, dict)
    return result


def test_kernels_resources_and_licence_are_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for folder in ("kernels", "resources"):
            files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
            assert files
            for path in files:
                name = f"workbench/_{folder}/{path.relative_to(ROOT / folder).as_posix()}"
                assert archive.read(name) == path.read_bytes()
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests", "docs"))]


def test_the_installed_wheel_is_what_runs(program: Path, tmp_path: Path) -> None:
    code = (
        "import workbench; from workbench.core import resources;"
        "print(workbench.__file__); print(resources.resource_path('networks'))"
    )
    python = program.with_name("python.exe" if os.name == "nt" else "python")
    done = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    home = str(program.parents[1])
    assert all(line.startswith(home) for line in done.stdout.splitlines()), done.stdout


def test_it_lists_devices(program: Path, tmp_path: Path) -> None:
    found = run(program, tmp_path, "devices", "--json")["devices"]
    assert isinstance(found, list)
    assert "reference" in [device["id"] for device in found]


def test_it_trains(program: Path, tmp_path: Path) -> None:
    words = ["--network", "relu", "--limit", "640", "--epochs", "1", "--save", "m.h5", "--json"]
    done = run(program, tmp_path, "train", *words)
    assert done["saved"] == "m.h5"
    assert (tmp_path / "m.h5").exists()
    assert run(program, tmp_path, "evaluate", "m.h5", "--json")["accuracy"] == done["test_accuracy"]

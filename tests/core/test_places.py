"""Folders of the user, and the files that travel with the package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.core import paths, resources


@pytest.mark.parametrize(
    ("variable", "folder"),
    [
        ("WORKBENCH_CACHE", paths.cache_folder),
        ("WORKBENCH_PLUGINS", paths.plugin_folder),
        ("WORKBENCH_DATA", paths.data_folder),
        ("WORKBENCH_CONFIG", paths.config_folder),
    ],
)
def test_a_variable_names_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, folder: object
) -> None:
    assert callable(folder)
    monkeypatch.setenv(variable, str(tmp_path / "there"))
    assert folder() == tmp_path / "there"
    assert not (tmp_path / "there").exists()


def test_without_variables_the_folders_are_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("WORKBENCH_CACHE", "WORKBENCH_PLUGINS", "WORKBENCH_DATA"):
        monkeypatch.delenv(variable, raising=False)
    assert "neural-workbench" in str(paths.cache_folder())
    assert paths.plugin_folder().name == "plugins"
    assert paths.data_folder() is None


def test_every_kernel_file_can_be_read() -> None:
    names = resources.kernel_names()
    assert names == sorted(names)
    assert names
    for name in names:
        assert resources.kernel_text(name).strip(), name


@pytest.mark.parametrize("folder", ["networks", "experiments"])
def test_every_resource_is_json(folder: str) -> None:
    names = resources.resource_names(folder)
    assert names
    for name in names:
        text = resources.resource_path(folder, f"{name}.json").read_text(encoding="utf-8")
        assert isinstance(json.loads(text), dict), name


def test_a_missing_folder_says_what_to_do() -> None:
    with pytest.raises(FileNotFoundError, match="reinstall the workbench"):
        resources._folder("no-such-folder")

"""Files of the cache: whole, about the same thing, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from workbench.core.cache_file import CacheFile

FILE = CacheFile("things", "some:0-A", {"driver": "1.0"})
CONTENTS = {"numbers": [1, 2.5, None], "words": {"some": "thing"}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    return tmp_path / "things"


def test_what_is_written_is_read(folder: Path) -> None:
    assert FILE.read() is None
    FILE.write(CONTENTS)
    assert FILE.read() == CONTENTS
    FILE.write([])
    assert FILE.read() == []
    assert [path.name for path in folder.iterdir()] == ["some-0-.json"]


@pytest.mark.usefixtures("folder")
def test_what_is_about_something_else_is_not_read() -> None:
    FILE.write(CONTENTS)
    assert attrs.evolve(FILE, about={"driver": "1.1"}).read() is None
    assert FILE.read() == CONTENTS


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("thing", "other"),
        lambda _: "[" * 100_000,
        lambda _: "null",
        lambda text: json.dumps({**json.loads(text), "contents": 3}),
        lambda text: json.dumps({**json.loads(text), "sum": 3}),
        lambda _: "\udcff".encode("utf-8", "surrogateescape"),
    ],
)
def test_what_is_damaged_is_not_read(folder: Path, damage: Callable[[str], str | bytes]) -> None:
    FILE.write(CONTENTS)
    (path,) = folder.iterdir()
    damaged = damage(path.read_text())
    path.write_bytes(damaged if isinstance(damaged, bytes) else damaged.encode())
    assert FILE.read() is None
    FILE.write(CONTENTS)
    assert FILE.read() == CONTENTS


def test_where_nothing_can_be_written_nothing_is_kept(folder: Path) -> None:
    folder.write_text("in the way")
    FILE.write(CONTENTS)
    assert FILE.read() is None
    assert folder.read_text() == "in the way"

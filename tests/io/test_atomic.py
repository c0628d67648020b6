"""Whatever happens during a save, the old file or the new one is there, whole."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.io.here import fingerprint, read_here
from workbench.core.errors import SaveError
from workbench.io import ModelFile, load_model, save_model
from workbench.io.atomic import replace_file

Make = Callable[..., ModelFile]

ROOT = Path(__file__).parents[2]
#: The user id that owns nothing.
NOBODY = 65534

needs_root = pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="only root may mount and change users"
)
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def _temporaries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if ".tmp-" in path.name)


def _run(module: str, *args: object) -> list[str]:
    """Return the lines that a module of the tests writes."""
    result = subprocess.run(
        [sys.executable, "-m", module, *map(str, args)],
        cwd=ROOT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.fixture
def two_models(tmp_path: Path, make_model: Make) -> tuple[Path, Path]:
    """Return the paths of two different models of some 40 kB."""
    save_model(tmp_path / "old.h5", make_model(units=30))
    save_model(tmp_path / "new.h5", make_model(units=31))
    return tmp_path / "old.h5", tmp_path / "new.h5"


@pytest.fixture
def deaths(tmp_path: Path, two_models: tuple[Path, Path]) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function that kills savers and tells what each left behind."""
    (tmp_path / "folder").mkdir()

    def kill(how: str) -> list[dict[str, Any]]:
        lines = _run("tests.io.deaths", how, tmp_path / "folder", *two_models)
        return [json.loads(line) for line in lines]

    return kill


@needs_fork
def test_killed_at_each_step_of_a_save(
    tmp_path: Path, deaths: Callable[[str], list[dict[str, Any]]], make_model: Make
) -> None:
    found = deaths("steps")
    survivor = found.pop()
    assert survivor == {"died": False, "failed": False, "temporary": False, "state": "new"}
    assert len(found) > 30
    assert all(death["died"] for death in found)
    states = [death["state"] for death in found]
    renamed = states.index("new")
    assert states == ["old"] * renamed + ["new"] * (len(states) - renamed)
    present = [death["temporary"] for death in found]
    opened = present.index(True)
    # The temporary file is there from its creation to its renaming, and only then.
    assert present == [opened <= step < renamed for step in range(len(found))]
    print(f"killed at {len(found)} steps, {sum(present)} of them with the temporary file present")
    target = tmp_path / "folder" / "model.h5"
    save_model(target, make_model())
    assert load_model(target).verified
    assert _temporaries(target.parent) == []


@needs_fork
def test_killed_at_random_moments(
    tmp_path: Path, deaths: Callable[[str], list[dict[str, Any]]], make_model: Make
) -> None:
    found = deaths("moments")
    assert len(found) >= 50
    assert all(death["died"] for death in found)
    assert {death["state"] for death in found} <= {"old", "new"}
    with_temporary = sum(death["temporary"] for death in found)
    print(
        f"killed at {len(found)} moments, {with_temporary} of them with the temporary file present"
    )
    assert with_temporary >= 25
    target = tmp_path / "folder" / "model.h5"
    assert load_model(target).verified
    save_model(target, make_model())
    assert _temporaries(target.parent) == []


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace", "chmod"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS])
def test_a_failing_call_leaves_the_old_file(
    saved: Path, make_model: Make, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    before = saved.read_bytes()
    known, calls = getattr(os, call), 0

    def fail(*args: Any, **_: Any) -> Any:
        nonlocal calls
        calls += 1
        if call == "write" and calls == 1:
            return known(args[0], args[1][:1000])
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(SaveError) as failure:
            save_model(saved, make_model(units=9))
    assert calls
    assert f"{saved} could not be saved: {os.strerror(number)}." in failure.value.message
    assert failure.value.hint.endswith("what was there before is intact.")
    assert saved.read_bytes() == before
    assert _temporaries(saved.parent) == []


def test_a_disk_that_keeps_other_bytes_is_noticed(
    saved: Path, make_model: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()
    write = os.write

    def corrupt(handle: int, content: memoryview) -> int:
        return write(handle, bytes(content[:-1]) + bytes([content[-1] ^ 1]))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", corrupt)
        with pytest.raises(SaveError, match="differ from those written"):
            save_model(saved, make_model(units=9))
    assert saved.read_bytes() == before
    assert _temporaries(saved.parent) == []


def test_a_folder_that_cannot_be_flushed_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, calls = os.fsync, 0

    def refuse_folders(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError(errno.EINVAL, "not on this file system")
        fsync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse_folders)
        replace_file(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".", "directory"),
        ("missing/model.h5", "No such file"),
        ("file/model.h5", "Not a directory"),
        ("x" * 300 + ".h5", "too long"),
        ("x" * 250 + ".h5", "too long"),
        ("a\0b", "null"),
    ],
)
def test_an_impossible_place_is_named(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SaveError, match=reason) as failure:
        replace_file(f"{tmp_path}/{name}", b"new")
    assert failure.value.hint
    assert _temporaries(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return an empty file system of 200 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "none", str(folder)]
    result = subprocess.run(mount, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {result.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@needs_root
def test_a_full_disk_keeps_the_old_file(small_disk: Path, make_model: Make) -> None:
    target = small_disk / "model.h5"
    save_model(target, make_model())
    before = fingerprint(read_here(target))
    with pytest.raises(SaveError, match="No space left") as failure:
        save_model(target, make_model(units=900))
    assert "Free some space" in failure.value.hint
    assert fingerprint(read_here(target)) == before
    assert _temporaries(small_disk) == []
    save_model(target, make_model())


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder into which every user may look, for pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@needs_root
def test_a_user_without_permission_is_told_so(
    saved: Path, open_folder: Path, make_model: Make
) -> None:
    target = open_folder / "model.h5"
    save_model(target, make_model())
    before = target.read_bytes()
    writable = open_folder / "writable"
    writable.mkdir()
    writable.chmod(0o777)
    protected = writable / "protected.h5"
    protected.write_bytes(before)
    lines = _run("tests.io.unprivileged", NOBODY, saved, target, protected, writable / "mine.h5")
    refused = "could not be saved: Permission denied. Save to a folder in which you may write"
    assert lines[0].startswith(f"{target} {refused}")
    assert lines[1].startswith(f"{protected} {refused}")
    assert lines[2] == "saved"
    assert target.read_bytes() == protected.read_bytes() == before
    assert sorted(path.name for path in writable.iterdir()) == ["mine.h5", "protected.h5"]
    assert _temporaries(open_folder) == []


@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(saved: Path, make_model: Make) -> None:
    before = saved.read_bytes()
    saved.parent.chmod(0o555)
    try:
        with pytest.raises(SaveError, match="Permission denied"):
            save_model(saved, make_model(units=9))
    finally:
        saved.parent.chmod(0o755)
    assert saved.read_bytes() == before


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "target"
    target.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(target)
    replace_file(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)
    replace_file(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_temporaries_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as living:
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        names = {
            "of the dead": f"file.tmp-{dead.pid}-0",
            "of our number before us": f"file.tmp-{os.getpid()}-999999",
            "of the living": f"file.tmp-{living.pid}-0",
            "of another file": f"other.tmp-{dead.pid}-0",
            "of another kind": "file.tmp-mine",
        }
        for name in names.values():
            (tmp_path / name).write_bytes(b"part")
        replace_file(tmp_path / "file", b"new")
        living.communicate(b"\n")
    left = {what for what, name in names.items() if (tmp_path / name).exists()}
    assert left == {"of the living", "of another file", "of another kind"}


def test_threads_that_save_to_one_place_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([number]) * 50_000 for number in range(4)]
    failures: list[SaveError] = []

    def save(content: bytes) -> None:
        for _ in range(10):
            try:
                replace_file(path, content)
            except SaveError as failure:
                failures.append(failure)

    threads = [threading.Thread(target=save, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert path.read_bytes() in contents
    assert _temporaries(tmp_path) == []

"""MNIST comes from the user's folder, the cache or a mirror, and is checked in each case."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.conftest import idx_bytes, images, labels, write
from workbench.core.errors import DataError
from workbench.data import download
from workbench.data.loading import load
from workbench.data.sources import mnist as source
from workbench.spec.data import DataSpec

SMALL = {
    "train-images-idx3-ubyte": idx_bytes(images(60)),
    "train-labels-idx1-ubyte": idx_bytes(labels(60)),
    "t10k-images-idx3-ubyte": idx_bytes(images(10)),
    "t10k-labels-idx1-ubyte": idx_bytes(labels(10)),
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Path:
    """Let 70 random images stand for MNIST, none of it on this machine; return the cache."""
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in SMALL.items()}
    monkeypatch.setattr(source, "FILES", sums)
    monkeypatch.setattr(source, "TRAINING_ROWS", 50)
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)
    return cache / "mnist"


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """Serve a dict of path -> bytes on this machine, as two mirrors: /first/ and /second/."""
    files: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = files.get(self.path)
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    root = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(source, "MIRRORS", (f"{root}/first/", f"{root}/second/"))
    yield files
    server.shutdown()
    thread.join()
    server.server_close()


def serve(files: dict[str, bytes], mirror: str, **changed: bytes) -> None:
    for name, data in SMALL.items():
        files[f"/{mirror}/{name}.gz"] = gzip.compress(data)
    for name, data in changed.items():
        files[f"/{mirror}/{name.replace('_', '-')}-ubyte.gz"] = data


def test_the_real_files(mnist: Path) -> None:
    assert mnist.is_dir()
    data = load(DataSpec("mnist"))
    assert [len(s) for s in data.splits().values()] == [50_000, 10_000, 10_000]
    assert data.train.targets[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.test.targets[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert data.train.inputs.dtype == np.uint8
    assert data.train.inputs[0].sum() == 27_525
    assert load(DataSpec(str(mnist / "mnist"))).sha256 == data.sha256


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_the_users_folder_comes_first(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    for name, data in SMALL.items():
        write(tmp_path / "data" / "mnist" / f"{name}{suffix}", data)
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "data"))
    data = load(DataSpec("mnist"))
    assert [len(s) for s in data.splits().values()] == [50, 10, 10]
    assert not small.exists()


def test_files_in_the_users_folder_that_are_not_mnists(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "mnist" / "train-images-idx3-ubyte.gz", idx_bytes(images(60, seed=1)))
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    with pytest.raises(DataError, match="is not MNIST's train-images-idx3-ubyte: the SHA-256"):
        load(DataSpec("mnist"))
    assert not small.exists()


def test_a_download_is_checked_kept_and_reported(
    small: Path, mirror: dict[str, bytes], reports: Any
) -> None:
    seen, progress = reports
    serve(mirror, "first")
    data = load(DataSpec("mnist"), progress)
    assert [len(s) for s in data.splits().values()] == [50, 10, 10]
    assert sorted(p.name for p in small.iterdir()) == sorted(f"{name}.gz" for name in SMALL)
    size = len(mirror["/first/train-images-idx3-ubyte.gz"])
    assert ("downloading train-images-idx3-ubyte.gz", size, size) in seen
    mirror.clear()
    assert load(DataSpec("mnist")).sha256 == data.sha256


def test_the_next_mirror_is_tried(small: Path, mirror: dict[str, bytes]) -> None:
    serve(mirror, "second")
    serve(mirror, "first", train_images_idx3=gzip.compress(idx_bytes(images(60, seed=1))))
    del mirror["/first/t10k-images-idx3-ubyte.gz"]
    mirror["/first/t10k-labels-idx1-ubyte.gz"] = b"<html>Sign in</html>"
    data = load(DataSpec("mnist"))
    assert np.array_equal(data.train.inputs, images(60)[:50])
    assert len(list(small.iterdir())) == 4


def test_nothing_is_kept_of_a_file_that_is_wrong(small: Path, mirror: dict[str, bytes]) -> None:
    truncated = gzip.compress(SMALL["train-images-idx3-ubyte"])[:-100]
    for name in ("first", "second"):
        serve(mirror, name, train_images_idx3=truncated)
    with pytest.raises(DataError, match=r"cannot be downloaded .*truncated gzip") as caught:
        load(DataSpec("mnist"))
    assert str(small) in caught.value.hint
    assert not small.exists()


def test_a_damaged_cache_is_replaced(small: Path, mirror: dict[str, bytes]) -> None:
    serve(mirror, "first")
    whole = load(DataSpec("mnist"))
    path = small / "train-images-idx3-ubyte.gz"
    good = path.read_bytes()
    path.write_bytes(good[:-50])
    assert load(DataSpec("mnist")).sha256 == whole.sha256
    assert path.read_bytes() == good
    assert len(list(small.iterdir())) == 4


def test_offline_the_message_says_which_file_to_put_where(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: Any) -> bytes:
        raise ConnectionError

    monkeypatch.setattr(download, "fetch", unreachable)
    with pytest.raises(DataError) as caught:
        load(DataSpec("mnist"))
    said = str(caught.value)
    for part in ("train-images-idx3-ubyte.gz", str(small), "WORKBENCH_DATA", "digits"):
        assert part in said
    assert not small.exists()


def test_a_file_without_end_is_not_read_to_its_end(
    small: Path, mirror: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "LARGEST_DOWNLOAD_BYTES", 2**16)
    for name in ("first", "second"):
        serve(mirror, name, train_images_idx3=bytes(2**20))
    with pytest.raises(DataError, match="is longer than 65536 bytes"):
        load(DataSpec("mnist"))
    assert not small.exists()


def test_a_cache_that_cannot_be_written_is_no_obstacle(
    small: Path, mirror: dict[str, bytes]
) -> None:
    small.parent.parent.mkdir(parents=True, exist_ok=True)
    small.parent.write_text("a file where the folder should be")
    serve(mirror, "first")
    assert len(load(DataSpec("mnist")).train) == 50

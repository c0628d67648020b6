"""Damaged files are refused in time; none is ever taken for what it was not."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import h5py
import pytest

from tests.io.here import fingerprint, read_here
from workbench.core.errors import ModelFileError
from workbench.io import child, load_model

DAMAGED = sorted((Path(__file__).parent / "damaged").glob("*.h5"))

#: Files with one to three bytes changed, a third of them in the weights.
MUTATIONS = 300
#: Seconds after which a file is held to hang its reader, which needs a few milliseconds for it.
HANG_S = 5.0


@pytest.mark.parametrize("path", DAMAGED, ids=lambda path: path.stem)
def test_a_file_that_crashes_or_hangs_readers_is_refused_in_time(path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ModelFileError, match="is refused") as refusal:
        load_model(path)
    assert time.monotonic() - began < 12
    assert refusal.value.hint
    if path.stem == "good":
        assert "Conv2D" in refusal.value.message


def test_the_clock_ends_a_child_that_does_nothing(
    saved: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "idle.py"
    script.write_text("import threading; threading.Event().wait()")
    monkeypatch.setattr(child, "_SCRIPT", script)
    monkeypatch.setattr(child, "TIME_LIMIT_S", 0.5)
    with pytest.raises(ModelFileError, match="did not come to an end"):
        load_model(saved)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "reading it failed"),
        ("'x'", "reading it failed"),
        ("(1 << 40).to_bytes(8, 'little')", "no end"),
        ("(5).to_bytes(8, 'little') + b'[1,2]'", "cannot be listed"),
        ("(2).to_bytes(8, 'little') + b'{}'", "cannot be listed"),
        ("(16).to_bytes(8, 'little') + b'{\"objects\": [5]}'", "cannot be listed"),
        ("(4).to_bytes(8, 'little') + b'\\xff\\xff\\xff\\xff'", "cannot be listed"),
    ],
)
def test_the_word_of_a_child_gone_mad_is_not_taken(
    saved: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str, reason: str
) -> None:
    script = tmp_path / "mad.py"
    script.write_text(f"import sys; sys.stdout.buffer.write({answer})" if answer else "")
    monkeypatch.setattr(child, "_SCRIPT", script)
    with pytest.raises(ModelFileError, match=reason):
        load_model(saved)


def test_a_child_that_dies_between_the_phases_is_noticed(
    saved: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = Path(child._SCRIPT).read_text()
    script = tmp_path / "dying.py"
    script.write_text(
        text.replace("for wanted in json.loads", "return\n        for wanted in json.loads")
    )
    assert script.read_text() != text
    monkeypatch.setattr(child, "_SCRIPT", script)
    with pytest.raises(ModelFileError, match="reading it failed"):
        load_model(saved)


@pytest.mark.parametrize("kept", [0, 7, 8, 100, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(saved: Path, kept: float) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(kept if isinstance(kept, int) else kept * len(whole))])
    with pytest.raises(ModelFileError, match="is refused"):
        load_model(saved)


def _mutations(whole: bytes, arrays: list[tuple[int, int]]) -> list[bytes]:
    """Return copies of `whole` with one to three bytes changed; numbers lie in `arrays`."""
    chance = random.Random(20)
    in_arrays = [i for start, end in arrays for i in range(start, end)]
    others = sorted(set(range(len(whole))) - set(in_arrays))
    made = []
    for number in range(MUTATIONS):
        changed = bytearray(whole)
        for place in chance.sample(in_arrays if number % 3 == 0 else others, chance.randint(1, 3)):
            changed[place] ^= chance.randint(1, 255)
        made.append(bytes(changed))
    return made


def _read_all(paths: list[Path]) -> list[str]:
    """Return what became of each file; a new process goes on where one crashed or hung."""
    outcomes: list[str] = []
    while len(outcomes) < len(paths):
        rest = paths[len(outcomes) :]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.io.read_many", *rest],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            text=True,
        )
        assert process.stdout is not None
        with process.stdout as lines:
            first = True
            while len(outcomes) < len(paths):
                # The first line waits for the imports too.
                clock = threading.Timer(HANG_S + (30 if first else 0), process.kill)
                clock.start()
                line = lines.readline().strip()
                clock.cancel()
                clock.join()
                first = False
                if not line:
                    outcomes.append(f"ended {process.wait()}")
                    break
                outcomes.append(line)
        process.kill()
        process.wait()
    return outcomes


def test_no_mutation_loads_as_something_else(saved: Path, tmp_path: Path) -> None:
    whole = saved.read_bytes()
    with h5py.File(saved, "r") as file:
        found: list[h5py.Dataset] = []
        file.visititems(
            lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None
        )
        spans = [(d.id.get_offset(), d.id.get_offset() + d.nbytes) for d in found if d.nbytes]
    paths = []
    for number, content in enumerate(_mutations(whole, spans)):
        paths.append(tmp_path / f"{number}.h5")
        paths[-1].write_bytes(content)
    outcomes = _read_all([saved, *paths])
    original = f"loaded {fingerprint(read_here(saved))}"
    assert outcomes[0] == original
    kinds = Counter(outcome.split()[0] for outcome in outcomes[1:])
    print(f"{MUTATIONS} mutations: {dict(kinds)}")
    assert [outcome for outcome in outcomes if outcome.startswith("failed")] == []
    assert {outcome for outcome in outcomes if outcome.startswith("loaded")} == {original}
    # In the arrays every bit counts.
    assert not any(outcome.startswith("loaded") for outcome in outcomes[1::3])
    assert kinds["refused"] + kinds["ended"] > MUTATIONS // 3

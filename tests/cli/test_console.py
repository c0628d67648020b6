"""What is printed can be read by people and by programs."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from workbench.cli import console
from workbench.cli.console import Console, plain, print_json, print_table


def test_json_has_no_nan_and_no_arrays(capsys: pytest.CaptureFixture[str]) -> None:
    values = {
        "nan": math.nan,
        "infinite": [-math.inf, 1.5],
        "array": np.array([[1.0, np.nan]], np.float32),
        "whole": np.int64(3),
        "truth": np.bool_(True),
        "nothing": None,
        "inner": {"text": "x"},
    }
    print_json(values)
    assert json.loads(capsys.readouterr().out) == {
        "nan": None,
        "infinite": [None, 1.5],
        "array": [[1.0, None]],
        "whole": 3,
        "truth": True,
        "nothing": None,
        "inner": {"text": "x"},
    }


def test_numbers_keep_every_bit(capsys: pytest.CaptureFixture[str]) -> None:
    values = np.random.default_rng(1).standard_normal(50)
    print_json({"values": values})
    assert json.loads(capsys.readouterr().out)["values"] == values.tolist()


def test_what_json_does_not_know_is_not_guessed() -> None:
    assert isinstance(plain(1j), complex)
    with pytest.raises(TypeError):
        print_json({"complex": 1j})


def test_columns_are_flush_right(capsys: pytest.CaptureFixture[str]) -> None:
    print_table({"id": ["a", "bcd"], "value": ["10", "7"]})
    assert capsys.readouterr().out == " id  value\n  a     10\nbcd      7\n"


def test_lines_of_progress_are_occasional(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 100.0
    monkeypatch.setattr(console.time, "monotonic", lambda: now_s)
    with Console() as shown:
        for done in range(101):
            shown.progress("drawing", done, 100, "9 a second")
            now_s += 0.25
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert lines == [
        f"drawing, {p} %, 0:{round(0.25 * (100 - p)):02} left, 9 a second" for p in (20, 40, 60, 80)
    ] + ["drawing, 9 a second"]


def test_messages_are_not_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    long = "word " * 60 + "[not markup]"
    with Console() as shown:
        shown.message(long)
    assert capsys.readouterr().err == f"{long}\n"

"""What may be typed, what is answered to the rest, and how little that needs."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from workbench.cli.parser import VERBS, make_parser
from workbench.spec.training import TrainingSpec

#: Modules that take long to import; help must not wait for them.
SLOW = ("numpy", "h5py", "pyopencl", "PIL", "rich", "attrs", "cattrs", "pooch")
QT = ("PySide6", "pyqtgraph", "qtpy", "qtawesome")


def modules_after(program: str) -> set[str]:
    """Return the names of the modules that a program has imported when it ends."""
    code = f"import sys\ntry:\n    {program}\nexcept SystemExit: pass\n"
    code += "print('modules:', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.rpartition("modules:")[2].split())


def test_every_verb_has_a_module_and_help() -> None:
    actions = [a for a in make_parser()._actions if a.dest == "verb"]
    assert set(actions[0].choices or ()) == set(VERBS)
    for module in VERBS.values():
        assert callable(importlib.import_module(module).run)


def test_the_defaults_that_are_told_are_those_of_the_spec(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        make_parser().parse_args(["train", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
    defaults = {field.name: field.default for field in attrs.fields(TrainingSpec)}
    for option in ("epochs", "seed"):
        assert f"--{option} {defaults[option]}]" in page
    assert f"passes over the data ({defaults['epochs']})" in told
    assert f"data points in an iteration ({defaults['batch']})" in told
    assert f"--batch {defaults['batch']}|full]" in page


def test_help_needs_nothing_that_is_slow() -> None:
    imported = modules_after(
        "from workbench.__main__ import main; sys.argv = ['workbench', '--help']; main()"
    )
    assert "workbench.cli.parser" in imported
    assert not imported & {*SLOW, *QT}


def test_no_verb_needs_qt() -> None:
    names = ", ".join(VERBS.values())
    assert not modules_after(f"import {names}") & set(QT)


@pytest.mark.parametrize("verb", [[], *[[verb] for verb in VERBS]])
def test_help_is_printed(verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        make_parser().parse_args([*verb, "--help"])
    assert left.value.code == 0
    assert "usage: workbench" in capsys.readouterr().out


def test_without_a_verb_the_command_line_says_where_the_window_is(
    workbench: Callable[..., Any],
) -> None:
    done = workbench()
    assert (done.status, done.out) == (2, "")
    assert "--help" in done.err


@pytest.mark.parametrize(
    ("words", "quoted"),
    [
        (["fly"], "fly"),
        (["train", "--epocs", "3"], "--epocs"),
        (["train", "--epoch", "3"], "--epoch"),
        (["train", "--precision", "float16"], "float16"),
        (["evaluate"], "MODEL.h5"),
        (["evaluate", "m.h5", "--split", "half"], "half"),
        (["predict", "m.h5"], "IMAGE"),
        (["tutorial", "sigmoid"], "sigmoid"),
        (["import", "p.npz", "m.h5"], "--network"),
        (["devices", "--chek"], "--chek"),
    ],
)
def test_wrong_use_is_answered_in_two_sentences(
    workbench: Callable[..., Any], words: list[str], quoted: str
) -> None:
    done = workbench(*words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("workbench: ")
    assert quoted in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("name", ["missing.h5", "missing.HDF5", "folder.h5"])
@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_a_model_that_is_not_there_is_told_before_any_window(
    command: Callable[..., Any], tmp_path: Path, name: str, debug: list[str]
) -> None:
    (tmp_path / "folder.h5").mkdir()
    process = command(*debug, name, env={**os.environ, "QT_QPA_PLATFORM": "nonsense"})
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert repr(name) in err
    assert err.count("\n") == 1

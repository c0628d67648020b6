"""The examples run, learn something from a few images, and say what they learn from."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench.theano as theano

EXAMPLES = Path(__file__).parents[2] / "examples"

#: What one pass over 500 drawn digits has to reach: percent right, where guessing gives 10.
RIGHT = {"logistic": 50, "momentum_dropout": 45, "lenet": 25}


@pytest.fixture(autouse=True)
def _as_from_the_shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let examples import what lies beside them, on the default device, where MNIST is not."""
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)
    monkeypatch.syspath_prepend(EXAMPLES)
    theano.config.device = None
    before = theano.config.floatX
    yield
    theano.config.floatX = before
    sys.modules.pop("images", None)


def learnt(name: str, capsys: pytest.CaptureFixture[str]) -> float:
    main = runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]
    result = float(main(["--epochs", "1", "--limit", "500"]))
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith("MNIST was not found, so digits that the workbench draws: 500 images")
    assert last.endswith(" s")
    return result


@pytest.mark.parametrize("name", RIGHT)
def test_digits_are_told_apart(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert learnt(name, capsys) > RIGHT[name]


def test_images_are_given_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert learnt("denoising_autoencoder", capsys) < 0.5

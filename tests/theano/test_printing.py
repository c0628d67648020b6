"""Expressions as text, and values shown as they pass."""

from __future__ import annotations

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from workbench.core.errors import GraphError


def test_formulas() -> None:
    x, y = T.dmatrices("x", "y")
    assert theano.pp(x + y * 2) == "(x + (y * 2.0))"
    assert theano.printing.pprint(-T.tanh(x)) == "-tanh(x)"
    assert theano.pprint(x.sum(axis=0)) == "sum{axes=(0,), keepdims=False}(x)"


def test_trees() -> None:
    x, y = T.dvectors("x", "y")
    h = x + y
    text = theano.printing.debugprint(T.tanh(h) * h, file="str")
    assert text == (
        "mul [id A]\n |tanh [id B]\n | |add [id C]\n | | |x [id D]\n | | |y [id E]\n"
        " |add [id C]\n | |..."
    )
    assert theano.printing.debugprint([h], depth=1, ids="", print_type=True, file="str") == (
        "add <float64(?)>"
    )
    with pytest.raises(GraphError, match="debugprint got 'x'"):
        theano.printing.debugprint("x")


def test_a_function_shows_its_kernels(capsys: pytest.CaptureFixture[str]) -> None:
    x = T.vector("x")
    f = theano.function([x], T.tanh(x) * 2)
    theano.printing.debugprint(f)
    f([1, 2])
    theano.printing.debugprint(f)
    shown = capsys.readouterr().out
    assert "no plan yet" in shown
    assert "tanh(b0)" in shown


def test_values_are_shown_as_they_pass(capsys: pytest.CaptureFixture[str]) -> None:
    x = T.vector("x")
    watched = theano.printing.Print("x is", attrs=["__str__", "shape"])(x * 2)
    f = theano.function([x], [watched.sum(), T.grad((watched**2).sum(), x)])
    for value in ([1.0, 2.0], [3.0]):
        total, slope = f(value)
        assert total == 2 * sum(value)
        np.testing.assert_array_equal(slope, 8 * np.array(value))
    assert capsys.readouterr().out.splitlines() == [
        "x is __str__ = [2. 4.]",
        "x is shape = (2,)",
        "x is __str__ = [6.]",
        "x is shape = (1,)",
    ]

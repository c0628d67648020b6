"""Wrong programs: each message names the user's own line and the two things that do not fit."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from workbench.core.errors import GraphError

_HEAD = """\
import numpy as np
import workbench.theano as theano
import workbench.theano.tensor as T
"""

#: What is wrong: the program, whose lines that the message must name end with "#<", and what else
#: the message must say.
PROGRAMS: dict[str, tuple[str, list[str]]] = {
    "shared variable among the inputs": (
        """
w = theano.shared(np.zeros(3), 'w')  #<
theano.function([w], w.sum())
""",
        ["w of type float64(?)", "shared", "givens"],
    ),
    "shapes that do not fit": (
        """
x = T.vector('x')  #<
y = T.vector('y')  #<
z = x + y  #<
theano.function([x, y], z)([1, 2], [1, 2, 3])
""",
        ["add", "(2,) and (3,)", "x of type", "y of type"],
    ),
    "matrices that do not fit": (
        """
x = T.matrix('x')  #<
w = theano.shared(np.zeros((3, 2)), 'w')  #<
p = T.dot(x, w)  #<
theano.function([x], p)(np.zeros((2, 4)))
""",
        ["dot", "(2, 4) and (3, 2)", "4 columns meet 3 rows"],
    ),
    "an axis of length 1 that does not stretch": (
        """
x = T.matrix('x')  #<
y = T.matrix('y')  #<
z = x * y  #<
theano.function([x, y], z)(np.zeros((3, 1)), np.zeros((3, 5)))
""",
        ["mul", "(3, 1) and (3, 5)", "broadcastable"],
    ),
    "an argument of another dtype": (
        """
y = T.ivector('y')  #<
theano.function([y], y.sum())(np.array([0.5, 1.5]))
""",
        ["y of type int32(?)", "float64", "numpy.asarray(value, 'int32')"],
    ),
    "an argument with another number of axes": (
        """
x = T.matrix('x')  #<
theano.function([x], x.sum())([1.0, 2.0])
""",
        ["x of type float64(?, ?)", "shape (2,)", "2 axes"],
    ),
    "a missing argument": (
        """
x = T.vector('x')
y = T.vector('y')  #<
f = theano.function([x, y], x * y, name='product')  #<
f([1.0])
""",
        ["'product'", "no value for y of type float64(?)"],
    ),
    "an argument of an unknown name": (
        """
x = T.vector('x')
f = theano.function([x], x * 2)  #<
f(z=[1.0])
""",
        ["'z'", "Names: x"],
    ),
    "an unused input": (
        """
x = T.vector('x')
y = T.vector('y')  #<
theano.function([x, y], x * 2)
""",
        ["y of type", "on_unused_input='ignore'"],
    ),
    "a missing input": (
        """
x = T.vector('x')  #<
y = T.vector('y')
z = x * y  #<
theano.function([y], z)
""",
        ["No value is given for x", "mul(...) of type float64(?)", "inputs or givens"],
    ),
    "a disconnected gradient": (
        """
x = T.vector('x')
w = theano.shared(np.zeros(3), 'w')  #<
cost = x.sum()  #<
T.grad(cost, w)
""",
        ["sum(...)", "does not depend on w", 'disconnected_inputs="ignore"'],
    ),
    "a gradient through positions": (
        """
w = theano.shared(np.zeros(3), 'w')  #<
cost = T.cast(T.argmax(w), 'float64')
T.grad(cost, w)
""",
        ["w of type", "argmax", "passes no derivative on"],
    ),
    "a cost that is no scalar": (
        """
x = T.vector('x')
cost = x ** 2  #<
T.grad(cost, x)
""",
        ["float scalar", "of type float64(?)", "mean() or sum()"],
    ),
    "a gradient by integers": (
        """
n = T.ivector('n')  #<
cost = (n * 0.5).sum()
T.grad(cost, n)
""",
        ["n of type int32(?)", "floats"],
    ),
    "an update of a variable that is not shared": (
        """
x = T.vector('x')  #<
theano.function([x], x.sum(), updates=[(x, x + 1)])
""",
        ["x of type", "not a shared variable", "shared()"],
    ),
    "an update of another dtype": (
        """
w = theano.shared(np.zeros(3, 'float32'), 'w')  #<
step = T.dvector('step')
new = w + step  #<
theano.function([step], [], updates={w: new})
""",
        ["w of type float32(?)", "add(...) of type float64(?)", "cast()"],
    ),
    "an update of another shape": (
        """
w = theano.shared(np.zeros(3), 'w')  #<
x = T.vector('x')  #<
theano.function([x], [], updates=[(w, x)])([1.0, 2.0])
""",
        ["w of type", "(2,) instead of (3,)", "x of type"],
    ),
    "updates that are no pairs": (
        """
w = theano.shared(np.zeros(3), 'w')  #<
theano.function([], [], updates=[w, w + 1])
""",
        ["w of type", "no pair", "[(variable, value), ...]"],
    ),
    "givens of another type": (
        """
y = T.ivector('y')  #<
data = theano.shared(np.zeros(3), 'data')  #<
theano.function([], y.sum(), givens={y: data})
""",
        ["data of type float64(?)", "y of type int32(?)", "cast()"],
    ),
    "an input in givens": (
        """
x = T.vector('x')  #<
data = theano.shared(np.zeros(3), 'data')
theano.function([x], x.sum(), givens={x: data})
""",
        ["x of type", "both an input and in givens"],
    ),
    "an index out of range": (
        """
x = T.vector('x')
i = T.lscalar('i')  #<
row = x[i]  #<
theano.function([x, i], row)([1.0, 2.0, 3.0], 5)
""",
        ["Index 5", "length 3", "i of type int64()"],
    ),
    "an axis that is not there": (
        """
x = T.matrix('x')  #<
x.sum(axis=2)
""",
        ["axis 2", "x of type float64(?, ?)", "2 axes"],
    ),
    "a choice by a variable": (
        """
x = T.scalar('x')
positive = x > 0  #<
y = x if positive else -x
""",
        ["gt(...) of type bool()", "switch()"],
    ),
    "a shared variable that starts with an expression": (
        """
x = T.vector('x')  #<
w = theano.shared(x)
""",
        ["x of type", "no value yet"],
    ),
    "a value of another dtype for a shared variable": (
        """
n = theano.shared(np.zeros(3, 'int32'), 'n')  #<
n.set_value(np.array([0.5, 1.5, 2.5]))
""",
        ["n of type int32(?)", "float64"],
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_wrong_program_is_told_what_and_where(name: str, tmp_path: Path) -> None:
    program, parts = PROGRAMS[name]
    text = _HEAD + program
    path = tmp_path / "program.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GraphError) as caught:
        runpy.run_path(str(path))
    message = str(caught.value)
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.endswith("#<")]
    assert lines
    for part in (*parts, *(f"program.py, line {n}" for n in lines)):
        assert part in message
    assert caught.value.hint

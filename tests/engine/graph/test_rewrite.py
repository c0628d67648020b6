"""Rewrites: stable forms, simpler forms, and what they leave alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from workbench.engine.graph import ops  # noqa: F401 - registers the functions
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.origin import made_by
from workbench.engine.graph.rewrite import expand_composites, rewrite, stabilise, substitute
from workbench.engine.graph.rules import SIMPLIFYING, STABILISING, Rule
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import FUNCTIONS, Constant, Variable

_T = {name: FUNCTIONS[name] for name in ("log", "log1p", "exp", "ones_like", "arange", "switch")}


def _variable(name: str, ndim: int, dtype: str = "float64") -> Variable:
    return Variable(TensorType(dtype, (False,) * ndim), None, name)


def _names(*outputs: Variable) -> list[str]:
    """Return the operations below `outputs`, inputs first."""
    return [v.owner.op.name for v in topological(outputs) if v.owner is not None]


_LOW = np.array([[-900.0, 0.0, 2.0], [800.0, 1.0, -1.0]])
_STABLE: list[tuple[str, Callable[[Variable], Variable], Callable[[np.ndarray], Any]]] = [
    ("log softmax", lambda x: x.softmax().log(), lambda x: x - _log_sum(x)),
    ("log of a row", lambda x: x.softmax()[1].log(), lambda x: (x - _log_sum(x))[1]),
    ("log of transposed", lambda x: x.softmax().T.log(), lambda x: (x - _log_sum(x)).T),
    (
        "log of labels",
        lambda x: x.softmax()[_T["arange"](2), [0, 2]].log(),
        lambda x: (x - _log_sum(x))[[0, 1], [0, 2]],
    ),
    ("log sigmoid", lambda x: x.sigmoid().log(), lambda x: -_softplus(-x)),
    ("log of sigmoids", lambda x: x.sigmoid()[:, ::2].log(), lambda x: -_softplus(-x)[:, ::2]),
    ("log 1 - sigmoid", lambda x: (1 - x.sigmoid()).log(), lambda x: -_softplus(x)),
    (
        "log ones - sigmoid",
        lambda x: (_T["ones_like"](x) - x.sigmoid()).log(),
        lambda x: -_softplus(x),
    ),
    (
        "log 1 - moved sigmoid",
        lambda x: (1 - x.sigmoid().flatten())[1:].log(),
        lambda x: -_softplus(x).ravel()[1:],
    ),
    ("log 1 + exp", lambda x: (1 + x.exp()).log(), lambda x: _softplus(x)),
    ("log exp + 1", lambda x: (x.exp() + 1).log(), lambda x: _softplus(x)),
    ("log1p exp", lambda x: x.exp().log1p(), lambda x: _softplus(x)),
]
_TINY = np.array([[1e-20, -3e-20, 2e-19]])
_STABLE_TINY: list[tuple[str, Callable[[Variable], Variable], Callable[[np.ndarray], Any]]] = [
    ("log 1 + x", lambda x: (1 + x).log(), lambda x: x),
    ("log x + 1", lambda x: (x + 1.0).log(), lambda x: x),
    ("log 1 - x", lambda x: (1 - x).log(), lambda x: -x),
    ("exp - 1", lambda x: x.exp() - 1, lambda x: x),
]


def _log_sum(x: np.ndarray) -> np.ndarray:
    top = x.max(-1, keepdims=True)
    return np.asarray(top + np.log(np.exp(x - top).sum(-1, keepdims=True)))


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, x)


@pytest.mark.parametrize(
    ("build", "wanted", "at"),
    [pytest.param(b, w, _LOW, id=name) for name, b, w in _STABLE]
    + [pytest.param(b, w, _TINY, id=name) for name, b, w in _STABLE_TINY],
)
def test_unstable_forms_become_exact(
    build: Callable[[Variable], Variable], wanted: Callable[[np.ndarray], Any], at: np.ndarray
) -> None:
    """Where the expression as written overflows or cancels, its rewritten form is exact."""
    x = _variable("x", 2)
    written = build(x)
    (stable,) = stabilise([written])
    got, before = evaluate([stable, written], {x: at})
    np.testing.assert_allclose(got, wanted(at), rtol=1e-12, atol=0)
    assert not np.allclose(before, wanted(at), rtol=1e-12, atol=0)


def test_a_sum_over_stretched_ones_keeps_its_shape() -> None:
    """``log(1 + x)`` with a matrix of ones and a row `x` is a matrix."""
    x = Variable(TensorType("float64", (True, False)), None, "x")
    y = _variable("y", 2)
    written = (_T["ones_like"](y) + x).log()
    (stable,) = stabilise([written])
    values = {x: np.array([[1.0, 2.0]]), y: np.zeros((3, 2))}
    np.testing.assert_allclose(*evaluate([stable, written], values))


def test_kept_variables_are_not_looked_through() -> None:
    x = _variable("x", 2)
    p = x.softmax()
    (kept,) = stabilise([p.log()], keep=[p])
    assert _names(kept) == ["softmax", "log"]
    assert any(v is p for v in topological([kept]))
    (free,) = stabilise([p.log()])
    assert _names(free) == ["log_softmax"]


_SIMPLER: list[tuple[str, Callable[[Variable], Variable], list[str]]] = [
    ("times one", lambda x: x * 1, []),
    ("one times", lambda x: 1 * x, []),
    ("over one", lambda x: x / 1, []),
    ("plus zero", lambda x: x + 0, []),
    ("zero plus", lambda x: 0 + x, []),
    ("minus zero", lambda x: x - 0, []),
    ("minus minus", lambda x: x.neg().neg(), []),
    ("ones times", lambda x: x * _T["ones_like"](x), []),
    ("transposed twice", lambda x: x.T.T, []),
    ("two dimshuffles", lambda x: x.dimshuffle(1, 0, "x").dimshuffle(0, "x", 1), ["dimshuffle"]),
    ("constant choice", lambda x: _T["switch"](Constant(np.array(True)), x, 2 * x), []),
    ("kept and dropped", lambda x: x.sum(axis=1, keepdims=True).dimshuffle(0), ["sum"]),
    ("whole slice", lambda x: x[:], []),
    ("sum over nothing", lambda x: x.sum(axis=()), []),
    ("cast to itself", lambda x: x.astype("float64"), []),
]


@pytest.mark.parametrize(
    ("build", "names"), [pytest.param(b, n, id=name) for name, b, n in _SIMPLER]
)
def test_simpler_forms(build: Callable[[Variable], Variable], names: list[str]) -> None:
    x = _variable("x", 2)
    written = build(x)
    (simple,) = stabilise([written])
    assert _names(simple) == names
    value = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(*evaluate([simple, written], {x: value}))


def test_neutral_elements_that_change_the_type_stay() -> None:
    x = _variable("x", 1, "float32")
    wide = x * np.float64(1)
    (simple,) = stabilise([wide])
    assert simple.dtype == "float64"
    row = _variable("row", 1)
    stretched = row + _T["ones_like"](_variable("m", 2)) * 0
    assert stabilise([stretched])[0].ndim == 2


def test_what_no_rule_touches_is_shared() -> None:
    x = _variable("x", 2)
    h = x.tanh()
    untouched, changed = stabilise([h.sum(), h.sqr() * 1])
    assert any(v is h for v in topological([untouched]))
    assert any(v is h for v in topological([changed]))
    assert stabilise([h]) == [h]


def test_names_and_origins_survive() -> None:
    x = _variable("x", 2)
    with made_by(3, "softmax"):
        p = x.softmax()
    p.name = "P"
    with made_by(4, "cost"):
        cost = p.log() * 1
    cost.name = "LL"
    (stable,) = expand_composites(stabilise([cost]))
    assert {v.origin.layer for v in topological([stable]) if v.owner is not None} == {4}
    (spelled,) = expand_composites([p])
    assert spelled.name == "P"
    assert {v.origin.layer for v in topological([spelled]) if v.owner is not None} == {3}
    y = _variable("y", 2)
    (moved,) = substitute([p], {x: y})
    assert moved.name == "P"
    assert moved.origin.layer == 3


def test_substitute() -> None:
    x, y = _variable("x", 1), _variable("y", 1)
    total, other = (x * 2).sum(), y.sum()
    first, second = substitute([total, other], {x: x + y})
    assert second is other
    (value,) = evaluate([first], {x: np.ones(3), y: np.full(3, 10.0)})
    assert float(value) == 66


def test_lengths_follow_a_substitution() -> None:
    x, data = _variable("x", 2), _variable("data", 2)
    (mean,) = substitute([x.tanh().mean()], {x: data})
    assert not any(v is x for v in topological([mean]))


@pytest.mark.parametrize("rule", [*STABILISING, *SIMPLIFYING], ids=lambda rule: rule.__name__)
def test_every_rule_is_used_and_says_what_it_does(rule: Rule) -> None:
    """Each rule fires on one of the forms above; it is dead weight otherwise."""
    assert rule.__doc__
    fired = []

    def watched(variable: Variable, owner: Any) -> Variable | None:
        result = rule(variable, owner)
        fired.append(result is not None)
        return result

    others = [r for r in (*STABILISING, *SIMPLIFYING) if r is not rule]
    x = _variable("x", 2)
    forms = [b(x) for _, b, _ in (*_STABLE, *_STABLE_TINY, *_SIMPLER)]
    # Rules that follow others, or that casts and folded arguments of other dtypes call for.
    forms += [x + x * Constant(np.array(2.0)) * x.sum().zeros_like(), _folded(), _cast()]
    rewrite(forms, [watched, *others])
    assert any(fired)


def _folded() -> Variable:
    """Return arithmetic on constants alone, as a substitution leaves it."""
    n = _variable("n", 0)
    (folded,) = substitute([n * n], {n: Constant(np.array(3.0))})
    return folded


def _cast() -> Variable:
    n = _variable("n", 0)
    (cast,) = substitute([n.astype("int64")], {n: Constant(np.array(3.0))})
    return cast


def test_constants_fold_after_a_substitution() -> None:
    for variable, wanted in ((_folded(), 9.0), (_cast(), 3)):
        (folded,) = stabilise([variable])
        assert isinstance(folded, Constant)
        assert folded.value == wanted

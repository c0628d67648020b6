"""Indexing against NumPy on random keys, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import GraphError, NotSupported
from workbench.engine.graph import ops  # noqa: F401 - registers the functions
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import FUNCTIONS, Variable

_SHAPE = (5, 1, 4)
_VALUE = np.arange(20.0).reshape(_SHAPE)


def _variable(name: str, ndim: int, dtype: str = "float64") -> Variable:
    return Variable(TensorType(dtype, (False,) * ndim), None, name)


def _bounds() -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(-7, 7)


def _slices() -> st.SearchStrategy[slice]:
    return st.builds(slice, _bounds(), _bounds(), st.none() | st.sampled_from([-3, -2, -1, 1, 2]))


@st.composite
def _keys(draw: st.DrawFn) -> tuple[Any, ...]:
    """Return an integer or a slice for some leading axes, with new axes and dots between."""
    key: list[Any] = [
        draw(st.integers(-n, n - 1) | _slices()) for n in _SHAPE[: draw(st.integers(0, 3))]
    ]
    for _ in range(draw(st.integers(0, 2))):
        key.insert(draw(st.integers(0, len(key))), None)
    if draw(st.booleans()):
        key.append(Ellipsis)
    return tuple(key)


@given(_keys())
@settings(max_examples=150, deadline=None)
def test_any_key_selects_what_numpy_selects(key: tuple[Any, ...]) -> None:
    x = _variable("x", 3)
    (got,) = evaluate([x[key]], {x: _VALUE})
    np.testing.assert_array_equal(got, _VALUE[key])


@given(_keys())
@settings(max_examples=80, deadline=None)
def test_any_key_is_set_and_increased_as_in_numpy(key: tuple[Any, ...]) -> None:
    x = _variable("x", 3)
    wanted = _VALUE.copy()
    wanted[key] = -1
    more = _VALUE.copy()
    more[key] += 100
    view = x[key]
    got = evaluate(
        [FUNCTIONS["set_subtensor"](view, -1), FUNCTIONS["inc_subtensor"](view, 100)], {x: _VALUE}
    )
    np.testing.assert_array_equal(got, [wanted, more])


@given(_bounds(), _bounds(), st.sampled_from([-2, -1, 1, 3]))
@settings(max_examples=80, deadline=None)
def test_symbolic_bounds_mean_what_numbers_mean(
    start: int | None, stop: int | None, step: int
) -> None:
    x, i, j = _variable("x", 3), _variable("i", 0, "int32"), _variable("j", 0, "int64")
    key = slice(None if start is None else i, None if stop is None else j, step)
    values = {x: _VALUE, i: np.int32(start or 0), j: np.int64(stop or 0)}
    (got,) = evaluate([x[key]], values)
    np.testing.assert_array_equal(got, _VALUE[start:stop:step])


def test_mini_batches() -> None:
    x, i = _variable("x", 3), _variable("i", 0, "int64")
    batch = x[i * 2 : (i + 1) * 2]
    for number in range(4):
        (got,) = evaluate([batch], {x: _VALUE, i: np.int64(number)})
        np.testing.assert_array_equal(got, _VALUE[number * 2 : (number + 1) * 2])


@given(
    st.lists(st.integers(-5, 4), min_size=1, max_size=4),
    st.sampled_from(["rows", "columns", "both", "matrix", "apart", "with an integer"]),
)
@settings(max_examples=60, deadline=None)
def test_integer_tensors_select_what_numpy_selects(rows: list[int], kind: str) -> None:
    x, i = _variable("x", 3), _variable("i", 1, "int32")
    r = np.array(rows, "int32")
    c = r % 4
    symbolic, plain = {
        "rows": (x[i], _VALUE[r]),
        "columns": (x[:, :, i % 4], _VALUE[:, :, c]),
        "both": (x[i, :, i % 4], _VALUE[r, :, c]),
        "matrix": (x[i.dimshuffle(0, "x"), 0, i % 4], _VALUE[r[:, None], 0, c]),
        "apart": (x[i, :, [0]], _VALUE[r, :, [0]]),
        "with an integer": (x[i, 0, ::-1], _VALUE[r, 0, ::-1]),
    }[kind]
    (got,) = evaluate([symbolic], {x: _VALUE, i: r})
    np.testing.assert_array_equal(got, plain)


@given(
    st.lists(st.integers(-5, 4), max_size=6),
    st.sampled_from(["rows", "columns", "both", "matrix", "apart", "sliced", "of an index"]),
)
@settings(max_examples=60, deadline=None)
def test_integer_tensors_set_and_increase_what_numpy_does(rows: list[int], kind: str) -> None:
    """Of several values for one element the last stays; all of them are added up."""
    x, i = _variable("x", 3), _variable("i", 1, "int32")
    r = np.array(rows, "int32")
    c = r % 4
    view, key = {
        "rows": (x[i], np.s_[r]),
        "columns": (x[:, :, i % 4], np.s_[:, :, c]),
        "both": (x[i, :, i % 4], np.s_[r, :, c]),
        "matrix": (x[i.dimshuffle(0, "x"), 0, i % 4], np.s_[r[:, None], 0, c]),
        "apart": (x[i, :, [2]], np.s_[r, :, [2]]),
        "sliced": (x[1:4, ::-1, i % 3], np.s_[1:4, ::-1, r % 3]),
        "of an index": (x[i, 0], np.s_[r, 0]),
    }[kind]
    values = np.arange(_VALUE[key].size).reshape(_VALUE[key].shape) + 100.0
    wanted, more = _VALUE.copy(), _VALUE.copy()
    wanted[key] = values
    np.add.at(more, key, values)
    set_subtensor, inc_subtensor = FUNCTIONS["set_subtensor"], FUNCTIONS["inc_subtensor"]
    got = evaluate([set_subtensor(view, values), inc_subtensor(view, values)], {x: _VALUE, i: r})
    np.testing.assert_array_equal(got[0], wanted)
    np.testing.assert_allclose(got[1], more, rtol=1e-12)


@pytest.mark.parametrize("index", [5, -6])
def test_an_integer_out_of_range_is_an_error_when_called(index: int) -> None:
    x, i = _variable("x", 3), _variable("i", 0, "int64")
    message = f"Index {index} is out of range for an axis of length 5, at .*test_indexing.py"
    with pytest.raises(GraphError, match=message):
        evaluate([x[index]], {x: _VALUE})
    with pytest.raises(GraphError, match=message):
        evaluate([x[i]], {x: _VALUE, i: np.int64(index)})
    with pytest.raises(GraphError, match=message):
        evaluate([x[[0, index]]], {x: _VALUE})


def test_index_tensors_that_do_not_fit() -> None:
    x, i, j = _variable("x", 3), _variable("i", 1, "int64"), _variable("j", 1, "int64")
    with pytest.raises(GraphError, match=r"\(2,\) and \(1,\)"):
        evaluate([x[i, j]], {x: _VALUE, i: np.array([1, 2]), j: np.array([0])})
    with pytest.raises(GraphError, match="out of range for an axis of length 0"):
        evaluate([x[i]], {x: _VALUE[:0], i: np.array([1, 2])})


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        ((0, 0, 0, 0), GraphError, "indexed with 4 indices"),
        (1.5, GraphError, "indexed with the constant 1.5"),
        ((Ellipsis, 0, Ellipsis), GraphError, "more than one Ellipsis"),
        (np.array([True, False]), NotSupported, "boolean mask"),
        (([0, 1], None), NotSupported, "None beside integer tensors"),
        (slice(0, 3, 0), GraphError, "the step 0"),
        (slice(0.5, 3), GraphError, "must be a 0-d integer"),
    ],
)
def test_keys_that_are_refused(key: Any, error: type[GraphError], message: str) -> None:
    x = _variable("x", 3)
    with pytest.raises(error, match=message) as caught:
        x[key]
    assert "x of type float64(?, ?, ?)" in str(caught.value) or isinstance(key, slice)


def test_a_symbolic_step_is_refused() -> None:
    x, i = _variable("x", 1), _variable("i", 0, "int64")
    with pytest.raises(GraphError, match="constant integer"):
        x[::i]


def test_setting_what_is_no_index_is_refused() -> None:
    x = _variable("x", 2)
    set_subtensor = FUNCTIONS["set_subtensor"]
    with pytest.raises(NotSupported, match="is not an index of a tensor"):
        set_subtensor(x + 1, 0)


def test_setting_a_wider_dtype_is_refused() -> None:
    x = _variable("x", 1, "float32")
    with pytest.raises(GraphError, match="Cast it to float32"):
        FUNCTIONS["set_subtensor"](x[:2], np.float64(1))
    assert FUNCTIONS["set_subtensor"](x[:2], 1.5).dtype == "float32"


def test_one_element_of_each_row_is_set() -> None:
    x, y = _variable("x", 2), _variable("y", 1, "int64")
    changed = FUNCTIONS["set_subtensor"](x[FUNCTIONS["arange"](x.shape[0]), y], 9)
    (got,) = evaluate([changed], {x: np.zeros((3, 2)), y: np.array([1, 0, -1])})
    np.testing.assert_array_equal(got, [[0, 9], [9, 0], [0, 9]])


def test_values_of_another_shape_are_refused_when_called() -> None:
    x, y = _variable("x", 2), _variable("y", 1)
    changed = FUNCTIONS["set_subtensor"](x[:2, 0], y)
    with pytest.raises(GraphError, match=r"\(3,\) to \(2,\)"):
        evaluate([changed], {x: np.zeros((3, 2)), y: np.zeros(3)})

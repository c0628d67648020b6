"""Every operation of the registry, on its own examples: no operation is named here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs
import numpy as np
import pytest

from workbench.core.resources import kernel_names, kernel_text
from workbench.engine.graph.check import verify_grad
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.examples import Example, examples, missing_kinds
from workbench.engine.graph.op import (
    Composite,
    Elementwise,
    Generated,
    Movement,
    Op,
    Piecewise,
    Read,
)
from workbench.engine.graph.ops.elementwise import ScalarOp
from workbench.engine.graph.ops.registry import OPS
from workbench.engine.graph.rewrite import expand_composites, stabilise
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.variable import Apply, Variable

_ALL = [(name, dtype) for name, entry in OPS.items() for dtype in entry.dtypes]
_TOLERANCE = {"float32": 2e-5, "float64": 1e-12}


def _close(got: np.ndarray, wanted: np.ndarray, what: str) -> None:
    assert got.shape == wanted.shape, what
    assert got.dtype == wanted.dtype, what
    tolerance = _TOLERANCE.get(got.dtype.name, 0)
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance, err_msg=what)


def _all_values(example: Example) -> tuple[list[Apply], dict[int, np.ndarray]]:
    """Return every application of an example and the value of every variable in it."""
    inputs = example.inputs()
    order = topological([example.build(*inputs)])
    values = evaluate(order, dict(zip(inputs, example.arrays, strict=True)))
    known = {v.serial: value for v, value in zip(order, values, strict=True)}
    return [v.owner for v in order if v.owner is not None], known


def _given(apply: Apply, known: dict[int, np.ndarray]) -> list[np.ndarray]:
    op = apply.op
    return [known[v.serial] for i, v in enumerate(apply.inputs) if i not in op.shape_inputs]


@pytest.mark.parametrize(("name", "dtype"), _ALL)
def test_reference_agrees_with_numpy(name: str, dtype: str) -> None:
    """The value, dtype and shape of each example are those of plain NumPy."""
    for example in examples(name, dtype):
        inputs = example.inputs()
        output = example.build(*inputs)
        (got,) = evaluate([output], dict(zip(inputs, example.arrays, strict=True)))
        assert got.dtype == output.dtype
        function: Callable[..., Any] | None = example.numpy
        op = OPS[name].op
        if function is None:
            assert isinstance(op, ScalarOp), f"{name} needs a NumPy equivalent of its examples"
            function = op.numpy
        with np.errstate(all="ignore"):
            wanted = np.asarray(function(*example.arrays))
        if isinstance(op, ScalarOp):
            wanted = wanted.astype(op.result or dtype)
        _close(got, wanted, example.name)


@pytest.mark.parametrize(
    "name", [n for n, entry in OPS.items() if any(d.startswith("float") for d in entry.dtypes)]
)
def test_derivative_agrees_with_finite_differences(name: str) -> None:
    """Reverse mode gives the slope that central differences measure, broadcast inputs included."""
    rng = np.random.default_rng(20240)
    for example in examples(name, "float64"):
        floats = [t for t in example.types if t.is_float]
        if example.differentiable and floats and example.build(*example.inputs()).type.is_float:
            verify_grad(example.build, example.arrays, rng, example.types)


@pytest.mark.parametrize(("name", "dtype"), _ALL)
def test_rewritten_equals_as_written(name: str, dtype: str) -> None:
    """Stabilising, simplifying and spelling out composites change no value."""
    for example in examples(name, dtype):
        inputs = example.inputs()
        output = example.build(*inputs)
        rewritten = expand_composites(stabilise([output]))
        assert rewritten[0].type == output.type
        ops_left = [v.owner.op for v in topological(rewritten) if v.owner is not None]
        assert not any(isinstance(op, Composite) for op in ops_left)
        values = dict(zip(inputs, example.arrays, strict=True))
        (wanted,) = evaluate([output], values)
        (got,) = evaluate(rewritten, values)
        _close(got, wanted, example.name)


@attrs.frozen(eq=False)
class Component:
    """One component of the index of every element at once; it can do what kernels can, no more."""

    value: Any

    def __add__(self, other: Any) -> Component:
        return Component(self.value + _plain(other))

    def __radd__(self, other: Any) -> Component:
        return Component(_plain(other) + self.value)

    def __sub__(self, other: Any) -> Component:
        return Component(self.value - _plain(other))

    def __rsub__(self, other: Any) -> Component:
        return Component(_plain(other) - self.value)

    def __mul__(self, other: Any) -> Component:
        return Component(self.value * _plain(other))

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Component:
        return Component(self.value // _plain(other))

    def __mod__(self, other: Any) -> Component:
        return Component(self.value % _plain(other))


def _plain(component: Any) -> Any:
    return component.value if isinstance(component, Component) else component


def _everywhere(shape: tuple[int, ...]) -> tuple[Component, ...]:
    return tuple(Component(i) for i in np.indices(shape))


def _reader(arrays: list[np.ndarray]) -> Read:
    def read(position: int, index: tuple[Any, ...]) -> Component:
        return Component(arrays[position][tuple(_plain(i) for i in index)])

    return read


def _pick(array: np.ndarray, index: tuple[Any, ...], where: Any, shape: tuple[int, ...]) -> Any:
    """Return the elements of `array` at `index`, for those output elements that `where` marks."""
    chosen = array[tuple(np.broadcast_to(_plain(i), shape)[where] for i in index)]
    return np.broadcast_to(chosen, (np.count_nonzero(where),))


def _uses(kind: type[Op]) -> Iterator[tuple[str, str]]:
    """Yield the operations, in one dtype each, whose examples use an operation of this kind."""
    for name, entry in OPS.items():
        dtype = entry.dtypes[-1]
        for example in examples(name, dtype):
            order = topological([example.build(*example.inputs())])
            if any(v.owner is not None and isinstance(v.owner.op, kind) for v in order):
                yield name, dtype
                break


@pytest.mark.parametrize(("name", "dtype"), list(_uses(Movement)))
def test_movements_find_the_elements_of_the_reference(name: str, dtype: str) -> None:
    for example in examples(name, dtype):
        applies, known = _all_values(example)
        for apply in applies:
            op, wanted = apply.op, known[apply.output.serial]
            if not isinstance(op, Movement):
                continue
            arrays = _given(apply, known)
            shapes = [a.shape for a in arrays]
            index = _everywhere(wanted.shape)
            source = op.source_index(index, shapes, wanted.shape, _reader(arrays))
            assert len(source) == arrays[0].ndim, f"{op} in {example.name}"
            if wanted.size:
                whole = np.ones(wanted.shape, dtype=bool)
                got = _pick(arrays[0], source, whole, wanted.shape).reshape(wanted.shape)
                np.testing.assert_array_equal(got, wanted, f"{op} in {example.name}")


@pytest.mark.parametrize(("name", "dtype"), list(_uses(Piecewise)))
def test_pieces_are_those_of_the_reference(name: str, dtype: str) -> None:
    for example in examples(name, dtype):
        applies, known = _all_values(example)
        for apply in applies:
            op, wanted = apply.op, known[apply.output.serial]
            if not isinstance(op, Piecewise):
                continue
            arrays = _given(apply, known)
            index = _everywhere(wanted.shape)
            shapes = [a.shape for a in arrays]
            got, left = np.zeros_like(wanted), np.ones(wanted.shape, dtype=bool)
            pieces = op.pieces(index, shapes, wanted.shape, _reader(arrays))
            assert not pieces[-1][0], f"the last candidate of {op} has bounds"
            for bounds, position, source in pieces:
                here = left.copy()
                for low, component, high in bounds:
                    at = _plain(component)
                    here &= (_plain(low) <= at) & (at < _plain(high))
                got[here] = _pick(arrays[position], source, here, wanted.shape)
                left &= ~here
            np.testing.assert_array_equal(got, wanted, f"{op} in {example.name}")


@pytest.mark.parametrize(("name", "dtype"), _ALL)
def test_opencl_text_is_one_expression_of_known_functions(name: str, dtype: str) -> None:
    """Brackets close, every input is used or dropped knowingly, every wb_ function exists."""
    library = "".join(kernel_text(file) for file in kernel_names())
    for example in examples(name, dtype)[:3]:
        for apply in _all_values(example)[0]:
            op = apply.op
            dtypes = [v.dtype for v in (*apply.inputs, apply.output)]
            if isinstance(op, Elementwise):
                text = op.cl(dtypes, *(f"v{i}" for i in range(len(apply.inputs))))
            elif isinstance(op, Generated):
                index = [f"i{axis}" for axis in range(apply.output.ndim)]
                text = op.cl_at(index, (3,) * apply.output.ndim, dtypes, ["v0", "v1"])
            else:
                continue
            assert text.startswith("("), text
            assert text.count("(") == text.count(")"), text
            assert "{" not in text, text
            words = text.replace("(", " ").replace(")", " ").split()
            for word in words:
                assert not word.startswith("wb_") or f"{word}(" in library, word


def _leaf_classes(of: type) -> Iterator[type]:
    for child in of.__subclasses__():
        if child.__module__.startswith("workbench.engine.graph.ops"):
            yield from _leaf_classes(child)
            if not child.__subclasses__():
                yield child
        else:
            yield from _leaf_classes(child)


def test_every_operation_is_in_the_registry() -> None:
    registered = {e.op if isinstance(e.op, type) else type(e.op) for _, e in OPS.items()}
    missing = {c for c in _leaf_classes(Op) if attrs.has(c)} - registered
    assert not missing


@pytest.mark.parametrize("name", list(OPS))
def test_every_operand_is_tried_with_odd_empty_and_stretching_axes(name: str) -> None:
    assert not missing_kinds(name)


@pytest.mark.parametrize("name", list(OPS))
def test_examples_are_the_same_each_time_and_hashable(name: str) -> None:
    """Equal operations are one, so that equal sub-expressions can be found."""
    dtype = OPS[name].dtypes[-1]
    for first, second in zip(examples(name, dtype), examples(name, dtype), strict=True):
        for a, b in zip(first.arrays, second.arrays, strict=True):
            np.testing.assert_array_equal(a, b)
        inputs = first.inputs()
        one, other = topological([first.build(*inputs)]), topological([second.build(*inputs)])
        assert [_key(v) for v in one] == [_key(v) for v in other]


def _key(variable: Variable) -> Any:
    return None if variable.owner is None else (variable.owner.op, hash(variable.owner.op))

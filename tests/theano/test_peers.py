"""Others' results: expressions give what PyTensor gives, and convolutions what PyTorch does.

Neither is a dependency; docs/theano.md says how to run this file with them.
"""
# Builders take the namespace as ``T``, whether they need it or not.
# ruff: noqa: ARG005, N803

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as ours
from workbench.theano import config

#: Relative to the greatest element (or to 1), for values and derivatives.
TOLERANCE = {"float64": 1e-11, "float32": 2e-5}

Build = Callable[..., Any]
#: A name, what is built of a namespace and variables, and what these hold: random floats of a
#: shape, or the array given.
Case = tuple[str, Build, tuple[Any, ...]]

M, N, V, S, T3 = (3, 4), (4, 2), (4,), (), (2, 3, 4)
WHOLE = np.array([[-7, 3, 5], [8, -2, 9]], np.int64)
PARTS = np.array([[2, -3, 5], [-3, 5, 4]], np.int64)
ROWS = np.array([2, 0, -1, 2])
LABELS = np.array([3, 0, 1])
TIED = np.array([[0.0, 1.0, 1.0], [-1.0, 0.0, -1.0]])


def _elementwise() -> list[Case]:
    any_x = (
        "exp expm1 sin cos tan arctan sinh cosh tanh sgn sqr neg floor ceil round trunc abs_ "
        "arcsinh erf erfc isnan isinf"
    )
    positive = "log log1p log2 log10 sqrt inv"
    two = "add sub mul maximum minimum arctan2 lt le gt ge eq neq true_div"
    nnet = "sigmoid softplus softmax logsoftmax"
    return [
        *((n, lambda T, x, n=n: getattr(T, n)(x), (M,)) for n in any_x.split()),
        *((n, lambda T, x, n=n: getattr(T, n)(T.sqr(x) + 0.5), (M,)) for n in positive.split()),
        *((n, lambda T, x, n=n: getattr(T, n)(x / 3), (M,)) for n in ("arcsin", "arccos")),
        ("arctanh", lambda T, x: T.arctanh(x / 3), (M,)),
        ("arccosh", lambda T, x: T.arccosh(T.sqr(x) + 1.5), (M,)),
        *((n, lambda T, x, y, n=n: getattr(T, n)(x, y), (M, M)) for n in two.split()),
        *((f"{n} rows", lambda T, x, y, n=n: getattr(T, n)(x, y), (T3, V)) for n in two.split()),
        *((f"nnet.{n}", lambda T, x, n=n: getattr(T.nnet, n)(x), (M,)) for n in nnet.split()),
        *(
            (f"nnet.{n} far", lambda T, x, n=n: getattr(T.nnet, n)(x * 300), (M,))
            for n in nnet.split()
        ),
        ("pow", lambda T, x, y: T.pow(T.sqr(x) + 0.1, y), (M, M)),
        ("pow 3", lambda T, x: x**3, (M,)),
        ("pow -2", lambda T, x: x**-2, (M,)),
        # PyTensor takes the logarithm of a literal base in float32.
        ("pow of 2", lambda T, x: (2 + 0 * x) ** x, (M,)),
        ("int_div", lambda T, x, y: x // y, (WHOLE, PARTS)),
        ("mod", lambda T, x, y: x % y, (WHOLE, PARTS)),
        ("float int_div", lambda T, x, y: x // y, (M, M)),
        ("float mod", lambda T, x, y: x % y, (M, M)),
        ("true_div of integers", lambda T, x, y: x / y, (WHOLE, PARTS)),
        ("integer arithmetic", lambda T, x, y: x * y - x**2 + 3, (WHOLE, PARTS)),
        ("bits", lambda T, x, y: (x & y) | (x ^ 3) | ~y, (WHOLE, PARTS)),
        ("logic", lambda T, x, y: T.and_(x > 0, y > 0) | T.or_(x > 1, T.invert(y > 1)), (M, M)),
        ("clip", lambda T, x: T.clip(x, -0.5, 0.7), (M,)),
        ("switch", lambda T, x, y: T.switch(x > y, x, 2 * y), (M, M)),
        ("where row", lambda T, x, y: T.where(y > 0, x, -x), (M, V)),
        ("round halves", lambda T, x: T.round(x), (np.arange(-3, 4) / 2,)),
        ("cast down", lambda T, x: T.cast(x * 10, "int32"), (M,)),
        ("cast to bytes", lambda T, x: T.cast(x, "int8"), (WHOLE,)),
        ("astype", lambda T, x: (x.astype("float32") * 2).astype("float64"), (M,)),
        ("bool sum", lambda T, x: (x > 0).sum(axis=0), (M,)),
        ("max of ties", lambda T, x: T.max(x, axis=1), (TIED,)),
        ("min of ties", lambda T, x: T.min(x), (TIED,)),
        ("argmax of ties", lambda T, x: T.argmax(x, axis=1), (TIED,)),
        ("sigmoid crossentropy", lambda T, x: T.log(1 - T.nnet.sigmoid(x)), (M,)),
        ("log of softmax", lambda T, x: T.log(T.nnet.softmax(x * 9)), (M,)),
        ("log(1 + exp)", lambda T, x: T.log(1 + T.exp(x * 20)), (M,)),
    ]  # fmt: skip


def _reductions() -> list[Case]:
    folds = "sum prod mean var std max min argmax argmin"
    return [
        *(
            (f"{n} {axis}", lambda T, x, n=n, axis=axis: getattr(T, n)(x, axis=axis), (T3,))
            for n in folds.split()
            for axis in (None, 0, -1, (0, 2))
            if not (n.startswith("arg") and isinstance(axis, tuple))
        ),
        *(
            (f"{n} kept", lambda T, x, n=n: x * getattr(T, n)(x, axis=1, keepdims=True), (T3,))
            for n in folds.split()
        ),
        ("any", lambda T, x: T.any(x > 1, axis=1), (M,)),
        ("all", lambda T, x: T.all(x > -1, axis=0), (M,)),
        *((f"cumsum {a}", lambda T, x, a=a: T.cumsum(x, axis=a), (T3,)) for a in (None, 0, 2)),
        ("max_and_argmax", lambda T, x: T.max_and_argmax(x, axis=1)[0], (M,)),
        ("var ddof", lambda T, x: x.var(axis=0, ddof=1), (M,)),
        ("sum of integers", lambda T, x: T.sum(x, axis=0), (WHOLE,)),
        ("mean of integers", lambda T, x: T.mean(x), (WHOLE,)),
        ("norm", lambda T, x: T.sqrt(T.sqr(x).sum(axis=1)), (M,)),
        ("sum of nothing", lambda T, x: T.sum(x, axis=0), ((0, 3),)),
        ("prod of nothing", lambda T, x: T.prod(x, axis=0), ((0, 3),)),
        ("prod with a zero", lambda T, x: T.prod(x, axis=1), (np.array([[2.0, 0.0, 3.0]]),)),
    ]


def _shapes() -> list[Case]:
    def chosen(T: Any, x: Any, y: Any) -> Any:
        return T.log(T.nnet.softmax(x))[T.arange(3), y]

    return [
        ("dot", lambda T, x, y: T.dot(x, y), (M, N)),
        ("dot matrix vector", lambda T, x, y: T.dot(x, y), (M, V)),
        ("dot vector matrix", lambda T, x, y: T.dot(x, y), (V, N)),
        ("dot vectors", lambda T, x, y: T.dot(x, y), (V, V)),
        ("dot of more axes", lambda T, x, y: T.dot(x, y), (T3, N)),
        ("tensordot", lambda T, x, y: T.tensordot(x, y, axes=[[1, 2], [0, 1]]), (T3, M)),
        ("tensordot 1", lambda T, x, y: T.tensordot(x, y, axes=1), (T3, N)),
        ("batched_dot", lambda T, x, y: T.batched_dot(x, y), (T3, (2, 4, 2))),
        ("outer", lambda T, x, y: T.outer(x, y), (V, (3,))),
        ("reshape", lambda T, x: T.reshape(x, (4, 6)), (T3,)),
        ("reshape -1", lambda T, x: x.reshape((x.shape[0], -1)), (T3,)),
        ("flatten", lambda T, x: T.flatten(x), (T3,)),
        ("flatten 2", lambda T, x: x.flatten(2), (T3,)),
        ("dimshuffle", lambda T, x: x.dimshuffle(2, "x", 0, 1), (T3,)),
        ("transpose", lambda T, x: x.T, (T3,)),
        ("transpose of axes", lambda T, x: T.transpose(x, (1, 2, 0)), (T3,)),
        ("swapaxes", lambda T, x: x.swapaxes(0, 2), (T3,)),
        ("shape_padleft", lambda T, x: T.shape_padleft(x, 2), (M,)),
        ("shape_padright", lambda T, x: T.shape_padright(x), (M,)),
        ("repeat", lambda T, x: T.repeat(x, 3, axis=1), (M,)),
        ("repeat flat", lambda T, x: T.repeat(x, 2), (M,)),
        ("tile", lambda T, x: T.tile(x, (2, 3)), (M,)),
        ("concatenate", lambda T, x, y: T.concatenate([x, y], axis=1), (M, (3, 2))),
        ("join", lambda T, x, y: T.join(0, x, y), (M, (2, 4))),
        ("stack", lambda T, x, y: T.stack([x, y]), (M, M)),
        ("stack last", lambda T, x, y: T.stack([x, y], axis=2), (M, M)),
        ("split", lambda T, x: T.split(x, [1, 3], n_splits=2, axis=1)[1], (M,)),
        ("arange", lambda T, x: x * T.arange(1, 9, 2), (M,)),
        ("zeros and ones", lambda T, x: x * T.zeros((3, 4)) + T.ones((4,)) * T.ones_like(x), (M,)),
        ("zeros_like", lambda T, x: T.zeros_like(x) + T.fill(x, 3.0), (M,)),
        ("eye", lambda T, x: x * T.eye(3, 4, 1), (M,)),
        ("diag of a matrix", lambda T, x: T.diag(x), (M,)),
        ("diag of a vector", lambda T, x: T.diag(x), (V,)),
        ("alloc", lambda T, x: T.alloc(x, 2, 3, 4), (V,)),
        ("one hot", lambda T, y: T.extra_ops.to_one_hot(y, 5), (LABELS,)),
        ("shape", lambda T, x: x.shape[0] * x / x.shape[1], (M,)),
        ("row", lambda T, x: x[1], (M,)),
        ("negative", lambda T, x: x[-1, -2], (M,)),
        ("slices", lambda T, x: x[::-1, 1:3], (M,)),
        ("slice backwards", lambda T, x: x[2:0:-1, ::2], (M,)),
        ("slice beyond", lambda T, x: x[1:99, -99:2], (M,)),
        ("ellipsis", lambda T, x: x[..., 1], (T3,)),
        ("new axis", lambda T, x: x[:, None, 1:], (M,)),
        ("symbolic slice", lambda T, x, i: x[i : i + 2], (M, LABELS[2])),
        ("rows", lambda T, x, i: x[i], (M, ROWS)),
        ("columns", lambda T, x, i: x[:, i], (M, ROWS)),
        ("by label", lambda T, x, y: x[T.arange(y.shape[0]), y], (M, LABELS)),
        ("cross-entropy", lambda T, x, y: -T.mean(chosen(T, x, y)), (M, LABELS)),
        ("matrix of rows", lambda T, x, i: x[i], (M, np.array([[0, 1], [2, 2]]))),
        ("set row", lambda T, x, y: T.set_subtensor(x[1], y), (M, V)),
        ("set slice", lambda T, x, y: T.set_subtensor(x[:, 1:3], y), (M, S)),
        ("inc slice", lambda T, x, y: T.inc_subtensor(x[::2], y), (M, V)),
        ("set rows", lambda T, x, y: T.set_subtensor(x[[2, 0]], y), (M, (2, 4))),
        ("inc equal rows", lambda T, x, i, y: T.inc_subtensor(x[i], y), (M, ROWS, V)),
        ("inc places", lambda T, x, y: T.inc_subtensor(x[T.arange(3), y], 1.5), (M, LABELS)),
        ("second derivative", lambda T, x: T.grad(T.sum(T.tanh(x) ** 2), x), (M,)),
        ("derivative by label", lambda T, x, y: T.grad(chosen(T, x, y).sum(), x), (M, LABELS)),
        ("network", lambda T, x, w: T.nnet.softmax(T.dot(T.tanh(T.dot(x, w)), w.T)), (M, N)),
    ]  # fmt: skip


def _with(module: str, name: str, cases: Sequence[tuple[Any, ...]]) -> pytest.MarkDecorator:
    """Return the parametrisation by `cases`; by a reason to skip where `module` is missing."""
    missing = [pytest.param(None, id="none", marks=pytest.mark.skip(f"{name} is not installed"))]
    found = [pytest.param(case, id=case[0]) for case in cases] if find_spec(module) else missing
    return pytest.mark.parametrize("case", found)


class _Heir:
    """PyTensor under the names that Theano had."""

    names = {"inv": "reciprocal", "abs_": "abs", "logsoftmax": "log_softmax"}  # noqa: RUF012

    def __init__(self, *modules: Any) -> None:
        self._modules = modules

    def __getattr__(self, name: str) -> Any:
        wanted = self.names.get(name, name)
        return next(getattr(m, wanted) for m in self._modules if hasattr(m, wanted))


def _heir() -> _Heir:
    import pytensor
    from pytensor.tensor import extra_ops, special

    def by_rows(function: Build) -> Build:
        return lambda x: function(x, axis=-1)

    nnet = {n: by_rows(getattr(special, n)) for n in ("softmax", "log_softmax")}
    more = {"nnet": _Heir(SimpleNamespace(**nnet), pytensor.tensor), "grad": pytensor.grad}
    return _Heir(SimpleNamespace(**more), pytensor.tensor, extra_ops)


def _arrays(given: tuple[Any, ...], dtype: str) -> list[np.ndarray]:
    rng = np.random.default_rng(11)
    drawn = [rng.uniform(-2, 2, g) if isinstance(g, tuple) else g for g in given]
    return [
        np.asarray(a, dtype if a.dtype.kind == "f" else a.dtype) for a in map(np.asarray, drawn)
    ]


def _outputs(T: Any, build: Build, variables: list[Any]) -> list[Any]:
    """Return the expression, and the derivatives of a number that depends on all of it."""
    result = build(T, *variables)
    floats = [v for v in variables if v.dtype.startswith("float")]
    if not result.dtype.startswith("float") or not floats:
        return [result]
    return [result, *T.grad(T.sum(T.sin(result)), floats, disconnected_inputs="ignore")]


def _compare(found: list[np.ndarray], wanted: list[np.ndarray], dtype: str) -> None:
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape
        finite = np.abs(other[np.isfinite(other)])
        scale = max(1.0, float(finite.max(initial=0)))
        np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCE[dtype] * scale)


def _found(build: Build, arrays: list[np.ndarray]) -> list[np.ndarray]:
    inputs = [ours.TensorType(str(a.dtype), (False,) * a.ndim)() for a in arrays]
    outputs = _outputs(ours, build, inputs)
    return list(theano.function(inputs, outputs, on_unused_input="ignore")(*arrays))


@pytest.fixture(params=["reference", None], ids=["reference", "default"])
def _device(request: pytest.FixtureRequest) -> None:
    config.device = request.param


@pytest.mark.usefixtures("_device")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@_with("pytensor", "PyTensor", [*_elementwise(), *_reductions(), *_shapes()])
def test_expressions_agree_with_pytensor(case: Case, dtype: str) -> None:
    _, build, given = case
    import pytensor

    theirs = _heir()
    arrays = _arrays(given, dtype)
    other = [pytensor.tensor.tensor(dtype=str(a.dtype), shape=(None,) * a.ndim) for a in arrays]
    mode = pytensor.compile.Mode(linker="py", optimizer="fast_compile")
    wanted = pytensor.function(
        other, _outputs(theirs, build, other), on_unused_input="ignore", mode=mode
    )(*arrays)
    _compare(_found(build, arrays), wanted, dtype)


def _rows() -> list[tuple[str, ...]]:
    """Return the rows of the table of dtypes, each behind its name."""
    page = Path(__file__).parents[2] / "docs" / "typing.md"
    lines = [line for line in page.read_text("utf-8").splitlines() if line.startswith("| ")]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    return [(" ".join(row[:3]), *row) for row in rows if row[0] != "left"]


@pytest.mark.filterwarnings("ignore")
@_with("pytensor", "PyTensor", _rows())
def test_the_table_of_dtypes_tells_what_pytensor_does(case: tuple[str, ...]) -> None:
    import pytensor

    _, left, operation, right, result, _, said = case
    operands = [
        pytensor.tensor.tensor(dtype=text, shape=(None, None))
        if text[0].isalpha()
        else literal_eval(text)
        for text in (left, right)
        if text
    ]
    wanted = {"as here": result, "floatX": "float64"}.get(said, said)
    assert getattr(_heir(), operation)(*operands).dtype == wanted


#: The same expression for our language and for PyTorch.
Pair = tuple[str, Build, Build, tuple[Any, ...]]


def _convolutions() -> list[Pair]:
    cases: list[Pair] = []
    images, filters = (2, 3, 7, 6), (4, 3, 3, 3)
    pads = {"valid": (0, 0), "full": (2, 2), "half": (1, 1), "1": (1, 1), "(2, 0)": (2, 0)}
    for border, pad in pads.items():
        for stride in (1, 1), (2, 1), (2, 3):
            for flip in True, False:
                mode: Any = {"1": 1, "(2, 0)": (2, 0)}.get(border, border)
                options = {"border_mode": mode, "subsample": stride, "filter_flip": flip}

                def mine(T: Any, x: Any, w: Any, options: Any = options) -> Any:
                    return T.nnet.conv2d(x, w, **options)

                def theirs(
                    torch: Any,
                    x: Any,
                    w: Any,
                    pad: Any = pad,
                    stride: Any = stride,
                    flip: Any = flip,
                ) -> Any:
                    w = torch.flip(w, (2, 3)) if flip else w
                    return torch.nn.functional.conv2d(x, w, padding=pad, stride=stride)

                name = f"conv2d {border} by {stride} {'turned' if flip else 'as it is'}"
                cases.append((name, mine, theirs, (images, filters)))
    return cases


def _pools() -> list[Pair]:
    cases: list[Pair] = []
    for window in (2, 2), (3, 2):
        for stride in None, (1, 1), (2, 1), (3, 3):
            for pad in (0, 0), (1, 1):
                for mode in "max", "sum", "average_inc_pad", "average_exc_pad":
                    for partial in (False, True) if mode == "max" and pad == (0, 0) else (False,):
                        options = {
                            "ws": window, "stride": stride, "pad": pad, "mode": mode,
                            "ignore_border": not partial,
                        }  # fmt: skip

                        def mine(T: Any, x: Any, options: Any = options) -> Any:
                            return T.signal.pool.pool_2d(x, **options)

                        def theirs(torch: Any, x: Any, o: Any = options) -> Any:
                            place = {"kernel_size": o["ws"], "stride": o["stride"] or o["ws"]}
                            place |= {"padding": o["pad"], "ceil_mode": not o["ignore_border"]}
                            if o["mode"] == "max":
                                return torch.nn.functional.max_pool2d(x, **place)
                            size = {"divisor_override": 1} if o["mode"] == "sum" else {}
                            place["count_include_pad"] = o["mode"] != "average_exc_pad"
                            return torch.nn.functional.avg_pool2d(x, **place, **size)

                        name = f"{mode} of {window} by {stride} pad {pad}"
                        name += " with partial windows" if partial else ""
                        cases.append((name, mine, theirs, ((2, 3, 7, 6),)))
    return cases


def _units() -> list[Pair]:
    def functional(name: str, *more: Any) -> Build:
        return lambda torch, x: getattr(torch.nn.functional, name)(x, *more)

    return [
        ("relu", lambda T, x: T.nnet.relu(x), functional("relu"), (M,)),
        ("leaky relu", lambda T, x: T.nnet.relu(x, 0.2), functional("leaky_relu", 0.2), (M,)),
        ("elu", lambda T, x: T.nnet.elu(x, 1.5), functional("elu", 1.5), (M,)),
        (
            "hard_sigmoid",
            lambda T, x: T.nnet.hard_sigmoid(x * 2),
            lambda torch, x: torch.clamp(0.4 * x + 0.5, 0, 1),
            (M,),
        ),
        (
            "categorical_crossentropy by label",
            lambda T, x, y: T.nnet.categorical_crossentropy(T.nnet.softmax(x), y),
            lambda torch, x, y: torch.nn.functional.cross_entropy(x, y, reduction="none"),
            (M, LABELS),
        ),
        (
            "categorical_crossentropy of distributions",
            lambda T, x, y: T.nnet.categorical_crossentropy(T.nnet.softmax(x), T.nnet.softmax(y)),
            lambda torch, x, y: torch.nn.functional.cross_entropy(
                x, torch.softmax(y, 1), reduction="none"
            ),
            (M, M),
        ),
        (
            "binary_crossentropy",
            lambda T, x, y: T.nnet.binary_crossentropy(T.nnet.sigmoid(9 * x), T.nnet.sigmoid(y)),
            lambda torch, x, y: torch.nn.functional.binary_cross_entropy_with_logits(
                9 * x, torch.sigmoid(y), reduction="none"
            ),
            (M, M),
        ),
    ]


@pytest.mark.usefixtures("_device")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@_with("torch", "PyTorch", [*_convolutions(), *_pools(), *_units()])
def test_expressions_agree_with_pytorch(case: Pair, dtype: str) -> None:
    import torch

    _, mine, theirs, given = case
    arrays = _arrays(given, dtype)
    tensors = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    result = theirs(torch, *tensors)
    torch.sin(result).sum().backward()
    slopes = [t.grad for t in tensors if t.requires_grad]
    wanted = [np.asarray(t.detach()) for t in (result, *slopes)]
    _compare(_found(mine, arrays), wanted, dtype)

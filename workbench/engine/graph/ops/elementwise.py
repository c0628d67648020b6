"""Elementwise operations from their NumPy function, OpenCL expression and derivative.

Responsible for broadcasting, casting and registration, which all of them share; knows none of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.op import Elementwise, LengthSource
from workbench.engine.graph.ops.dimshuffle import Dimshuffle
from workbench.engine.graph.ops.registry import FLOATS, OPS, SAMPLED, Case, Sample, call, declare
from workbench.engine.graph.promotion import as_variable, common_dtype, float_dtype, join_flags
from workbench.engine.graph.types import C_TYPES, Shape, TensorType
from workbench.engine.graph.variable import FUNCTIONS, Constant, Variable

#: ``vjp(grad, output, *inputs)`` returns one derivative, or None, for each input.
Rule = Callable[..., Sequence[Variable | None]]
Template = str | Callable[[Sequence[str]], str]
Range = tuple[float, float]


class Aligned(Elementwise):
    """What all elementwise operations share: shapes and the sum over what was broadcast."""

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Broadcast; lengths other than 1 must agree."""
        try:
            return tuple(np.broadcast_shapes(*shapes))
        except ValueError:
            text = " and ".join(str(s) for s in shapes if s)
            raise GraphError(
                f"{self.name} got shapes that do not fit: {text}.",
                "Only axes of length 1 that are marked broadcastable stretch.",
            ) from None

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Look at an input that is not stretched."""
        return next(((v, axis) for v in inputs if v.ndim and not v.broadcastable[axis]), None)

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Apply the operation's own rule, then sum over the axes that were broadcast."""
        found = self.derivatives(inputs, output, grad)
        return [
            unbroadcast(g, v) if g is not None and v.type.is_float else None
            for g, v in zip(found, inputs, strict=True)
        ]

    def derivatives(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Return derivatives that still have the output's axes."""
        raise NotImplementedError


@attrs.frozen
class ScalarOp(Aligned):
    """An elementwise operation on inputs of one dtype; `elementwise` makes them.

    Parameters
    ----------
    name
        Its name, which alone identifies it.
    arity
        Number of inputs.
    numpy
        The reference.
    template
        OpenCL C with ``{0}``, ``{1}`` for the inputs, ``{T}`` for the output's C type and ``{I}``
        for the inputs'; or a function from dtypes to it.
    rule
        The derivative; None when there is none.
    dtypes
        The input dtypes that it admits.
    result
        The output's dtype; None for the inputs'.
    cost
        Rough cost in additions.
    """

    name: str
    arity: int = attrs.field(eq=False, repr=False)
    numpy: Callable[..., Any] = attrs.field(eq=False, repr=False)
    template: Template = attrs.field(eq=False, repr=False)
    rule: Rule | None = attrs.field(eq=False, repr=False)
    dtypes: tuple[str, ...] = attrs.field(eq=False, repr=False)
    result: str | None = attrs.field(eq=False, repr=False)
    cost: int = attrs.field(eq=False, repr=False)

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        """Let a pickle hold the name."""
        return _operation, (self.name,)

    def infer_type(self, *types: TensorType) -> TensorType:
        """Take inputs of one admitted dtype."""
        if len(types) != self.arity:
            raise GraphError(f"{self.name} takes {self.arity} inputs, not {len(types)}.")
        dtype = types[0].dtype
        if dtype not in self.dtypes or any(t.dtype != dtype for t in types):
            got = " and ".join(str(t) for t in types)
            raise GraphError(f"{self.name} does not take {got}.", "Cast the inputs first.")
        return TensorType(self.result or dtype, join_flags([t.broadcastable for t in types]))

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Call the NumPy function."""
        with np.errstate(all="ignore"):
            value = np.asarray(self.numpy(*arrays), dtype=self.result or arrays[0].dtype)
        return value if value.shape == shape else np.broadcast_to(value, shape)

    def derivatives(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Apply the rule."""
        return self.rule(grad, output, *inputs) if self.rule else [None] * self.arity

    def cl(self, dtypes: Sequence[str], *args: str) -> str:
        """Fill the template; integers are cast, as C computes narrow ones in int."""
        template = self.template if isinstance(self.template, str) else self.template(dtypes)
        types = {"T": C_TYPES[dtypes[-1]], "I": C_TYPES[dtypes[0]]}
        text = template.format(*args, **types)
        return f"({text})" if dtypes[-1].startswith("float") else f"(({types['T']})({text}))"


def _operation(name: str) -> Any:
    return OPS[name].op


def elementwise(
    name: str,
    *,
    numpy: Callable[..., Any],
    cl: Template,
    vjp: Rule | None = None,
    arity: int = 1,
    dtypes: tuple[str, ...] = FLOATS,
    result: str | None = None,
    of_integers: str | None = None,
    cost: int = 1,
    domain: Range | tuple[Range, ...] = (-3.0, 3.0),
    special: Sequence[tuple[float, ...]] = (),
    ties: bool = False,
    public: bool = True,
) -> Callable[..., Variable]:
    """Make an elementwise operation, register it, and return the function that applies it.

    The function converts its arguments, casts them to one dtype and aligns their axes.

    Parameters
    ----------
    name
        Its name in the language, in plans and in messages.
    numpy
        Computes it in NumPy.
    cl
        OpenCL C expression of one element: ``{0}``, ``{1}`` stand for the inputs (names or
        literals), ``{T}`` for the output's C type and ``{I}`` for the inputs', as in ``({T})1``; or
        a function that returns it from the NumPy dtypes of the inputs and the output.
    vjp
        ``vjp(grad, output, *inputs)`` returns the derivative by each input, None where there is
        none. Broadcasting is taken care of.
    dtypes
        The dtypes it admits. If they are floats alone, integers are cast to floats.
    result
        The output's dtype if it is not the inputs'.
    of_integers
        The float dtype in which a function of floats computes with integers, if it is not float32
        for narrow and float64 for wide ones.
    cost
        Rough cost of one evaluation in additions.
    domain
        Range (or one for each input) in which tests draw; inside it the derivative must exist.
    special
        Exact values (for each input) that tests must try in every dtype, beyond the NaNs,
        infinities and zeros that they try with every operation on floats.
    ties
        Whether tests should draw equal values often; then no derivative is checked.
    public
        Whether the function is the one of that name in the language; otherwise it is part of one.
    """
    op = ScalarOp(name, arity, numpy, cl, vjp, dtypes, result, cost)

    def construct(*args: Any) -> Variable:
        if len(args) != arity:
            raise GraphError(f"{name} takes {arity} arguments, not {len(args)}.")
        return apply(op, args, of_integers)

    construct.__name__ = construct.__qualname__ = name
    construct.__doc__ = f"Return {name} of the arguments, element by element."
    ranges = domain if isinstance(domain[0], tuple) else (domain,) * arity
    tested = tuple(d for d in dtypes if d in SAMPLED)
    cases = _cases(construct, ranges, ties, vjp is not None) + _special_cases(construct, arity)
    if special:
        exact = tuple(Sample((len(values),), values=values) for values in special)
        cases.append(Case(construct, exact, None, differentiable=False))
    declare(name, op, tested, *cases)
    return FUNCTIONS.add(name)(construct) if public else construct


def apply(op: ScalarOp, args: Sequence[Any], of_integers: str | None = None) -> Variable:
    """Apply `op` after converting, casting and aligning the arguments; fold constants."""
    variables = [as_variable(a) for a in args]
    dtype = common_dtype(variables)
    if not dtype.startswith("float") and all(d in FLOATS for d in op.dtypes):
        dtype = of_integers or float_dtype(variables)
    if dtype not in op.dtypes:
        got = " and ".join(v.describe() for v in variables)
        raise GraphError(f"{op.name} does not take {dtype}: {got}.", "Cast the inputs first.")
    return combine(op, [with_dtype(v, dtype) for v in variables])


def combine(op: Aligned, variables: Sequence[Variable]) -> Variable:
    """Apply `op` to variables of the right dtypes after aligning their axes; fold 0-d constants."""
    if variables and all(isinstance(v, Constant) and v.ndim == 0 for v in variables):
        constants = [v for v in variables if isinstance(v, Constant)]
        value = op.reference([c.value for c in constants], ())
        return Constant(value, weak=all(c.weak for c in constants))
    return op(*align(variables))


def align(variables: Sequence[Variable]) -> list[Variable]:
    """Pad with broadcastable axes on the left to a common number; 0-d variables stay 0-d."""
    ndim = max((v.ndim for v in variables), default=0)
    return [pad_left(v, ndim) if v.ndim else v for v in variables]


def pad_left(x: Variable, ndim: int) -> Variable:
    """Add broadcastable axes on the left until `x` has `ndim`."""
    if x.ndim >= ndim:
        return x
    order: tuple[int | str, ...] = ("x",) * (ndim - x.ndim) + tuple(range(x.ndim))
    return Dimshuffle(order)(x)


def with_dtype(x: Variable, dtype: str) -> Variable:
    """Return `x` in another dtype: a constant at once, anything else by a cast."""
    if x.dtype == dtype:
        return x
    if isinstance(x, Constant) and x.ndim == 0:
        return Constant(x.value.astype(dtype), x.name, weak=x.weak)
    return call("cast", x, dtype)


def unbroadcast(grad: Variable, like: Variable) -> Variable:
    """Sum `grad` over the axes along which `like` was stretched."""
    if like.ndim == 0 and grad.ndim:
        return call("sum", grad)
    axes = tuple(
        axis
        for axis, (of_grad, of_like) in enumerate(
            zip(grad.broadcastable, like.broadcastable, strict=True)
        )
        if of_like and not of_grad
    )
    return call("sum", grad, axis=axes, keepdims=True) if axes else grad


def _cases(
    construct: Callable[..., Variable], ranges: tuple[Range, ...], ties: bool, differentiable: bool
) -> list[Case]:
    """Return cases at odd, empty, 0-d and broadcast shapes."""

    def samples(*shapes: tuple[Shape, tuple[int, ...]]) -> tuple[Sample, ...]:
        return tuple(
            Sample(shape, None, low, high, stretch, ties)
            for (shape, stretch), (low, high) in zip(shapes, ranges, strict=True)
        )

    plain: list[tuple[Shape, tuple[int, ...]]]
    several = []
    for shape in ((3, 5), (0, 4), (7,), (2, 1, 3)):
        plain = [(shape, ())] * len(ranges)
        several.append(samples(*plain))
    if len(ranges) > 1:
        turns: list[tuple[Shape, tuple[int, ...]]] = [((3, 1), (1,)), ((1, 5), (0,)), ((3, 5), ())]
        several.append(samples(*turns[: len(ranges)]))
        several.append(samples(*([((5,), ()), ((3, 5), ()), ((), ())][: len(ranges)])))
        several.append(samples(*([((3, 5), ()), ((), ()), ((5,), ())][: len(ranges)])))
    return [Case(construct, s, None, differentiable and not ties) for s in several]


_SPECIAL = (float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1.0, -1.0, 1e-30, -1e30)


def _special_cases(construct: Callable[..., Variable], arity: int) -> list[Case]:
    """Return a case with every combination of NaN, infinities, zeros and the like."""
    pairs = itertools.product(_SPECIAL, repeat=arity)
    samples = tuple(Sample((len(v),), values=v) for v in zip(*pairs, strict=True))
    return [Case(construct, samples, None, differentiable=False, dtypes=FLOATS)]

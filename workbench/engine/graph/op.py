"""What an operation is: the kinds that lowering tells apart.

Each operation states together its type rule, its shape rule, its NumPy reference, its OpenCL
expression and its derivative. Responsible for those five duties; knows nothing of how kernels are
put together.

An operation is a frozen, hashable attrs class with one output. Equal operations on equal inputs are
one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.errors import GraphError
from workbench.engine.graph.types import Shape, TensorType
from workbench.engine.graph.variable import Apply, Variable

LengthSource = Variable | tuple[Variable, int] | None


class Op:
    """One operation of the language. Calling it on variables makes a new variable.

    Operations state the properties below as class attributes or as fields, whichever suits them.
    """

    @property
    def name(self) -> str:
        """What plans, profiles and messages call it."""
        return "op"

    @property
    def shape_inputs(self) -> tuple[int, ...]:
        """Positions of 0-d integer inputs whose *values* decide the output's shape.

        The length of an arange, of a slice, of an axis to reshape to. They are evaluated on the
        host when a plan is made, are part of the plan's key, and are not inputs of the lowered
        node.
        """
        return ()

    def infer_type(self, *types: TensorType) -> TensorType:
        """Return the output's type; raise GraphError when these inputs cannot be."""
        raise NotImplementedError

    def infer_shape(self, shapes: Sequence[Shape], sizes: Sequence[int]) -> Shape:
        """Return the output's shape.

        Parameters
        ----------
        shapes
            Shapes of the inputs that are not `shape_inputs`, in order.
        sizes
            Values of the `shape_inputs`, in order.
        """
        raise NotImplementedError

    def reference(self, arrays: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
        """Compute the output in NumPy from the inputs that are not `shape_inputs`; the oracle.

        Parameters
        ----------
        shape
            The output's shape, as `infer_shape` gave it.
        """
        raise NotImplementedError

    def vjp(
        self, inputs: Sequence[Variable], output: Variable, grad: Variable
    ) -> Sequence[Variable | None]:
        """Return the derivative of a scalar cost by each input.

        `grad` is its derivative by the output. None says that the cost does not depend on that
        input differentiably (integers, indices, shapes). Each derivative has its input's shape and
        a float dtype.
        """
        raise GraphError(f"{self.name} has no derivative.")

    def length_source(self, inputs: Sequence[Variable], axis: int) -> LengthSource:
        """Return what always has the length of the output's `axis`, as far as is known.

        Either a 0-d variable that is the length, or an input with one of its axes, or None. It is
        how equal lengths are recognised before any shape is known.
        """
        return None

    def __call__(self, *inputs: Variable) -> Variable:
        """Apply the operation to variables."""
        return Apply(self, inputs).output


class Elementwise(Op):
    """Each output element depends on the input elements at the same place.

    At graph level all inputs but 0-d ones have the same number of axes (constructors pad with
    broadcastable axes on the left) and, unless the operation says otherwise, one dtype
    (constructors cast). Lowered nodes make the stretching explicit, so that every input has exactly
    the output's shape, except 0-d inputs, which stay 0-d.
    """

    @property
    def cost(self) -> int:
        """Rough cost of one evaluation in additions; decides between recomputing and storing."""
        return 1

    def cl(self, dtypes: Sequence[str], *args: str) -> str:
        """Return an OpenCL C expression of the output element.

        Parameters
        ----------
        dtypes
            NumPy names of the input dtypes, then of the output's.
        args
            OpenCL expressions of the input elements: names or literals, safe to repeat.
        """
        raise NotImplementedError


#: Reads one integer element of an input at an index: ``read(position, index)``.
Read = Callable[[int, tuple[Any, ...]], Any]


class Movement(Op):
    """Each output element is one element of the first input, found by arithmetic on the index.

    Reshapes, transposes, broadcasts, slices and gathers. They cost nothing where they are fused
    into a load.
    """

    def source_index(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> tuple[Any, ...]:
        """Return the index into input 0 of the element that stands at `index` of the output.

        Only ``+ - * // %`` are applied to index components, so that they may be Python integers,
        NumPy arrays (tests) or symbolic integers (kernels).

        Parameters
        ----------
        index
            One component for each output axis.
        shapes
            Shapes of the inputs that are not `shape_inputs`.
        shape
            The output's shape.
        read
            Reads an element of another input (a slice's start, a gather's index).
        """
        raise NotImplementedError


class Generated(Op):
    """Each output element follows from its index alone and 0-d inputs.

    Aranges and unit matrices.
    """

    def cl_at(
        self, index: Sequence[str], shape: Shape, dtypes: Sequence[str], args: Sequence[str]
    ) -> str:
        """Return an OpenCL C expression of the element at `index`.

        The components of `index` are integer expressions; `args` are the 0-d inputs.
        """
        raise NotImplementedError


class Piecewise(Op):
    """Each output element is one element of one of several inputs, chosen by the index.

    Joins, insertions, padding.
    """

    def pieces(
        self, index: tuple[Any, ...], shapes: Sequence[Shape], shape: Shape, read: Read
    ) -> Sequence[tuple[Sequence[tuple[Any, Any, Any]], int, tuple[Any, ...]]]:
        """Return the candidates in order: ``(bounds, input position, index into that input)``.

        `bounds` is a list of ``(low, component, high)``: the candidate applies where every ``low <=
        component < high``; the last candidate has no bounds. Arithmetic as in
        `Movement.source_index`; an index outside its input is never read.
        """
        raise NotImplementedError


class Length(Op):
    """A 0-d output that follows from the input's shape alone; the host computes it."""


class Reduction(Op):
    """Axes are folded by an associative combination.

    Attributes
    ----------
    axes
        The folded axes, sorted, non-negative.
    keepdims
        Whether folded axes stay with length 1.
    """

    axes: tuple[int, ...]
    keepdims: bool

    @property
    def fold(self) -> str:
        """One of "sum", "prod", "max", "min", "argmax", "argmin", "any", "all"."""
        return "sum"


class Cumulative(Op):
    """Each output element folds the elements of the one input up to it along an axis.

    A step of its own, between arrays in memory of one shape and dtype.

    Attributes
    ----------
    axis
        The axis, not negative.
    reverse
        Whether it is folded from the end.
    """

    axis: int
    reverse: bool


class MatMul(Op):
    """The product of two matrices, (m, k) by (k, n); `dot` reduces every other case to it."""


class Composite(Op):
    """An operation with a derivative and a stable form of its own.

    Lowering spells it out in simpler ones.
    """

    def expand(self, *inputs: Variable) -> Variable:
        """Return the same value as an expression of simpler operations."""
        raise NotImplementedError

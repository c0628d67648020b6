"""Variables, constants, shared variables and the applications that link them.

Responsible for the nodes of the expression graph; what an operation means is its own business, and
no device is known here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import GraphError, NotSupported
from workbench.core.registry import Registry
from workbench.engine.graph.origin import here
from workbench.engine.graph.storage import HostStorage as HostStorage
from workbench.engine.graph.storage import Storage
from workbench.engine.graph.types import MAKERS, Shape, TensorType, type_of

if TYPE_CHECKING:
    from workbench.engine.graph.op import Op

#: The functions of the language by name; the families of operations fill it at import, and the
#: methods and operators of `Variable` look themselves up in it, so that this module needs to import
#: none of them.
FUNCTIONS: Registry[Callable[..., Any]] = Registry("function")

#: Ways round what the language does not offer, by the name it has elsewhere.
WAYS: dict[str, str] = {}

_serial = itertools.count()


class NoSuchMethod(NotSupported, AttributeError):
    """A method that variables do not have; `hasattr` understands it."""


@MAKERS.add("variable")
class Variable:
    """A value of the graph: typed, perhaps named, perhaps the output of an `Apply`.

    Parameters
    ----------
    type
        dtype and axes.
    owner
        The application that computes it; None for an input.
    name
        What messages call it.

    Attributes
    ----------
    is_varied
        Whether a derivative by it was asked for; it may then be an input of a function that does
        not depend on it any more.
    """

    # NumPy arrays must leave `array + variable` to us.
    __array_priority__ = 1000.0
    __array_ufunc__ = None

    def __init__(
        self, type: TensorType, owner: Apply | None = None, name: str | None = None
    ) -> None:
        self.type = type
        self.owner = owner
        self.name = name
        self.origin = here()
        self.serial = next(_serial)
        self.is_varied = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take a copy's or a pickle's state; no two variables of a process have one number."""
        self.__dict__.update(state, serial=next(_serial))

    @cached_property
    def tag(self) -> SimpleNamespace:
        """A place for a program's own notes; nothing reads them."""
        return SimpleNamespace()

    @property
    def dtype(self) -> str:
        """NumPy's name of the element type."""
        return self.type.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.type.ndim

    @property
    def broadcastable(self) -> tuple[bool, ...]:
        """One flag an axis: True where it has length 1 and stretches."""
        return self.type.broadcastable

    def describe(self) -> str:
        """Return a name for messages: the variable's or the operation's, with type and origin."""
        return f"{self.name or self._unnamed()} of type {self.type}, made at {self.origin}"

    def _unnamed(self) -> str:
        return f"{self.owner.op.name}(...)" if self.owner else "an unnamed variable"

    def __repr__(self) -> str:
        return f"<{self.name or (self.owner.op.name if self.owner else 'variable')}: {self.type}>"

    def __bool__(self) -> bool:
        """Refuse to choose by a comparison; ``if w:`` asks whether there is a variable at all."""
        if self.dtype != "bool":
            return True
        raise GraphError(
            f"{self.describe()} has no value yet, so it cannot be asked whether it is true.",
            "Compare with `is`, or use switch() for a choice inside the expression.",
        )

    def __len__(self) -> int:
        raise GraphError(f"{self.describe()} has no length yet.", "Use x.shape[0].")

    def __iter__(self) -> Iterator[Variable]:
        raise GraphError(f"{self.describe()} cannot be iterated over.", "Index it: x[i].")

    # Identity is equality: `==` between variables builds no expression (use eq()), as in Theano.
    __hash__ = object.__hash__

    def _call(self, function: str, *args: Any, **named: Any) -> Variable:
        result: Variable = FUNCTIONS[function](*args, **named)
        return result

    def __add__(self, other: Any) -> Variable:
        return self._call("add", self, other)

    def __radd__(self, other: Any) -> Variable:
        return self._call("add", other, self)

    def __sub__(self, other: Any) -> Variable:
        return self._call("sub", self, other)

    def __rsub__(self, other: Any) -> Variable:
        return self._call("sub", other, self)

    def __mul__(self, other: Any) -> Variable:
        return self._call("mul", self, other)

    def __rmul__(self, other: Any) -> Variable:
        return self._call("mul", other, self)

    def __truediv__(self, other: Any) -> Variable:
        return self._call("true_div", self, other)

    def __rtruediv__(self, other: Any) -> Variable:
        return self._call("true_div", other, self)

    def __floordiv__(self, other: Any) -> Variable:
        return self._call("int_div", self, other)

    def __rfloordiv__(self, other: Any) -> Variable:
        return self._call("int_div", other, self)

    def __mod__(self, other: Any) -> Variable:
        return self._call("mod", self, other)

    def __rmod__(self, other: Any) -> Variable:
        return self._call("mod", other, self)

    def __pow__(self, other: Any) -> Variable:
        return self._call("pow", self, other)

    def __rpow__(self, other: Any) -> Variable:
        return self._call("pow", other, self)

    def __neg__(self) -> Variable:
        return self._call("neg", self)

    def __abs__(self) -> Variable:
        return self._call("abs", self)

    def __lt__(self, other: Any) -> Variable:
        return self._call("lt", self, other)

    def __le__(self, other: Any) -> Variable:
        return self._call("le", self, other)

    def __gt__(self, other: Any) -> Variable:
        return self._call("gt", self, other)

    def __ge__(self, other: Any) -> Variable:
        return self._call("ge", self, other)

    def __and__(self, other: Any) -> Variable:
        return self._call("and_", self, other)

    def __rand__(self, other: Any) -> Variable:
        return self._call("and_", other, self)

    def __or__(self, other: Any) -> Variable:
        return self._call("or_", self, other)

    def __ror__(self, other: Any) -> Variable:
        return self._call("or_", other, self)

    def __xor__(self, other: Any) -> Variable:
        return self._call("xor", self, other)

    def __rxor__(self, other: Any) -> Variable:
        return self._call("xor", other, self)

    def __invert__(self) -> Variable:
        return self._call("invert", self)

    def __matmul__(self, other: Any) -> Variable:
        return self._call("dot", self, other)

    def __rmatmul__(self, other: Any) -> Variable:
        return self._call("dot", other, self)

    def __getitem__(self, index: Any) -> Variable:
        return self._call("index", self, index)

    @property
    def shape(self) -> Lengths:
        """The lengths of the axes, each an int64 scalar."""
        return Lengths(self._call("axis_length", self, axis) for axis in range(self.ndim))

    @property
    def size(self) -> Variable:
        """The number of elements, an int64 scalar."""
        total = self._call("cast", 1, "int64")
        for length in self.shape:
            total = total * length
        return total

    @property
    def T(self) -> Variable:  # noqa: N802 - the name that NumPy and Theano gave it
        """The axes in reverse order."""
        return self._call("transpose", self)

    def __getattr__(self, name: str) -> Any:
        """Offer the functions of the language as methods: ``x.sum(axis=0)``, ``x.dot(w)``."""
        if name.startswith("_"):
            raise AttributeError(f"a variable has no {name!r}")
        if name not in FUNCTIONS:
            raise NoSuchMethod(
                f"A variable has no method or attribute {name!r}.",
                WAYS.get(name) or FUNCTIONS.advice(name),
            )
        function = FUNCTIONS[name]
        return lambda *args, **named: function(self, *args, **named)


class Lengths(tuple[Variable, ...]):
    """The lengths of a variable's axes: a tuple, in arithmetic a vector."""

    __slots__ = ()

    def vector(self) -> Variable:
        """Return the lengths as an integer vector."""
        result: Variable = FUNCTIONS["stack"](list(self))
        return result

    def _with(self, function: str, other: Any) -> Variable:
        result: Variable = FUNCTIONS[function](self.vector(), other)
        return result

    def __add__(self, other: Any) -> Variable:  # type: ignore[override]
        return self._with("add", other)

    def __mul__(self, other: Any) -> Variable:  # type: ignore[override]
        return self._with("mul", other)

    __radd__, __rmul__ = __add__, __mul__  # type: ignore[assignment]

    def __sub__(self, other: Any) -> Variable:
        return self._with("sub", other)

    def __floordiv__(self, other: Any) -> Variable:
        return self._with("int_div", other)

    def __truediv__(self, other: Any) -> Variable:
        return self._with("true_div", other)

    def __getattr__(self, name: str) -> Any:
        """Offer the vector's methods: ``x.shape.prod()``."""
        if name.startswith("_"):
            raise AttributeError(f"lengths have no {name!r}")
        return getattr(self.vector(), name)


class Constant(Variable):
    """A value known when the expression is written.

    Parameters
    ----------
    value
        The array; kept read-only.
    weak
        True for a Python scalar, which takes the dtype of what it meets.
    """

    def __init__(self, value: np.ndarray, name: str | None = None, weak: bool = False) -> None:
        value = np.array(value)
        value.setflags(write=False)
        super().__init__(
            TensorType(value.dtype.name, tuple(n == 1 for n in value.shape)), None, name
        )
        self.value = value
        self.weak = weak

    def _unnamed(self) -> str:
        return f"the constant {self.value}" if self.value.size == 1 else "a constant"


class SharedVariable(Variable):
    """A variable whose value outlives the call: parameters, data on the device.

    Parameters
    ----------
    value
        Its first value; copied.
    broadcastable
        Which axes of length 1 stretch; none unless told.

    Attributes
    ----------
    default_update
        Its new value after every call of a function that depends on it, unless the function is
        told otherwise; None leaves it as it is.
    """

    def __init__(
        self,
        value: np.ndarray,
        name: str | None = None,
        broadcastable: tuple[bool, ...] | None = None,
    ) -> None:
        value = np.array(value, order="C")
        of_value = type_of(value)
        super().__init__(
            TensorType(of_value.dtype, broadcastable or of_value.broadcastable), None, name
        )
        self._check_shape(value.shape)
        self.storage: Storage = HostStorage(value)
        self.default_update: Variable | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Give a copy or a pickle numbers in host memory, wherever they are."""
        return self.__dict__ | {"storage": HostStorage(self.storage.read())}

    def get_value(self) -> np.ndarray:
        """Return a copy of the present value in host memory; waits for the device."""
        return self.storage.read()

    def set_value(self, value: Any) -> None:
        """Replace the value.

        Raises
        ------
        GraphError
            The new value has another number of axes, or a broadcastable one is not of length 1.
        """
        array = np.array(value, dtype=self.dtype, order="C")
        self._check_shape(array.shape)
        self.storage.write(array)

    def _check_shape(self, shape: Shape) -> None:
        flags = self.broadcastable
        stretched = any(flag and n != 1 for n, flag in zip(shape, flags, strict=False))
        if len(shape) != len(flags) or stretched:
            raise GraphError(
                f"{self.describe()} cannot take a value of shape {shape}.",
                f"Give {self.ndim} axes, of length 1 where they are broadcastable.",
            )


class Apply:
    """One use of an operation: its inputs and its one output."""

    def __init__(self, op: Op, inputs: tuple[Variable, ...]) -> None:
        self.op = op
        self.inputs = inputs
        self.output = Variable(op.infer_type(*(v.type for v in inputs)), self)


def shared(
    value: Any, name: str | None = None, broadcastable: tuple[bool, ...] | None = None
) -> SharedVariable:
    """Return a shared variable that starts with a copy of `value`."""
    return SharedVariable(np.asarray(value), name, broadcastable)

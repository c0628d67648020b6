"""The arguments of a generated kernel, and the kernel itself as a value.

Responsible for giving each argument a name in the text and saying what stands behind it; knows
nothing of how text is generated or how a device binds it.

Names are numbered in order of first use, so that equal kernels of different plans have equal texts.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence

import attrs

from workbench.engine.graph.types import C_TYPES
from workbench.engine.lower.plan import Buffer

#: Stands for the kernel's name while its text is generated.
NAME = "@NAME@"

#: What is told of kernels whose work-groups are one work-item. Such a one makes vectors itself: no
#: compiler need make them of neighbouring work-items. Intel's otherwise compiles every function for
#: those too, though nothing calls it, and takes four times as long.
_ALONE = "__attribute__((reqd_work_group_size(1, 1, 1), vec_type_hint(float16))) "


@attrs.frozen
class BufferArgument:
    """A pointer to a buffer of the plan."""

    buffer: int


@attrs.frozen
class SlotArgument:
    """Where in a ring, or in what is walked along, the present slot begins, in elements."""

    buffer: int


@attrs.frozen
class ScalarArgument:
    """A host scalar of the plan."""

    number: int
    dtype: str


@attrs.frozen
class ExtentArgument:
    """A whole number that is fixed when the plan is bound: an extent or a share of work."""

    value: int
    ctype: str


@attrs.frozen
class ScratchArgument:
    """A pointer to scratch memory; equal numbers are the same memory."""

    number: int
    dtype: str
    elements: int


Argument = BufferArgument | SlotArgument | ScalarArgument | ExtentArgument | ScratchArgument


@attrs.frozen
class Kernel:
    """One kernel of a step, ready to be built and launched.

    Parameters
    ----------
    name, text
        Its name and its OpenCL C.
    arguments
        What stands behind each argument, in order.
    global_size, local_size
        Work-items in all and in each work-group.
    label
        What profiles call it.
    written
        The arguments through which it writes.
    body
        Its statements, where they may stand in a kernel beside those of others; else nothing.
    names, declarations
        What its text calls each argument, and how it declares it.
    work
        About how many additions it makes.
    steps
        Numbers of the plan's steps that it is, or is part of.
    functions
        The texts of functions that it calls, beside those that lie in files.
    """

    name: str
    text: str
    arguments: tuple[Argument, ...]
    global_size: tuple[int, ...]
    local_size: tuple[int, ...]
    label: str
    written: frozenset[Argument] = frozenset()
    body: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    declarations: tuple[str, ...] = ()
    work: int = 0
    steps: tuple[int, ...] = ()
    functions: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[int, ...]:
        """Work-groups in each direction."""
        return tuple(g // n for g, n in zip(self.global_size, self.local_size, strict=True))


def with_name(prefix: str, text: str) -> tuple[str, str]:
    """Return a kernel's name, and its text with the name in the place of `NAME`.

    The name holds a digest of the text, so that equal kernels of different plans are one.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    name = f"{prefix}_{digest}"
    return name, text.replace(NAME, name)


class Arguments:
    """Collects the arguments of one kernel while its body is generated.

    Parameters
    ----------
    buffers
        The plan's buffers.
    wide
        Whether integers that address elements need 64 bits.
    """

    def __init__(self, buffers: Sequence[Buffer], *, wide: bool = False) -> None:
        self.buffers = buffers
        self.integer = "long" if wide else "int"
        self.written: set[Argument] = set()
        self._names: dict[Argument, str] = {}
        self._strides: dict[tuple[int, int], str] = {}
        self._order: list[tuple[Argument, str]] = []

    def buffer(self, number: int, *, write: bool = False) -> str:
        """Return the name of the pointer to a buffer; where it has slots, to the present one."""
        argument = BufferArgument(number)
        if write:
            self.written.add(argument)
        if self.buffers[number].role in ("output", "element") and argument not in self._names:
            name = self._named(argument, "buf")
            self._named(SlotArgument(number), "slot")
            return name
        return self._named(argument, "buf")

    def scalar(self, number: int, dtype: str) -> str:
        """Return the name of a host scalar."""
        return self._named(ScalarArgument(number, dtype), "arg")

    def extent(self, value: int) -> str:
        """Return the name of a new argument that carries `value`.

        Equal values are not shared: with other shapes they may differ, and the text stays the same.
        """
        argument = ExtentArgument(value, self.integer)
        name = f"len{sum(isinstance(a, ExtentArgument) for a, _ in self._order)}"
        self._order.append((argument, name))
        return name

    def stride(self, buffer: int, value: int) -> str:
        """Return the name of an argument by which an index into a buffer is multiplied."""
        if (buffer, value) not in self._strides:
            self._strides[buffer, value] = self.extent(value)
        return self._strides[buffer, value]

    def settle(self, name: str, value: int) -> None:
        """Set the value of the extent called `name`, when it is known only after the text."""
        place = self.names.index(name)
        self._order[place] = (ExtentArgument(value, self.integer), name)

    def scratch(self, number: int, dtype: str, elements: int, *, write: bool = False) -> str:
        """Return the name of the pointer to scratch memory."""
        argument = ScratchArgument(number, dtype, elements)
        if write:
            self.written.add(argument)
        return self._named(argument, "tmp")

    def _named(self, argument: Argument, letter: str) -> str:
        if argument not in self._names:
            name = f"{letter}{sum(type(a) is type(argument) for a, _ in self._order)}"
            self._names[argument] = name
            self._order.append((argument, name))
        return self._names[argument]

    @property
    def names(self) -> list[str]:
        """The names in order."""
        return [name for _, name in self._order]

    def kernel(
        self,
        prefix: str,
        body: Sequence[str],
        sizes: tuple[tuple[int, ...], tuple[int, ...]],
        label: str,
        work: int,
    ) -> Kernel:
        """Return the kernel with these statements.

        Parameters
        ----------
        prefix
            What its name begins with.
        body
            Its statements. Those that declare local memory stand first.
        sizes
            Work-items in all and in each work-group.
        label
            What profiles call it.
        work
            About how many additions it makes.
        """
        lines = (*self.prologue(), *body)
        text = text_of(self.declared, lines, sizes[1])
        return attrs.evolve(
            self.named(prefix, text, sizes, label),
            body=lines,
            work=work,
            names=tuple(self.names),
            declarations=tuple(self._declaration(a, n) for a, n in self._order),
        )

    def named(
        self,
        prefix: str,
        text: str,
        sizes: tuple[tuple[int, ...], tuple[int, ...]],
        label: str,
    ) -> Kernel:
        """Return the kernel whose text says `NAME` where its name belongs."""
        name, text = with_name(prefix, text)
        return Kernel(name, text, self.behind, *sizes, label, frozenset(self.written))

    @property
    def declared(self) -> str:
        """The declaration of each argument, in order."""
        return ", ".join(self._declaration(a, n) for a, n in self._order)

    @property
    def behind(self) -> tuple[Argument, ...]:
        """What stands behind each argument, in order."""
        return tuple(argument for argument, _ in self._order)

    def prologue(self) -> list[str]:
        """Return the statements that move pointers to the present slot."""
        return [
            f"{self._names[BufferArgument(a.buffer)]} += {name};"
            for a, name in self._order
            if isinstance(a, SlotArgument)
        ]

    def _declaration(self, argument: Argument, name: str) -> str:
        if isinstance(argument, ScalarArgument):
            return f"const {C_TYPES[argument.dtype]} {name}"
        if isinstance(argument, SlotArgument):
            return f"const long {name}"
        if isinstance(argument, ExtentArgument):
            return f"const {argument.ctype} {name}"
        if isinstance(argument, BufferArgument):
            dtype = self.buffers[argument.buffer].dtype
        else:
            dtype = argument.dtype
        const = "" if argument in self.written else "const "
        return f"__global {const}{C_TYPES[dtype]} *restrict {name}"


def text_of(declared: str, lines: Iterable[str], local_size: Sequence[int]) -> str:
    """Return the text of a kernel from its arguments and statements; `NAME` stands for its name."""
    attribute = _ALONE if math.prod(local_size) == 1 else ""
    inside = "\n".join(f"  {line}" for line in lines)
    return f"__kernel {attribute}void {NAME}({declared}) {{\n{inside}\n}}\n"

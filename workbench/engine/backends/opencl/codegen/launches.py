"""Launches: kernels that do not wait for one another share one.

Responsible for which kernels run as one and for the text of that one; knows nothing of what they
compute. A launch costs several microseconds and ends with some of the device idle, whatever it
does, and many of a training step are small.

Kernels of which each work-group waits for none but the same one of those before are one, too.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence

import attrs
import numpy as np

from workbench.engine.backends.opencl.codegen.arguments import (
    Argument,
    BufferArgument,
    ExtentArgument,
    Kernel,
    ScratchArgument,
    SlotArgument,
    text_of,
    with_name,
)
from workbench.engine.backends.opencl.tunables import Target
from workbench.engine.lower.plan import Buffer

#: Kernels in a launch, and their arguments: drivers take at least 1 kB of these.
_MOST, _MOST_ARGUMENTS = 8, 100
#: Additions in a launch of several, so that none of them lasts.
_MOST_WORK = 2**34

_LOCAL = re.compile(r"__local (\w+?)(\d*) (\w+)\[(\d+)\];")
_ITEMSIZES = {"ushort": 2, "float": 4, "double": 8}


@attrs.define(eq=False)
class _Launch:
    """Kernels that run as one."""

    kernels: list[Kernel]

    @property
    def work(self) -> int:
        return sum(kernel.work for kernel in self.kernels)

    def has_room(self, kernel: Kernel, local_memory: int) -> bool:
        together = [*self.kernels, kernel]
        return (
            all(k.body for k in together)
            and len({_size(k) for k in together}) == 1
            and len(together) <= _MOST
            and sum(len(k.arguments) + 3 for k in together) <= _MOST_ARGUMENTS
            and self.work + kernel.work <= _MOST_WORK
            and _bytes(_locals(together)) <= local_memory
        )


def share_launches(
    steps: Iterable[Sequence[Kernel]], buffers: Sequence[Buffer], target: Target
) -> list[Kernel]:
    """Return the kernels of some steps, in order, those that can share a launch as one.

    Parameters
    ----------
    steps
        The kernels of each step, in an order that is right one after the other. Each step numbers
        its scratch memory for itself.
    buffers
        The plan's buffers.
    target
        The device.
    """
    launches: list[_Launch] = []
    written: dict[Hashable, int] = {}
    read: dict[Hashable, int] = {}
    for kernel in _numbered(steps):
        uses = {_memory(a, buffers) for a in kernel.arguments} - {None}
        writes = {_memory(a, buffers) for a in kernel.written}
        after = [written.get(key, -1) for key in uses] + [read.get(key, -1) for key in writes]
        place = _place(kernel, launches, max(after, default=-1) + 1, target.local_memory)
        written.update((key, place) for key in writes)
        read.update((key, max(place, read.get(key, -1))) for key in uses)
    return _with_shared_scratch([_joined(launch.kernels, target) for launch in launches])


def _place(kernel: Kernel, launches: list[_Launch], first: int, local_memory: int) -> int:
    """Put a kernel into a launch from `first` on, the one with most work, or a new one."""
    fitting = [i for i in range(first, len(launches)) if launches[i].has_room(kernel, local_memory)]
    if fitting:
        place = max(fitting, key=lambda i: launches[i].work)
        launches[place].kernels.append(kernel)
        return place
    launches.append(_Launch([kernel]))
    return len(launches) - 1


def _memory(argument: Argument, buffers: Sequence[Buffer]) -> Hashable:
    """Return what stands for the memory behind an argument; None where there is none."""
    if isinstance(argument, ScratchArgument):
        return "scratch", argument.number
    if isinstance(argument, BufferArgument):
        buffer = buffers[argument.buffer]
        return ("temp", buffer.storage) if buffer.role == "temp" else ("buffer", buffer.id)
    return None


def _size(kernel: Kernel) -> int:
    return int(np.prod(kernel.local_size))


def _locals(kernels: Iterable[Kernel]) -> dict[tuple[str, ...], int]:
    """Return the most elements of each local memory: the same type and name are the same memory.

    No two kernels need theirs at the same time.
    """
    found: dict[tuple[str, ...], int] = {}
    for line in (line for kernel in kernels for line in kernel.body):
        if (local := _LOCAL.match(line)) is not None:
            *key, size = local.groups()
            found[tuple(key)] = max(int(size), found.get(tuple(key), 0))
    return found


def _bytes(declared: Mapping[tuple[str, ...], int]) -> int:
    return sum(_ITEMSIZES[kind] * int(lanes or 1) * n for (kind, lanes, _), n in declared.items())


def in_turn(kernels: Sequence[Kernel]) -> Kernel:
    """Return one kernel whose work-groups do what those of each kernel do, one after the other.

    Parameters
    ----------
    kernels
        One work-item each. Work-group g of all reads nothing that another work-group writes, and
        they have as many: in the second direction, or in the only one. Those of the first direction
        are turns that a group takes.
    """
    kernels = _numbered([[kernel] for kernel in kernels])
    text = _Text(kernels)
    text.number()
    text.in_turn()
    return _whole(kernels, text, kernels[0].groups[-1], "_then")


def local_bytes(kernels: Iterable[Kernel]) -> int:
    """Return the bytes of local memory that kernels need which run as one."""
    return _bytes(_locals(kernels))


def _joined(kernels: list[Kernel], target: Target) -> Kernel:
    """Return one kernel whose work-groups are those of all, the shortest first.

    PoCL's threads take a share of all that is left at a time: the first of two takes half of the
    work-groups, and long ones at the start would all be its own. Where each thread is given as many
    work-groups as the others, all in a row, these are dealt out like cards.
    """
    if len(kernels) == 1:
        return kernels[0]
    kernels = sorted(kernels, key=lambda k: k.work / max(1, int(np.prod(k.groups))))
    text = _Text(kernels)
    groups = sum(int(np.prod(k.groups)) for k in kernels)
    if target.gives_rows_of_groups:
        each = -(-groups // target.compute_units)
        text.deal(each, target.compute_units)
        groups = each * target.compute_units
    else:
        text.number()
    text.side_by_side()
    return _whole(kernels, text, groups, "_and")


def _whole(kernels: Sequence[Kernel], text: _Text, groups: int, suffix: str) -> Kernel:
    """Return the kernel with a text; it is named after the one that works most."""
    first, size = max(kernels, key=lambda k: k.work), _size(kernels[0])
    own = text_of(", ".join(text.declarations), text.lines, (size,))
    name, whole = with_name(first.name.rpartition("_")[0] + suffix, own)
    return Kernel(
        name,
        whole,
        tuple(text.arguments),
        (groups * size,),
        (size,),
        " + ".join(dict.fromkeys(k.label for k in kernels)),
        frozenset().union(*(k.written for k in kernels)),
        work=sum(k.work for k in kernels),
        steps=tuple(sorted({number for k in kernels for number in k.steps})),
        functions=tuple(dict.fromkeys(text for k in kernels for text in k.functions)),
    )


class _Text:
    """The statements and arguments of several kernels as one."""

    def __init__(self, kernels: Sequence[Kernel]) -> None:
        self.arguments: list[Argument] = []
        self.declarations: list[str] = []
        self._kernels = kernels
        self._written = frozenset().union(*(k.written for k in kernels))
        self._known: dict[Argument, str] = {}
        sizes = _locals(kernels)
        self._local = {found: f"local{i}" for i, found in enumerate(sorted(sizes))}
        self.lines = [
            f"__local {found[0]}{found[1]} {name}[{sizes[found]}];"
            for found, name in self._local.items()
        ]

    def number(self) -> None:
        """Let work-groups have the numbers that the driver gives them."""
        self.lines.append("const int group = get_group_id(0);")

    def deal(self, each: int, hands: int) -> None:
        """Give them numbers so that of `each` in a row none is next to another."""
        row, many = self._extent(each), self._extent(hands)
        self.lines.append("const int at = get_group_id(0);")
        self.lines.append(f"const int group = at % {row} * {many} + at / {row};")

    def side_by_side(self) -> None:
        """Give each kernel work-groups of its own."""
        first, end = "0", 0
        for kernel in self._kernels:
            end += int(np.prod(kernel.groups))
            last = self._extent(end)
            places = self._places(kernel, f"group - {first}")
            inside = [f"const int group{i} = {place};" for i, place in enumerate(places)]
            inside = [f"  {line}" for line in [*inside, *self._statements(kernel)]]
            self.lines += [f"if ({first} <= group && group < {last}) {{", *inside, "}"]
            first = last

    def in_turn(self) -> None:
        """Let each work-group do what that of each kernel does."""
        moved: set[str] = set()
        for kernel in self._kernels:
            statements = self._statements(kernel)
            slots = sum(isinstance(a, SlotArgument) for a in kernel.arguments)
            # A pointer that was moved to the present slot is there.
            own, inside = [s for s in statements[:slots] if s not in moved], statements[slots:]
            moved.update(own)
            turns = "{"
            if len(kernel.groups) > 1:
                turns = (
                    f"for (int group0 = 0; group0 < {self._extent(kernel.groups[0])}; ++group0) {{"
                )
                inside = ["const int group1 = group;", *inside]
            else:
                inside = ["const int group0 = group;", *inside]
            self.lines += [*own, turns, *(f"  {line}" for line in inside), "}"]

    def _places(self, kernel: Kernel, flat: str) -> list[str]:
        """Return the place in each direction of the work-group with a number."""
        across, down = (*kernel.groups, 1)[:2]
        places = [f"({flat})"]
        if len(kernel.groups) > 1:
            wide = self._extent(across)
            places = [f"({flat}) % {wide}", f"({flat}) / {wide}"]
        if len(kernel.groups) > 2:
            high = self._extent(down)
            places[1:] = [f"({flat}) / {wide} % {high}", f"({flat}) / ({wide} * {high})"]
        return places

    def _statements(self, kernel: Kernel) -> list[str]:
        """Return one kernel's statements, by the names that things have here."""
        names = {
            name: self._name(argument, name, declaration)
            for argument, name, declaration in zip(
                kernel.arguments, kernel.names, kernel.declarations, strict=True
            )
        }
        names |= {
            found[2]: name for found, name in self._local.items() if found in _locals([kernel])
        }
        known = re.compile(rf"\b({'|'.join(names)})\b")
        inside = []
        for line in kernel.body:
            if not _LOCAL.match(line):
                line = re.sub(r"get_group_id\((\d)\)", r"group\1", line)
                line = line.replace(
                    "get_global_id(0)", f"(group0 * {_size(kernel)} + (int)get_local_id(0))"
                )
                inside.append(known.sub(lambda found: names[found[0]], line))
        return inside

    def _extent(self, value: int) -> str:
        return self._name(ExtentArgument(value, "int"), "len0", "const int len0")

    def _name(self, argument: Argument, name: str, declaration: str) -> str:
        """Return what the text calls an argument; extents are never shared."""
        if argument in self._known:
            return self._known[argument]
        if argument in self._written:
            declaration = declaration.replace("__global const ", "__global ")
        made = f"{name.rstrip('0123456789')}{len(self.arguments)}"
        self.arguments.append(argument)
        self.declarations.append(declaration.removesuffix(name) + made)
        if not isinstance(argument, ExtentArgument):
            self._known[argument] = made
        return made


def _numbered(steps: Iterable[Sequence[Kernel]]) -> list[Kernel]:
    """Return the kernels of all steps, each step's scratch memory with numbers of its own."""
    made: list[Kernel] = []
    count = 0
    for kernels in steps:
        scratch = [a for k in kernels for a in k.arguments if isinstance(a, ScratchArgument)]
        numbers = {n: count + i for i, n in enumerate(dict.fromkeys(a.number for a in scratch))}
        count += len(numbers)
        made += [_with_scratch(kernel, numbers) for kernel in kernels]
    return made


def _with_shared_scratch(kernels: Sequence[Kernel]) -> list[Kernel]:
    """Return the kernels with scratch memory taken over from those that are through with it."""
    last: dict[int, int] = {}
    for place, kernel in enumerate(kernels):
        last.update((a.number, place) for a in kernel.arguments if isinstance(a, ScratchArgument))
    chosen: dict[int, int] = {}
    busy_until: list[int] = []
    for place, kernel in enumerate(kernels):
        for a in kernel.arguments:
            if isinstance(a, ScratchArgument) and a.number not in chosen:
                free = (i for i, until in enumerate(busy_until) if until < place)
                number = next(free, len(busy_until))
                busy_until[number : number + 1] = [last[a.number]]
                chosen[a.number] = number
    return [_with_scratch(kernel, chosen) for kernel in kernels]


def _with_scratch(kernel: Kernel, numbers: Mapping[int, int]) -> Kernel:
    """Return the kernel with other numbers for its scratch memory."""

    def renumbered(argument: Argument) -> Argument:
        if not isinstance(argument, ScratchArgument):
            return argument
        return attrs.evolve(argument, number=numbers[argument.number])

    return attrs.evolve(
        kernel,
        arguments=tuple(map(renumbered, kernel.arguments)),
        written=frozenset(map(renumbered, kernel.written)),
    )

"""Kernels of loop steps: rows in parallel, the rest of each stored shape serially within a row.

Responsible for how loops are laid out, and for splitting long folds of few rows; knows nothing of
how expressions are written or kernels are launched.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import attrs

from workbench.engine.backends.opencl.codegen.arguments import Arguments, Kernel
from workbench.engine.backends.opencl.codegen.emitter import Emitter, IndexTuple, Value
from workbench.engine.backends.opencl.codegen.index import Index, flatten, unflatten
from workbench.engine.backends.opencl.codegen.reduce import (
    Range,
    combine,
    fold,
    neutral,
    reduce,
    whole_axis,
)
from workbench.engine.backends.opencl.codegen.strips import STRIP, column_sums, emit_column_sums
from workbench.engine.backends.opencl.tunables import Target
from workbench.engine.graph.op import Elementwise, Reduction
from workbench.engine.graph.types import C_TYPES, Shape
from workbench.engine.lower.node import Leaf, Node, walk
from workbench.engine.lower.plan import Buffer, Loops, Store

#: A fold of at least so many elements with at most so many results is split...
LONG_FOLD, FEW_RESULTS = 4096, 1024
#: ...into this many parts, on every device, so that the bits of the result do not depend on it.
PARTS = 128
#: Rows that suffice to keep a CPU's work-groups busy; axes beyond them are walked serially.
_CPU_ROWS = 64


@attrs.frozen
class Parts:
    """Where the parts of a fold are: the number of scratch memory, and how many there are."""

    scratch: int
    count: int


Reduce = Callable[[Emitter, Node, IndexTuple], Value]


@attrs.frozen(eq=False)
class LoopKernels:
    """Generates the kernels of one step, in the order in which they run.

    Parameters
    ----------
    buffers
        The plan's buffers.
    target
        The device.
    wide
        Whether addresses need 64 bits.
    run
        Rows, along the first axis, of each work-group; 0 where they are shared out freely.
    """

    buffers: Sequence[Buffer]
    target: Target
    wide: bool
    run: int = 0

    def kernels(
        self, step: Loops, prefix: str, given: Mapping[int, Parts] | None = None
    ) -> list[Kernel]:
        """Return the kernels of `step`: parts of long folds first, then the step itself.

        Parameters
        ----------
        given
            Folds whose parts another kernel leaves in scratch memory, by id.
        """
        stores = [s for s in step.stores if s.value.size]
        if not stores:
            return []
        known = dict(given or {})
        split = [node for node in long_folds(stores) if id(node) not in known]
        free = 1 + max((parts.scratch for parts in known.values()), default=-1)
        known.update((id(node), Parts(free + i, PARTS)) for i, node in enumerate(split))
        reduce_here = partial(_reduce_parts, known)
        label = step.label or prefix
        made = [
            self._parts(node, known[id(node)], f"{prefix}_parts", f"{label} (parts)", reduce_here)
            for node in split
        ]
        rows = self._rows(step, stores)
        emitter = self._emitter(reduce_here)
        sums = column_sums(stores, rows, self.buffers, known) if self.target.is_cpu else []
        made.append(
            self._kernel(
                emitter,
                prefix,
                label,
                rows,
                lambda flat: _emit_stores(emitter, stores, rows, unflatten(flat, rows)),
                sums,
            )
        )
        return made

    def _emitter(self, reduce_here: Reduce) -> Emitter:
        arguments = Arguments(self.buffers, wide=self.wide)
        return Emitter(arguments, reduce_here, keep_rows=self.target.is_cpu)

    def _rows(self, step: Loops, stores: Sequence[Store]) -> Shape:
        """Return the axes that are walked in parallel."""
        if not self.target.is_cpu or _is_aligned(step, stores):
            return step.rows
        axes = len(step.rows)
        while axes > 1 and math.prod(step.rows[: axes - 1]) >= _CPU_ROWS:
            axes -= 1
        return step.rows[:axes]

    def _kernel(
        self,
        emitter: Emitter,
        prefix: str,
        label: str,
        rows: Shape,
        row: Callable[[Index], None],
        sums: Sequence[Node] = (),
    ) -> Kernel:
        """Return the kernel that calls for `row` at each position in `rows`, which is flat.

        Parameters
        ----------
        sums
            Sums down columns that are made for a strip of rows at a time.
        """
        arguments, total = emitter.arguments, math.prod(rows)
        integer, end, span = arguments.integer, arguments.extent(total), arguments.extent(0)
        emitter.line(f"const {integer} first = ({integer})get_global_id(0) * {span};")
        emitter.line(f"const {integer} last = min(first + {span}, {end});")
        if sums:
            _emit_strips(emitter, total, row, sums)
        else:
            with emitter.loop("first", "last", 0, total - 1, trips=1) as flat:
                row(flat)
        share, groups = self._shares(total, emitter.work)
        if sums:
            share = -(-share // STRIP) * STRIP
            groups = -(-total // share)
        if self.run:
            share, groups = self.run * math.prod(rows[1:]), -(-rows[0] // self.run)
        arguments.settle(span, share)
        size = self.target.group_size
        sizes, work = ((groups * size,), (size,)), total * emitter.work
        return arguments.kernel(prefix, emitter.body, sizes, label, work)

    def _shares(self, total: int, row_work: int) -> tuple[int, int]:
        """Return how many rows a work-item walks, and how many work-groups there are."""
        if not self.target.is_cpu:
            return 1, -(-total // self.target.group_size)
        worthwhile = total * row_work // self.target.min_group_work
        groups = max(1, min(total, worthwhile, self.target.busy_groups))
        share = -(-total // groups)
        return share, -(-total // share)

    def _parts(
        self, node: Node, parts: Parts, prefix: str, label: str, reduce_here: Reduce
    ) -> Kernel:
        """Return the kernel that folds each of `PARTS` parts of a long fold."""
        op = node.op
        assert isinstance(op, Reduction)
        emitter = self._emitter(reduce_here)
        arguments = emitter.arguments
        shape = node.inputs[0].shape
        cut = max(op.axes, key=lambda axis: shape[axis])
        length = shape[cut]
        part, whole = arguments.extent(-(-length // PARTS)), arguments.extent(length)
        scratch = arguments.scratch(parts.scratch, node.dtype, PARTS * node.size, write=True)

        def row(flat: Index) -> None:
            which, *index = unflatten(flat, (PARTS, *node.shape))
            start = emitter.integer(f"min({which.text} * {part}, {whole})", 0, length - 1)
            end = emitter.integer(f"min({start.text} + {part}, {whole})", 0, length)
            ranges = [
                Range(start.text, end.text, 0, length - 1, -(-length // PARTS), depth=end.depth)
                if axis == cut
                else whole_axis(emitter, axis, shape[axis])
                for axis in op.axes
            ]
            value = fold(emitter, node, tuple(index), ranges)
            emitter.line(f"{scratch}[{flat.text}] = {value.text};")

        return self._kernel(emitter, prefix, label, (PARTS * node.size,), row)


def _emit_strips(
    emitter: Emitter, total: int, row: Callable[[Index], None], sums: Sequence[Node]
) -> None:
    """Emit rows `first` to `last` in strips: for each the sums, then its rows one by one.

    Twice: whole strips, of which compilers make vectors, and what is left of one.
    """
    integer, work = emitter.arguments.integer, emitter.work
    strips = f"for ({integer} strip = first; strip < last; strip += {STRIP})"
    with emitter.block(strips):
        whole = f"strip + {STRIP}"
        for test, end in ((f"{whole} <= last", whole), (f"{whole} > last", "last")):
            emitter.work = work
            with emitter.block(f"if ({test})"):
                arrays = [emit_column_sums(emitter, node, "strip", end) for node in sums]
                with emitter.loop("strip", end, 0, total - 1, trips=1) as flat:
                    for node, array in zip(sums, arrays, strict=True):
                        known = Value(f"{array}[{flat.text} - strip]", emitter.depth)
                        # At this place alone: another is perhaps not in the strip.
                        emitter.bind(node, unflatten(flat, node.shape), known)
                    row(flat)


def _emit_stores(emitter: Emitter, stores: Sequence[Store], rows: Shape, index: IndexTuple) -> None:
    """Emit the stores of one row, the serial axes of each in loops.

    A value of the row is computed before the loops and stored after them, and stores of one shape
    share their loops: nothing is overwritten before all that reads it has been computed.
    """
    of_row = [s for s in stores if s.value.shape == rows]
    values = [emitter.value(s.value, index) for s in of_row]
    by_shape: dict[Shape, list[Store]] = {}
    for store in stores:
        if store.value.shape != rows:
            by_shape.setdefault(store.value.shape, []).append(store)
    for shape, together in by_shape.items():
        _emit_serially(emitter, together, shape, index)
    for store, value in zip(of_row, values, strict=True):
        emitter.store(store.buffer, index, value)


def _emit_serially(
    emitter: Emitter, stores: Sequence[Store], shape: Shape, index: IndexTuple
) -> None:
    if len(index) == len(shape):
        values = [emitter.value(s.value, index) for s in stores]
        for store, value in zip(stores, values, strict=True):
            emitter.store(store.buffer, index, value)
        return
    length = shape[len(index)]
    end = str(length) if index else emitter.arguments.extent(length)
    with emitter.loop("0", end, 0, length - 1) as counter:
        _emit_serially(emitter, stores, shape, (*index, counter))


def _is_aligned(step: Loops, stores: Sequence[Store]) -> bool:
    """Whether every element is computed from elements at the same place alone."""
    return all(
        node.ndim == 0 or (node.shape == step.rows and isinstance(node.op, (Elementwise, Leaf)))
        for node in walk([s.value for s in stores])
    )


def long_folds(stores: Sequence[Store]) -> list[Node]:
    """Return the folds that are worth splitting, inner ones first."""
    found = []
    for node in walk([s.value for s in stores]):
        op = node.op
        if not isinstance(op, Reduction) or op.fold in ("argmax", "argmin"):
            continue
        lengths = [node.inputs[0].shape[axis] for axis in op.axes]
        if node.size <= FEW_RESULTS and math.prod(lengths) >= LONG_FOLD and max(lengths) >= PARTS:
            found.append(node)
    return found


def _reduce_parts(
    known: Mapping[int, Parts], emitter: Emitter, node: Node, index: IndexTuple
) -> Value:
    """Fold the parts of a split fold, any other one as a whole."""
    if id(node) not in known:
        return reduce(emitter, node, index)
    depth = max((i.depth for i in index), default=0)
    parts = known[id(node)]
    scratch = emitter.arguments.scratch(parts.scratch, node.dtype, parts.count * node.size)
    with emitter.at_depth(depth):
        result = emitter.name()
        op = node.op
        assert isinstance(op, Reduction)
        emitter.line(f"{C_TYPES[node.dtype]} {result} = {neutral(op.fold, node.dtype)};")
        with emitter.loop("0", str(parts.count), 0, parts.count - 1) as part:
            address = flatten((part, *index), (parts.count, *node.shape))
            emitter.work += emitter.path[-1].trips
            emitter.line(combine(node, result, f"{scratch}[{address.text}]"))
    return Value(result, depth)

"""Steps that walk the same rows one after the other, found in a plan.

Responsible for telling which steps can be done for a few rows at a time, so that none of their
values goes to memory; knows nothing of the kernel that does it.

Such a stretch of a plan begins with the product of a matrix of many rows with a narrow one. What
follows from each row of it alone comes next: losses, derivatives, products with small matrices.
Then come sums over all rows: products of transposed matrices, and plain sums.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import attrs

from workbench.engine.graph.op import Reduction
from workbench.engine.graph.ops.dimshuffle import Dimshuffle
from workbench.engine.lower.memory import reads_of, writes_of
from workbench.engine.lower.node import Load, Node, walk
from workbench.engine.lower.plan import Buffer, Loops, Plan, Product
from workbench.engine.lower.reach import Index as Reached
from workbench.engine.lower.reach import Inside, output_index, visit

#: Rows that are worth a part of their own, a work-group; with fewer than two parts, it is no pass.
PART_ROWS = 128
#: Columns of the narrow matrices, and the length of the first one's: what a row needs is in
#: registers, and what a few rows need in the second cache.
_COLUMNS, LENGTH = 32, 4096


@attrs.frozen(eq=False)
class Pass:
    """Steps that walk the same rows, in the order of the plan.

    Parameters
    ----------
    first
        The product of the matrix of many rows.
    follows
        What follows from each row of it.
    after
        Products of transposed matrices, and steps over sums of what follows.
    """

    first: Product
    follows: tuple[Product | Loops, ...]
    after: tuple[Product | Loops, ...]

    @property
    def count(self) -> int:
        """The number of steps."""
        return 1 + len(self.follows) + len(self.after)

    @property
    def last(self) -> Product:
        """The product with the first one's matrix, transposed."""
        matrix = self.first.product.inputs[0]
        return next(p for p in products(self.after) if transposed(p) is matrix)

    @property
    def small(self) -> list[Product]:
        """The products of transposed matrices but the last."""
        return [step for step in products(self.after) if step is not self.last]

    @property
    def sums(self) -> list[Node]:
        """The plain sums over rows that steps need."""
        own = {id(step.product) for step in products(self.after)}
        below = walk([s.value for step in self.after for s in step.stores], stop=own)
        nodes = [n for n in below if n.inputs and id(n) not in own]
        return [n for n in nodes if loaded(n.inputs[0]) in self.private]

    @property
    def private(self) -> set[int]:
        """The buffers that hold values of rows."""
        return writes_of(self.first).union(*map(writes_of, self.follows))


def find_pass(plan: Plan, start: int) -> Pass | None:
    """Return the pass that begins with a step of the plan, if one does."""
    first = plan.steps[start]
    if not isinstance(first, Product) or not _is_first(first, plan.buffers):
        return None
    rows, follows = first.product.shape[0], []
    private = writes_of(first)
    for step in plan.steps[start + 1 :]:
        if not isinstance(step, Product | Loops) or not _follows(step, rows, private, plan.buffers):
            break
        follows.append(step)
        private |= writes_of(step)
    users = [i for i, step in enumerate(plan.steps) if reads_of(step) & private]
    begin = start + 1 + len(follows)
    if min(users, default=0) <= start or max(users) < begin:
        return None
    after = [s for s in plan.steps[begin : max(users) + 1] if isinstance(s, Product | Loops)]
    found = Pass(first, tuple(follows), tuple(after))
    whole = begin + len(after) == max(users) + 1
    return found if whole and _adds_up(found, plan.buffers) else None


def products(steps: Iterable[Product | Loops]) -> list[Product]:
    """Return those steps that are products."""
    return [step for step in steps if isinstance(step, Product)]


def transposed(step: Product) -> Node | None:
    """Return the matrix that the left one is the transpose of."""
    left = step.product.inputs[0]
    return left.inputs[0] if left.op == Dimshuffle((1, 0)) else None


def loaded(node: Node) -> int:
    """Return the number of the buffer that a node is the contents of, or -1."""
    return node.op.buffer if isinstance(node.op, Load) else -1


def _is_first(step: Product, buffers: Sequence[Buffer]) -> bool:
    (m, n), k = step.product.shape, step.product.inputs[0].shape[1]
    return (
        m >= 2 * PART_ROWS
        and 0 < k <= LENGTH
        and 0 < n <= _COLUMNS
        and _stores_rows(step, m, buffers)
    )


def _stores_rows(step: Product | Loops, rows: int, buffers: Sequence[Buffer]) -> bool:
    """Whether a step stores short rows, and into temporary memory alone."""
    shapes = [s.value.shape for s in step.stores]
    return all(buffers[b].role == "temp" for b in writes_of(step)) and all(
        shape[:1] == (rows,) and len(shape) < 3 and 0 < (*shape, 1)[1] <= _COLUMNS
        for shape in shapes
    )


def _follows(
    step: Product | Loops, rows: int, private: Collection[int], buffers: Sequence[Buffer]
) -> bool:
    """Whether a step computes rows from the rows before it alone."""
    if isinstance(step, Product):
        fits = step.product.inputs[0].shape[1] <= _COLUMNS
    else:
        fits = step.rows == (rows,)
    return fits and _stores_rows(step, rows, buffers) and reads_own_rows(step, private)


def reads_own_rows(step: Product | Loops, private: Collection[int]) -> bool:
    """Whether a step needs of private buffers some, and of each the row alone that it computes."""
    if not reads_of(step) & set(private):
        return False
    roots = [s.value for s in step.stores]
    if isinstance(step, Product):
        left, right = step.product.inputs
        if any(loaded(n) in private for n in walk([right])):
            return False
        roots.append(left)
    return all(in_own_row(root, private, getattr(step, "product", None)) for root in roots)


def in_own_row(root: Node, private: Collection[int], product: Node | None) -> bool:
    """Whether a value reads of private rows its own alone."""
    seen: list[bool] = []

    def see(node: Node, index: Reached, inside: Inside) -> None:
        del inside
        if loaded(node) in private:
            seen.append(index[0] == output_index(root)[0])

    visit(root, lambda node: not node.inputs or node is product, see)
    return all(seen)


def _adds_up(found: Pass, buffers: Sequence[Buffer]) -> bool:
    """Whether the last steps need nothing of the rows but sums over all."""
    private = found.private
    matrix = found.first.product.inputs[0]

    def is_whole(node: Node) -> bool:
        return loaded(node) in private and node.shape == buffers[loaded(node)].shape

    def is_sum(node: Node, child: Node) -> bool:
        op = node.op
        return is_whole(child) and (
            isinstance(op, Reduction) and op.fold == "sum" and op.axes[0] == 0
        )

    written: set[int] = set()
    for step in found.after:
        if isinstance(step, Product):
            left, right = transposed(step), step.product.inputs[1]
            known = left is not None and (left is matrix or (is_whole(left) and left.ndim == 2))
            if not known or not is_whole(right) or right.ndim != 2:
                return False
            # It is computed before what these steps write.
            if written & reads_of(attrs.evolve(step, stores=())):
                return False
        written |= writes_of(step)
    lefts = [transposed(step) for step in products(found.after)]
    own = {id(step.product) for step in products(found.after)}
    roots = [s.value for step in found.after for s in step.stores]
    used = [(n, child) for n in walk(roots, stop=own) for child in n.inputs if id(n) not in own]
    return (
        [left is matrix for left in lefts].count(True) == 1
        and not any(loaded(root) in private for root in roots)
        and all(is_sum(n, child) for n, child in used if loaded(child) in private)
    )

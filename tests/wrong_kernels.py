"""Kernels that compute something else than they should, in the place of sound ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from workbench.engine.backends.opencl.codegen import program
from workbench.engine.backends.opencl.codegen.arguments import (
    NAME,
    ExtentArgument,
    Kernel,
    with_name,
)
from workbench.engine.backends.opencl.codegen.layout import lies_by_column
from workbench.engine.backends.opencl.tunables import Target
from workbench.engine.lower.plan import Loops, Plan, Product, Step


@attrs.frozen
class Generated:
    """A kernel, and the step of a plan that it is for."""

    plan: Plan
    step: Step
    kernel: Kernel

    def with_extent(self, value: int) -> Kernel:
        """Return the kernel with its first extent, the length of what it walks, replaced."""
        arguments = list(self.kernel.arguments)
        place = next(i for i, a in enumerate(arguments) if isinstance(a, ExtentArgument))
        arguments[place] = attrs.evolve(arguments[place], value=value)
        return attrs.evolve(self.kernel, arguments=tuple(arguments))

    def with_text(self, text: str) -> Kernel:
        """Return the kernel with another text, and so another name, alone in its launch."""
        name, text = with_name("faulty", text.replace(self.kernel.name, NAME))
        return attrs.evolve(self.kernel, name=name, text=text, body=())


#: Returns another kernel in the place of those that it is about.
Fault = Callable[[Generated], Kernel]


def inject(patch: pytest.MonkeyPatch, fault: Fault) -> None:
    generated = program.step_kernels

    def faulty(plan: Plan, step: Step, target: Target, *run: Any) -> list[Kernel]:
        return [fault(Generated(plan, step, k)) for k in generated(plan, step, target, *run)]

    patch.setattr(program, "step_kernels", faulty)


def loses_the_last_row_of_tn(of: Generated) -> Kernel:
    """Leave out the last row of products whose first operand lies by column."""
    if isinstance(of.step, Product) and lies_by_column(of.plan.buffers, of.step.product.inputs[0]):
        return of.with_extent(of.step.product.shape[0] - 1)
    return of.kernel


def loses_the_last_of_an_odd_number(of: Generated) -> Kernel:
    """Leave out the last element of an update in place, where their number is odd."""
    if isinstance(of.step, Loops):
        updated = [s for s in of.step.stores if of.plan.buffers[s.buffer].role == "shared"]
        if updated:
            return of.with_extent(updated[0].value.size & ~1)
    return of.kernel


def log10_is_off_in_the_last_lane(of: Generated) -> Kernel:
    """Make a function a little wrong for the last element of all."""
    text = of.kernel.text
    loop = re.search(r"for \(int (\w+) = first;", text)
    if "log10(" not in text or loop is None:
        return of.kernel
    off = rf"(log10(\1) * ({loop[1]} == len0 - 1 ? 0.9999f : 1.0f))"
    return of.with_text(re.sub(r"log10\((\w+)\)", off, text))


def does_not_build(of: Generated) -> Kernel:
    """Put into every kernel what no compiler understands."""
    return of.with_text(of.kernel.text.replace("{", "{ nonsense", 1))

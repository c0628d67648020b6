"""All kernels of a plan, and texts of several with the functions that they call.

Responsible for choosing what generates each step and for what surrounds the kernels; knows nothing
of drivers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import attrs

from workbench.core.resources import kernel_names, kernel_text
from workbench.engine.backends.opencl.codegen.arguments import Kernel
from workbench.engine.backends.opencl.codegen.cumulate import cumulate_kernels
from workbench.engine.backends.opencl.codegen.launches import in_turn, local_bytes, share_launches
from workbench.engine.backends.opencl.codegen.loops import LoopKernels
from workbench.engine.backends.opencl.codegen.onepass import OnePassKernels
from workbench.engine.backends.opencl.codegen.panels import PanelsKernel
from workbench.engine.backends.opencl.codegen.rowchain import find_chain
from workbench.engine.backends.opencl.codegen.rowpass import Pass, find_pass
from workbench.engine.backends.opencl.codegen.split import SumOfParts, parts_of
from workbench.engine.backends.opencl.codegen.tiles import TilesKernel
from workbench.engine.backends.opencl.tunables import Target
from workbench.engine.lower.node import Node, walk
from workbench.engine.lower.plan import Copy, Cumulate, Loops, Plan, Product, Repeat, Step

_FLOAT64 = "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n"
#: Elements beyond which positions do not fit 32 bits.
_WIDE = 2**31 - 2**16


def generate(plan: Plan, target: Target) -> list[Kernel | Copy | Repeat]:
    """Return what one run of `plan` does, in order: kernels, copies and repeated plans.

    What a step repeats is a plan of its own.
    """
    work: list[Kernel | Copy | Repeat] = []
    pending: list[Sequence[Kernel]] = []
    number = 0
    while number < len(plan.steps):
        step, count = plan.steps[number], 1
        if isinstance(step, Copy | Repeat):
            work += [*share_launches(pending, plan.buffers, target), step]
            pending = []
        elif target.is_cpu and (found := find_pass(plan, number)) is not None:
            count = found.count
            steps = tuple(range(number, number + count))
            made = _pass_kernels(plan, found, target)
            pending.append([attrs.evolve(kernel, steps=steps) for kernel in made])
        elif target.is_cpu and (chain := _chain_kernel(plan, number, target)) is not None:
            count = len(chain.steps)
            pending.append([chain])
        else:
            made = step_kernels(plan, step, target)
            pending.append([attrs.evolve(kernel, steps=(number,)) for kernel in made])
        number += count
    return [*work, *share_launches(pending, plan.buffers, target)]


def repeated_kernels(plan: Plan, target: Target) -> list[Kernel]:
    """Return the kernels of all plans that the steps of `plan` repeat."""
    plans = [step.plan for step in plan.steps if isinstance(step, Repeat)]
    own = [k for inner in plans for k in generate(inner, target) if isinstance(k, Kernel)]
    return own + [kernel for inner in plans for kernel in repeated_kernels(inner, target)]


def program_text(kernels: Sequence[Kernel]) -> str:
    """Return the text of kernels, with the functions that they call in front of them."""
    functions = dict.fromkeys(text for kernel in kernels for text in kernel.functions)
    body = "\n".join([*functions, *(kernel.text for kernel in kernels)])
    names = set(re.findall(r"\bwb_\w+", body))
    library = [text for text, defined in _library() if defined & names]
    whole = "\n".join([*library, body])
    return (_FLOAT64 if "double" in body else "") + whole


@cache
def _library() -> tuple[tuple[str, frozenset[str]], ...]:
    """Return the kernel files that only define functions, and the names of these."""
    texts = [kernel_text(name) for name in kernel_names()]
    return tuple(
        (text, frozenset(re.findall(r"\b(wb_\w+)\s*\(", text)))
        for text in texts
        if "__kernel" not in text
    )


def step_kernels(
    plan: Plan, step: Product | Loops | Cumulate, target: Target, run: int = 0
) -> Sequence[Kernel]:
    """Return the kernels of one step, in order; none where nothing is computed.

    Parameters
    ----------
    run
        Rows of each work-group, where they are to be so many.
    """
    word = re.match(r"[a-z_]+", step.label)
    kind = "product" if isinstance(step, Product) else "loops"
    prefix = f"{word[0]}_{kind}" if word else kind
    wide = _is_wide(step)
    if isinstance(step, Cumulate):
        return cumulate_kernels(step, plan.buffers, target, wide, prefix)
    if not isinstance(step, Product):
        return LoopKernels(plan.buffers, target, wide, run).kernels(step, prefix)
    if not step.product.size:
        return ()
    family = PanelsKernel if target.product == "panels" else TilesKernel
    parts = parts_of(step.product)
    if parts == 1:
        if run:
            return [PanelsKernel(step, plan.buffers, target, wide, run=run).kernel(prefix)]
        return [family(step, plan.buffers, target, wide).kernel(prefix)]
    return [
        family(step, plan.buffers, target, wide, parts).kernel(f"{prefix}_parts"),
        SumOfParts(plan.buffers, target, wide).kernel(step, parts, prefix),
    ]


def _chain_kernel(plan: Plan, start: int, target: Target) -> Kernel | None:
    """Return the kernel of the chain of steps that begins here, if one does."""
    found = find_chain(plan, start, target)
    if found is None:
        return None
    made = [
        attrs.evolve(kernel, steps=(number,))
        for number, step in enumerate(found.steps, start)
        for kernel in step_kernels(plan, step, target, found.run)
    ]
    fits = local_bytes(made) <= target.local_memory
    return in_turn(made) if fits and len(made) == len(found.steps) else None


def _pass_kernels(plan: Plan, found: Pass, target: Target) -> Sequence[Kernel]:
    """Return the kernels of the steps of a pass."""
    steps = (found.first, *found.follows, *found.after)
    return OnePassKernels(found, plan.buffers, target, any(map(_is_wide, steps))).kernels("pass")


def _is_wide(step: Product | Loops | Cumulate) -> bool:
    """Whether positions of what a step touches need 64 bits."""
    roots = [*_products(step), *(s.value for s in step.stores)]
    return any(node.size > _WIDE for node in walk(roots))


def _products(step: Step) -> list[Node]:
    return [step.product] if isinstance(step, Product) else []

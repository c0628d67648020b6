"""Programs: all kernels of a plan in one text, with the functions that they call.

Responsible for choosing what generates each step and for what surrounds the kernels; knows nothing
of drivers. One program a plan compiles faster than one a kernel, as each repeats the built-ins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import attrs

from workbench.core.resources import kernel_names, kernel_text
from workbench.engine.backends.opencl.codegen.arguments import Kernel
from workbench.engine.backends.opencl.codegen.loops import LoopKernels
from workbench.engine.backends.opencl.codegen.panels import PanelsKernel
from workbench.engine.backends.opencl.codegen.tiles import TilesKernel
from workbench.engine.backends.opencl.tunables import Target
from workbench.engine.lower.node import Node, walk
from workbench.engine.lower.plan import Copy, Plan, Product, Step

_FLOAT64 = "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n"
#: Elements beyond which positions do not fit 32 bits.
_WIDE = 2**31 - 2**16


@attrs.frozen(eq=False)
class Program:
    """The kernels of a plan.

    Parameters
    ----------
    text
        OpenCL C of all of them; empty if there is none.
    steps
        For each step of the plan its kernels in order; none where nothing is to be computed.
    """

    text: str
    steps: tuple[tuple[Kernel, ...], ...]


def generate(plan: Plan, target: Target) -> Program:
    """Return the program that runs `plan` on a kind of device."""
    steps = [tuple(_kernels(plan, number, target)) for number in range(len(plan.steps))]
    body = "\n".join(kernel.text for kernels in steps for kernel in kernels)
    return Program(program_text(body) if body else "", tuple(steps))


def program_text(body: str) -> str:
    """Return kernels with the functions that they call in front of them."""
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


def _kernels(plan: Plan, number: int, target: Target) -> Sequence[Kernel]:
    step = plan.steps[number]
    if isinstance(step, Copy):
        return ()
    name = f"k{number}_{_identifier(step)}"
    wide = any(
        node.size > _WIDE for node in walk([*_products(step), *(s.value for s in step.stores)])
    )
    if not isinstance(step, Product):
        return LoopKernels(plan.buffers, target, wide).kernels(step, name)
    if not step.product.size:
        return ()
    family = PanelsKernel if target.product == "panels" else TilesKernel
    return [family(step, plan.buffers, target, wide).kernel(name)]


def _products(step: Step) -> list[Node]:
    return [step.product] if isinstance(step, Product) else []


def _identifier(step: Step) -> str:
    """Return the step's label as far as a C name can hold it, without folders."""
    kind = "product" if isinstance(step, Product) else "loops"
    label = re.sub(r"\W+", "_", re.split(r"[/\\]", step.label)[-1]).strip("_").lower()
    return f"{label[:32]}_{kind}" if label else kind

"""Theano's ``scan_module``: loops with a known number of steps, and their shorter forms.

Responsible for the arguments' names and order; what a loop is stands in the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.errors import NotSupported
from workbench.engine.graph import scan as loops
from workbench.theano.names import offer

__getattr__ = offer("theano.scan_module")


def scan(
    fn: Callable[..., Any],
    sequences: Any = None,
    outputs_info: Any = None,
    non_sequences: Any = None,
    n_steps: Any = None,
    truncate_gradient: int = -1,
    go_backwards: bool = False,
    mode: Any = None,
    name: str | None = None,
    profile: Any = False,
    allow_gc: Any = None,
    strict: bool = False,
    return_list: bool = False,
) -> tuple[Any, loops.Updates]:
    """Repeat an expression; return what each step gives, stacked, and updates of shared variables.

    Parameters
    ----------
    fn
        Returns a step's outputs, and perhaps updates, from the present elements of the sequences
        (one for each tap), the outputs of earlier steps (one for each tap) and the non-sequences.
    sequences, outputs_info, non_sequences
        Variables, or dictionaries with ``taps`` and ``input`` or ``initial``.
    n_steps
        The number of steps, if the sequences shall not decide it: a number, or 0-d arithmetic on
        inputs and shapes.
    truncate_gradient
        How many steps back derivatives are taken; -1 for all.
    go_backwards
        Whether sequences are walked from their ends.
    name
        What messages call it.
    return_list
        Whether a single output, too, is returned in a list.
    mode, profile, allow_gc, strict
        Without effect.

    Raises
    ------
    GraphError
        What was given does not make a loop.
    """
    return loops.scan(
        fn,
        sequences,
        outputs_info,
        non_sequences,
        n_steps,
        truncate_gradient,
        go_backwards,
        name,
        return_list,
    )


def map(
    fn: Callable[..., Any],
    sequences: Any,
    non_sequences: Any = None,
    truncate_gradient: int = -1,
    go_backwards: bool = False,
    mode: Any = None,
    name: str | None = None,
) -> tuple[Any, loops.Updates]:
    """Return `fn` of each element of the sequences, and the updates."""
    return loops.scan(
        fn,
        sequences,
        None,
        non_sequences,
        truncate_gradient=truncate_gradient,
        go_backwards=go_backwards,
        name=name,
    )


def reduce(
    fn: Callable[..., Any],
    sequences: Any,
    outputs_info: Any,
    non_sequences: Any = None,
    go_backwards: bool = False,
    mode: Any = None,
    name: str | None = None,
) -> tuple[Any, loops.Updates]:
    """Return the last outputs of a scan, and the updates."""
    outputs, updates = loops.scan(
        fn, sequences, outputs_info, non_sequences, go_backwards=go_backwards, name=name
    )
    last = [output[-1] for output in outputs] if isinstance(outputs, list) else outputs[-1]
    return last, updates


def foldl(
    fn: Callable[..., Any],
    sequences: Any,
    outputs_info: Any,
    non_sequences: Any = None,
    mode: Any = None,
    name: str | None = None,
) -> tuple[Any, loops.Updates]:
    """Return what is left when the sequences are folded from their first elements on."""
    return reduce(fn, sequences, outputs_info, non_sequences, False, mode, name)


def foldr(
    fn: Callable[..., Any],
    sequences: Any,
    outputs_info: Any,
    non_sequences: Any = None,
    mode: Any = None,
    name: str | None = None,
) -> tuple[Any, loops.Updates]:
    """Return what is left when the sequences are folded from their last elements back."""
    return reduce(fn, sequences, outputs_info, non_sequences, True, mode, name)


def until(condition: Any) -> Any:
    """Refuse a loop whose number of steps depends on what it computes."""
    raise NotSupported(
        f"scan does not stop when {condition!r} holds: its number of steps must be known.",
        "Give n_steps, and keep what was reached: switch(condition, old, new).",
    )

"""Functions whose shapes depend on values that only a device knows: it computes these first.

Responsible for the order of the two; knows nothing of what a call looks like from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from workbench.engine import function as engine
from workbench.engine.backends.base import Device
from workbench.engine.graph.arguments import checked_givens, checked_updates, pairs
from workbench.engine.graph.deciding import unknown_sizes
from workbench.engine.graph.rewrite import substitute
from workbench.engine.graph.variable import Variable
from workbench.engine.lower.plan import Plan


@attrs.frozen(eq=False)
class Staged:
    """A compiled expression, and what computes the numbers that decide its shapes.

    Parameters
    ----------
    compiled
        Takes the inputs, and these numbers behind them.
    before
        Computes them from the inputs; None where there are none.
    """

    compiled: engine.Function
    before: Staged | None

    @property
    def device(self) -> Device:
        """Where both run."""
        return self.compiled.device

    def __call__(self, *values: Any) -> list[Any]:
        """Run once and return the outputs."""
        numbers = [] if self.before is None else self.before(*values)
        results: list[Any] = self.compiled(*values, *numbers)
        return results

    @property
    def plans(self) -> list[Plan]:
        """The plans made so far, the first stage's first."""
        return [*(self.before.plans if self.before else ()), *self.compiled.plans]


def staged(
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    updates: Sequence[tuple[Any, Any]],
    givens: Sequence[tuple[Variable, Any]],
    **options: Any,
) -> Staged:
    """Compile an expression, in two stages if need be.

    Parameters
    ----------
    inputs, outputs, updates, givens, options
        As for the engine's function.

    Raises
    ------
    GraphError
        What was given does not make a function.
    """
    changes = checked_updates(pairs(updates))
    replacements = checked_givens(givens, inputs)
    roots = substitute([*outputs, *(new for _, new in changes)], replacements)
    left_out = options.get("no_default_updates", False)
    if left_out is not True:
        # Of all that the expression depends on, also where only a number does.
        brought = engine.default_updates(
            roots, [*(shared for shared, _ in changes), *(left_out or ())], replacements
        )
        changes += brought
        roots += [new for _, new in brought]
    numbers = unknown_sizes(roots)
    if not numbers:
        return Staged(engine.function(inputs, outputs, updates, givens, **options), None)
    before = staged(
        inputs,
        numbers,
        (),
        (),
        device=options["device"],
        on_unused_input="ignore",
        no_default_updates=True,
    )
    fresh = [v.type(v.name) for v in numbers]
    roots = substitute(roots, dict(zip(numbers, fresh, strict=True)))
    new = zip((shared for shared, _ in changes), roots[len(outputs) :], strict=True)
    # An input that nothing but a shape depends on is used up by now.
    options |= {"on_unused_input": "ignore", "no_default_updates": True}
    return Staged(
        engine.function([*inputs, *fresh], roots[: len(outputs)], list(new), (), **options), before
    )

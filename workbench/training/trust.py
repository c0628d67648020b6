"""Whether a device computes what it is asked to, and how fast it multiplies.

Responsible for asking, comparing and judging; knows neither which questions there are nor where
verdicts are kept.

How far an answer may be from the truth follows from how it is computed. OpenCL allows its functions
at most 16 units in the last place, and no operation here is made of more than two of them: 32 eps
for a single element. A sum of n numbers, in whatever order, is off by at most (n - 1) eps / 2 of
the sum of their magnitudes, a sum of n products by n eps / 2 (N. J. Higham, Accuracy and Stability
of Numerical Algorithms, 2002, section 3.1): n eps more are allowed where n terms are added up. One
of n like terms that is lost or taken twice is 1 / n, which is far more: 0.0009 for 1,100 terms in
float32, where 0.00014 is allowed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from workbench.core.errors import DeviceLost, OutOfMemory, WorkbenchError
from workbench.engine.backends.base import Device, DeviceInfo
from workbench.engine.backends.verdicts import Finding, Trust, Verdict
from workbench.engine.function import function
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.variable import SharedVariable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it
from workbench.training.trust_cases import FAMILIES, Case, Family, Numbers

#: What single functions may be off by, in eps.
_FUNCTION_EPS = 32

#: Sides of the matrices whose product is timed, and seconds that may be spent on it.
_SIDE, _TIMING_S = 1024, 0.2

#: Told what is being done, how much of how much is done.
Progress = Callable[[str, int, int], None]


def check(device: Device, progress: Progress = lambda *_: None) -> Verdict:
    """Ask a device every question, and time a product on it; see `ask`."""
    return ask(device, unknown(device.info), progress)


def unknown(info: DeviceInfo) -> Verdict:
    """Return what is known of a device that was never asked anything."""
    asked = ((name, p) for name, family in FAMILIES.items() for p in family.precisions)
    return Verdict("trusted", unasked=tuple(q for q in asked if info.float64 or q[1] != "float64"))


def ask(
    device: Device,
    known: Verdict,
    progress: Progress = lambda *_: None,
    most: int | None = None,
) -> Verdict:
    """Ask a device what it was not asked yet; return what is known then.

    An operation that is wrong is told by name. What every network needs must be right, or the
    device is refused; anything else that is wrong limits it.

    Parameters
    ----------
    device, known
        Who is asked, and what is known already.
    progress
        Told how many of how many questions were asked.
    most
        How many questions to ask; None for all. With the last one, a product is timed.
    """
    now = known.unasked[:most]
    later = known.unasked[len(now) :]
    findings = list(known.findings)
    for number, (name, precision) in enumerate(now):
        progress(f"checking {device.info.id}", number, len(now))
        try:
            findings.append(_ask(device, name, precision))
        except (OutOfMemory, DeviceLost):
            # That says nothing of how it computes, and may be otherwise the next time.
            raise
        except WorkbenchError as error:
            # What comes after a device gave up tells nothing.
            findings.append(Finding(name, precision, float("inf"), name))
            return Verdict("refused", tuple(findings), known.gflops, str(error))
    progress(f"checking {device.info.id}", len(now), len(now))
    gflops = known.gflops if later else known.gflops or speed(device)
    return Verdict(_trust(findings), tuple(findings), gflops, unasked=later)


def _trust(findings: Sequence[Finding]) -> Trust:
    # What single networks were found to be is no matter here.
    wrong = [FAMILIES[f.family] for f in findings if f.wrong and f.family in FAMILIES]
    if any(family.essential for family in wrong):
        return "refused"
    return "limited" if wrong else "trusted"


def _ask(device: Device, name: str, precision: str) -> Finding:
    family = FAMILIES[name]
    with np.errstate(all="ignore"):
        truth = _truth(family, precision if family.exact else "float64")
    cases = list(family.cases(Numbers(precision)))
    return _compare(name, precision, cases, _answers(device, cases), truth)


def _truth(family: Family, dtype: str) -> list[np.ndarray]:
    """Return what NumPy makes of the expressions as they are written: no lowering, no fusion."""
    return evaluate([case.value for case in family.cases(Numbers(dtype))])


def _answers(device: Device, cases: Sequence[Case]) -> list[np.ndarray]:
    """Return what the device computes, in a few functions, so that few programs are built."""
    found: dict[int, np.ndarray] = {}
    for part in dict.fromkeys(case.part for case in cases):
        numbers = [i for i, case in enumerate(cases) if case.part == part]
        found.update(zip(numbers, _run(device, [cases[i] for i in numbers]), strict=True))
    return [found[i] for i in range(len(cases))]


def _run(device: Device, cases: Sequence[Case]) -> list[np.ndarray]:
    asked = [case.value for case in cases if case.updated is None]
    pairs = [(case.updated, case.value) for case in cases if case.updated is not None]
    run = function([], asked, pairs, device=device, no_default_updates=True)
    given = [v for v in topological([c.value for c in cases]) if isinstance(v, SharedVariable)]
    numbers = [variable.get_value() for variable in given]
    # At first with other numbers: what is never written must not be right by an accident, because
    # the memory held the answer before.
    for variable, value in zip(given, numbers, strict=True):
        turned = np.flip(value)
        variable.set_value(turned * value.dtype.type(0.75) if value.dtype.kind == "f" else turned)
    run()
    for variable, value in zip(given, numbers, strict=True):
        variable.set_value(value)
    outputs = iter(run())
    return [next(outputs) if c.updated is None else c.updated.get_value() for c in cases]


def _compare(
    family: str,
    precision: str,
    cases: Sequence[Case],
    found: Sequence[np.ndarray],
    truth: Sequence[np.ndarray],
) -> Finding:
    errors = [
        error_of(f, t, c.whole) if f.dtype.name == c.value.dtype else float("inf")
        for c, f, t in zip(cases, found, truth, strict=True)
    ]
    wrong = tuple(
        case.op
        for case, error in zip(cases, errors, strict=True)
        if not error <= allowed(case.terms, precision)
    )
    worst = int(np.argmax(errors))
    return Finding(family, precision, errors[worst], cases[worst].op, wrong)


def error_of(found: np.ndarray, truth: np.ndarray, whole: bool) -> float:
    """Return the largest error of all elements, infinite where a number is none.

    Parameters
    ----------
    whole
        Whether it is relative to the largest element; else to each, or to 1 where that is smaller.
    """
    if found.shape != truth.shape:
        return float("inf")
    if not truth.size:
        return 0.0
    given, wanted = found.astype(np.float64), truth.astype(np.float64)
    with np.errstate(all="ignore"):
        size = np.abs(wanted).max() if whole else np.maximum(np.abs(wanted), 1)
        error = np.abs(given - wanted) / (size or 1.0 if whole else size)
    same = (given == wanted) | (np.isnan(given) & np.isnan(wanted))
    error = np.where(same, 0.0, np.where(np.isnan(error), np.inf, error))
    return float(error.max())


def allowed(terms: int, dtype: str) -> float:
    """Return how far rounding may take what is made of so many terms from the truth."""
    return (_FUNCTION_EPS + terms) * float(np.finfo(dtype).eps)


def speed(device: Device) -> float:
    """Return 10^9 operations a second of a float32 product, the best of a few."""
    random = np.random.default_rng(1)
    a, b = (shared(random.random((_SIDE, _SIDE), np.float32)) for _ in range(2))
    product = shared(np.zeros((_SIDE, _SIDE), np.float32))
    multiply = function([], None, [(product, T.dot(a, b))], device=device)
    multiply()
    device.finish()
    best_s, began_s = float("inf"), time.perf_counter()
    while (now_s := time.perf_counter()) - began_s < _TIMING_S:
        multiply()
        device.finish()
        best_s = min(best_s, time.perf_counter() - now_s)
    return 2 * _SIDE**3 / best_s / 1e9

"""What is known of how right and how fast each device is, and where that is kept.

Responsible for verdicts and their files in the user's cache; knows nothing of how a device is
checked.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Literal

import attrs

from workbench.core.cache_file import CacheFile
from workbench.core.resources import source_digest
from workbench.engine.backends.base import DeviceInfo

#: ``limited``: what is wrong is nothing that every network needs. ``refused``: something is.
Trust = Literal["trusted", "limited", "refused"]


#: A family of kernels and a precision: what is asked at a time.
Question = tuple[str, str]


@attrs.frozen
class Finding:
    """How a family of kernels did in one precision.

    Parameters
    ----------
    family, precision
        Which kernels; those of a single network have a family of their own.
    worst_error
        The largest relative error that was found; infinite where a number is none, or where the
        device failed.
    op
        Where it was found.
    wrong
        The operations that are further from the reference than rounding explains.
    """

    family: str
    precision: str
    worst_error: float
    op: str
    wrong: tuple[str, ...] = ()


@attrs.frozen
class Verdict:
    """What is known of a device.

    Parameters
    ----------
    trust
        What follows from all that was asked.
    findings
        One for each family and precision that was asked.
    gflops
        10^9 float32 operations a second in a matrix product; 0 where none was timed.
    failure
        What the driver said where it gave up.
    unasked
        What is still to be asked.
    """

    trust: Trust
    findings: tuple[Finding, ...] = ()
    gflops: float = 0.0
    failure: str = ""
    unasked: tuple[Question, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether anything was asked of all there is to ask."""
        return bool(self.findings or self.failure or not self.unasked)

    @property
    def open_questions(self) -> str:
        """What is still to be asked, as a person reads it."""
        families: dict[str, list[str]] = {}
        for family, precision in self.unasked:
            families.setdefault(precision, []).append(family)
        return "; ".join(f"in {p}: {', '.join(names)}" for p, names in families.items())

    def finding(self, family: str, precision: str) -> Finding | None:
        """Return how a family did in a precision; None where it was not asked."""
        same = (f for f in self.findings if (f.family, f.precision) == (family, precision))
        return next(same, None)

    def having(self, finding: Finding) -> Verdict:
        """Return the verdict with a finding more."""
        return attrs.evolve(self, findings=(*self.findings, finding))

    @property
    def worst_error(self) -> float:
        """The largest relative error of all, 0 where nothing was compared."""
        return max((finding.worst_error for finding in self.findings), default=0.0)

    @property
    def faults(self) -> str:
        """What is wrong, family by family, as a person reads it; empty where nothing is."""
        told = [
            f"{finding.family} in {finding.precision} ({', '.join(finding.wrong)}; "
            f"error {finding.worst_error:.2g})"
            for finding in self.findings
            if finding.wrong
        ]
        return "; ".join([*told, self.failure] if self.failure else told)


#: NumPy is what the others are measured by.
ORACLE = Verdict("trusted")


def stored(info: DeviceInfo) -> Verdict | None:
    """Return what is known of a device; None where nothing was ever asked.

    A file that is damaged, or of another driver or other kernels, tells nothing.
    """
    if info.type == "reference":
        return ORACLE
    try:
        return _verdict(_file(info).read())
    except (ValueError, KeyError, TypeError):
        return None


def keep(info: DeviceInfo, verdict: Verdict) -> None:
    """Keep what is known of a device; where nothing can be written it is forgotten."""
    _file(info).write(attrs.asdict(verdict))


def preferred(devices: list[DeviceInfo]) -> list[DeviceInfo]:
    """Return the OpenCL devices that may be used unasked, the best first.

    Those that are trusted come first, the fastest of them before the others; then those that are
    still to be checked, in the order of their ids.
    """
    known = [(info, stored(info)) for info in devices if info.type != "reference"]
    trusted = [(info, v.gflops) for info, v in known if v is not None and v.trust == "trusted"]
    by_speed = [info for info, _ in sorted(trusted, key=lambda pair: -pair[1])]
    return by_speed + [info for info, v in known if v is None]


@cache
def _sources() -> str:
    """Return a digest of all that decides which kernels a device is given, and how it is checked.

    Whoever edits a kernel while the program runs checks again after its next start.
    """
    return source_digest("engine", "nn", "training")


def _file(info: DeviceInfo) -> CacheFile:
    told = {name: getattr(info, name) for name in ("id", "name", "platform", "driver")}
    about = {**told, "float64": str(info.float64), "kernels": _sources()}
    return CacheFile("trust", info.id, about)


def _verdict(kept: dict[str, Any]) -> Verdict:
    findings = (Finding(**{**f, "wrong": tuple(f["wrong"])}) for f in kept["findings"])
    unasked = tuple((str(family), str(precision)) for family, precision in kept["unasked"])
    verdict = Verdict(**{**kept, "findings": tuple(findings), "unasked": unasked})
    if not math.isfinite(verdict.gflops):
        raise ValueError("no speed")
    return verdict

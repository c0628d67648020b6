"""What is known of how right and how fast each device is, and where that is kept.

Responsible for verdicts and their files in the user's cache; knows nothing of how a device is
checked.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Literal

import attrs

from workbench.core.paths import cache_folder
from workbench.core.resources import source_digest
from workbench.engine.backends.base import DeviceInfo

#: ``limited``: what is wrong is nothing that every network needs. ``refused``: something is.
Trust = Literal["trusted", "limited", "refused"]


@attrs.frozen
class Finding:
    """How a family of kernels did in one precision.

    Parameters
    ----------
    family, precision
        Which kernels.
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
    """What a check of a device came to.

    Parameters
    ----------
    trust
        What follows from it.
    findings
        One for each family and precision.
    gflops
        10^9 float32 operations a second in a matrix product; 0 where none was timed.
    failure
        What the driver said where it gave up.
    """

    trust: Trust
    findings: tuple[Finding, ...] = ()
    gflops: float = 0.0
    failure: str = ""

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
    """Return what is known of a device; None where it is to be checked.

    A file that is damaged, or of another driver or other kernels, tells nothing.
    """
    if info.type == "reference":
        return ORACLE
    try:
        kept = json.loads(_path(info).read_bytes())
        if kept["device"] != _identity(info) or kept["sum"] != _sum(kept):
            return None
        return _verdict(kept["verdict"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def keep(info: DeviceInfo, verdict: Verdict) -> None:
    """Keep what is known of a device; where nothing can be written it is forgotten."""
    kept: dict[str, Any] = {"device": _identity(info), "verdict": attrs.asdict(verdict)}
    kept["sum"] = _sum(kept)
    path = _path(info)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        # In one step: another process may be reading, or writing its own.
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=1)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


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


def _identity(info: DeviceInfo) -> dict[str, str]:
    told = {name: getattr(info, name) for name in ("id", "name", "platform", "driver")}
    return {**told, "float64": str(info.float64), "kernels": _sources()}


def _path(info: DeviceInfo) -> Path:
    return cache_folder() / "trust" / f"{re.sub(r'[^a-z0-9]+', '-', info.id)}.json"


def _sum(kept: dict[str, Any]) -> str:
    text = json.dumps([kept["device"], kept["verdict"]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _verdict(kept: dict[str, Any]) -> Verdict:
    findings = (Finding(**{**f, "wrong": tuple(f["wrong"])}) for f in kept["findings"])
    verdict = Verdict(**{**kept, "findings": tuple(findings)})
    if not math.isfinite(verdict.gflops):
        raise ValueError("no speed")
    return verdict

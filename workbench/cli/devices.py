"""``workbench devices``: what can compute on this machine, and whether it computes right.

Responsible for how that is shown; the catalogue makes the list, and devices are checked elsewhere.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import attrs

from workbench.cli.console import Console, print_json, print_table
from workbench.cli.device_choice import admission
from workbench.engine.backends.base import DeviceInfo
from workbench.engine.backends.catalogue import devices
from workbench.engine.backends.verdicts import Finding, Verdict, stored


def run(options: argparse.Namespace) -> int:
    """List every device, and check each if that is asked for; return the exit status."""
    found = devices()
    verdicts: dict[str, Verdict | None] = {info.id: stored(info) for info in found}
    if options.check:
        with Console() as console:
            judge = admission(console).judge
            verdicts = {info.id: judge(info, again=True) for info in found}
    if options.json:
        print_json({"devices": [_entry(info, verdicts[info.id], options.check) for info in found]})
    else:
        _print(found, verdicts, options.check)
    return 0


def _entry(info: DeviceInfo, verdict: Verdict | None, checked: bool) -> Mapping[str, Any]:
    entry = attrs.asdict(info)
    if checked and verdict is not None:
        entry |= {
            "trust": verdict.trust,
            "worst_error": verdict.worst_error,
            "gflops": verdict.gflops,
            "findings": [attrs.asdict(finding) for finding in verdict.findings],
            "failure": verdict.failure,
        }
    return entry


def _print(found: list[DeviceInfo], verdicts: Mapping[str, Verdict | None], checked: bool) -> None:
    known = [verdicts[info.id] for info in found]
    columns = {
        "id": [info.id for info in found],
        "type": [info.type for info in found],
        "units": [str(info.compute_units) for info in found],
        "memory": [_memory(info.memory_bytes) for info in found],
        "float64": ["yes" if info.float64 else "no" for info in found],
        "trust": [v.trust if v is not None and v.is_known else "not checked" for v in known],
    }
    if checked:
        columns["worst error"] = [f"{v.worst_error:.1e}" if v else "-" for v in known]
        columns["GFLOP/s"] = [f"{v.gflops:.0f}" if v and v.gflops else "-" for v in known]
    columns |= {
        "name": [info.name for info in found],
        "platform": [info.platform for info in found],
        "driver": [info.driver for info in found],
    }
    print_table(columns)
    for info, verdict in zip(found, known, strict=True):
        if verdict is not None and verdict.trust != "trusted":
            print(f"\n{info.id} ({info.name}) is {verdict.trust}.")
            if verdict.failure:
                print(verdict.failure)
            _print_findings(verdict.findings)
        if verdict is not None and verdict.is_known and verdict.unasked:
            print(f"\n{info.id} was not asked yet {verdict.open_questions}.")


def _print_findings(findings: tuple[Finding, ...]) -> None:
    """Print how each family of kernels did, the wrong ones with their operations."""
    print_table(
        {
            "kernels": [finding.family for finding in findings],
            "precision": [finding.precision for finding in findings],
            "worst error": [f"{finding.worst_error:.1e}" for finding in findings],
            "wrong": [", ".join(finding.wrong) or "-" for finding in findings],
        }
    )


def _memory(size_bytes: int) -> str:
    """Return a size in GiB; a dash where the device has no memory of its own."""
    return f"{size_bytes / 2**30:.1f} GiB" if size_bytes else "-"

"""Time matrix products beside NumPy: those of a training step of 784-256-128-10, and large ones.

Both take turns in one process, on as many threads as the machine has cores. A turn is a run of
products long enough to measure; the table has GFLOP/s of the median turn and of the fastest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable

import attrs
import numpy as np

from workbench.engine.backends.base import Device
from workbench.engine.backends.catalogue import open_device
from workbench.engine.function import function
from workbench.engine.graph.variable import SharedVariable, Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it

BATCH = 128
IMAGES = 5_000
#: Seconds of a turn.
TURN_S = 0.02
#: Products of a turn at most.
MOST = 200
#: Seconds before a turn: OpenBLAS's threads look for work for as long before they sleep.
PAUSE_S = 0.3

Numbers = Callable[..., SharedVariable]
Run = Callable[[], None]


@attrs.frozen
class Case:
    """A product (m by k) by (k by n): as the workbench computes it, and as NumPy does.

    Parameters
    ----------
    expression
        Makes the outputs and updates from a function that makes shared variables of a shape.
    layout
        How NumPy's operands lie in memory: N by row, T by column.
    """

    m: int
    n: int
    k: int
    layout: str
    expression: Callable[[Numbers], tuple[list[Variable], list[tuple[SharedVariable, Variable]]]]

    @property
    def flop(self) -> int:
        return 2 * self.m * self.n * self.k


def gathered(make: Numbers, rows: int) -> Variable:
    """A mini-batch of images as a training step has it: bytes, gathered, cast and scaled."""
    images = make(IMAGES, 784, dtype="uint8")
    order = shared(np.random.default_rng(1).permutation(IMAGES)[:rows].astype(np.int32))
    return T.cast(images[order], "float32") * np.float32(1 / 256)


def forward(k: int, n: int, *, of_bytes: bool = False) -> Case:
    """A layer: product, bias, relu; both the sum and its relu are kept, as training needs them."""

    def expression(make: Numbers) -> tuple[list[Variable], list[tuple[SharedVariable, Variable]]]:
        x = gathered(make, BATCH) if of_bytes else make(BATCH, k)
        product = T.dot(x, make(k, n))
        before, after = make(BATCH, n), make(BATCH, n)
        return [], [(before, product), (after, T.maximum(product + make(n), 0))]

    return Case(BATCH, n, k, "NN", expression)


def backward(k: int, n: int) -> Case:
    """What comes back through a layer: product by the transpose, and relu's mask."""

    def expression(make: Numbers) -> tuple[list[Variable], list[tuple[SharedVariable, Variable]]]:
        product = T.dot(make(BATCH, k), make(n, k).T)
        before = make(BATCH, n)
        return [], [(make(BATCH, n), T.switch(T.lt(before, 0), 0, product))]

    return Case(BATCH, n, k, "NT", expression)


def update(m: int, n: int, *, of_bytes: bool = False) -> Case:
    """A layer's new weights: product of the transpose, added to the weights."""

    def expression(make: Numbers) -> tuple[list[Variable], list[tuple[SharedVariable, Variable]]]:
        x = gathered(make, BATCH) if of_bytes else make(BATCH, m)
        weight = make(m, n)
        return [], [(weight, weight + np.float32(1e-6) * T.dot(x.T, make(BATCH, n)))]

    return Case(m, n, BATCH, "TN", expression)


def plain(m: int, n: int, k: int, layout: str = "NN") -> Case:
    """Nothing but the product."""

    def expression(make: Numbers) -> tuple[list[Variable], list[tuple[SharedVariable, Variable]]]:
        a = make(m, k) if layout[0] == "N" else make(k, m).T
        b = make(k, n) if layout[1] == "N" else make(n, k).T
        return [], [(make(m, n), T.dot(a, b))]

    return Case(m, n, k, layout, expression)


CASES = {
    "forward 1": forward(784, 256, of_bytes=True),
    "forward 2": forward(256, 128),
    "forward 3": forward(128, 10),
    "backward 3": backward(10, 128),
    "backward 2": backward(128, 256),
    "update 1": update(784, 256, of_bytes=True),
    "update 2": update(256, 128),
    "update 3": update(128, 10),
    "nn-128x784x256": plain(128, 256, 784),
    "tn-784x256x128": plain(784, 256, 128, "TN"),
    "gemm-1024": plain(1024, 1024, 1024),
    "gemm-4096": plain(4096, 4096, 4096),
}


def workbench_runs(case: Case, device: Device) -> tuple[Run, Run]:
    """Return what starts the product once on the device, and what waits for all that started."""
    rng = np.random.default_rng(0)

    def make(*shape: int, dtype: str = "float32") -> SharedVariable:
        numbers = rng.standard_normal(shape, "float32")
        return shared(numbers if dtype == "float32" else (numbers * 50).astype(dtype))

    outputs, updates = case.expression(make)
    compiled = function([], outputs, updates=updates, device=device, slots=MOST)

    def finish() -> None:
        compiled.collect()

    return compiled.enqueue, finish


def numpy_run(case: Case) -> Run:
    """Return what makes the bare product once in NumPy, from float matrices."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((case.m, case.k), "float32")
    b = rng.standard_normal((case.k, case.n), "float32")
    a = a if case.layout[0] == "N" else a.T.copy().T
    b = b if case.layout[1] == "N" else b.T.copy().T
    out = np.empty((case.m, case.n), "float32")

    def run() -> None:
        np.dot(a, b, out=out)

    return run


def turn(run: Run, finish: Run, count: int) -> float:
    """Return the seconds of one product in a run of `count`."""
    time.sleep(PAUSE_S)
    begun = time.perf_counter()
    for _ in range(count):
        run()
    finish()
    return (time.perf_counter() - begun) / count


def measure(case: Case, device: Device, rounds: int) -> dict[str, list[float]]:
    """Return the GFLOP/s of each turn of each contender."""
    contenders: dict[str, tuple[Run, Run]] = {
        "workbench": workbench_runs(case, device),
        "numpy": (numpy_run(case), lambda: None),
    }
    counts = {}
    for name, (run, finish) in contenders.items():
        turn(run, finish, 1)
        counts[name] = min(MOST, max(1, int(TURN_S / turn(run, finish, 3))))
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, (run, finish) in contenders.items():
            found[name].append(case.flop / turn(run, finish, counts[name]) / 1e9)
    return found


def main() -> int:
    """Print the table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--device")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    device = open_device(options.device)
    print(f"{platform.machine()}, {os.cpu_count()} cores, {device.info.id}", file=sys.stderr)
    results = {}
    for name in options.cases:
        case = CASES[name]
        rounds = options.rounds if case.flop < 1e10 else 3
        found = measure(case, device, rounds)
        medians = {who: statistics.median(f) for who, f in found.items()}
        results[name] = found
        if not options.json:
            ratio = statistics.median(
                w / p for w, p in zip(found["workbench"], found["numpy"], strict=True)
            )
            cells = (f"{who} {medians[who]:6.1f} (best {max(f):6.1f})" for who, f in found.items())
            size = f"{case.m}x{case.k}x{case.n} {case.layout}"
            print(f"{name:15} {size:18}", *cells, f"{ratio:.2f} x NumPy", sep="  ", flush=True)
    if options.json:
        print(json.dumps({"device": device.info.id, "gflops": results}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

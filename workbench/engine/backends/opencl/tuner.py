"""The tuner: times tiles on the products of plans, on the device, for a bounded moment.

Responsible for which of the tiles of the search space is the fastest; knows nothing of where plans
come from or of how the result is shown.

A tile only replaces the default where it gives the same bits and is faster in several races, in
which both take turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import attrs
import numpy as np

from workbench.core.errors import BuildFailed, OutOfMemory, UnknownDevice
from workbench.engine.backends.base import Device
from workbench.engine.backends.opencl.codegen.arguments import (
    Argument,
    BufferArgument,
    ExtentArgument,
    Kernel,
    ScalarArgument,
    ScratchArgument,
)
from workbench.engine.backends.opencl.codegen.layout import product_key
from workbench.engine.backends.opencl.codegen.program import step_kernels
from workbench.engine.backends.opencl.codegen.zeros import may_be_empty
from workbench.engine.backends.opencl.device import OpenCLDevice
from workbench.engine.backends.opencl.driver import cl
from workbench.engine.backends.opencl.search import AXES, Limits, Tile, candidates
from workbench.engine.backends.opencl.tunables import ProductKey, Target
from workbench.engine.backends.opencl.tuned import keep
from workbench.engine.lower.plan import Buffer, Plan, Product, Repeat

#: Races of two tiles, and the seconds that a run of one of them should last.
_RACES, _RUN_S = 7, 0.002
#: By how much a tile has to be faster to be taken.
_MARGIN = 1.03

#: Told what is being done, how many of how many products are done.
Progress = Callable[[str, int, int], None]


@attrs.frozen
class Tuned:
    """What came out for a product.

    Parameters
    ----------
    key, label
        The product, and the layer or line that it came from.
    tile
        The fastest; it may be the default.
    default_gflops, gflops
        10^9 operations a second with the default, and with the fastest.
    tried
        How many tiles were timed.
    """

    key: ProductKey
    label: str
    tile: Tile
    default_gflops: float
    gflops: float
    tried: int


def tune(
    device: Device, plans: Iterable[Plan], seconds: float, progress: Progress = lambda *_: None
) -> list[Tuned]:
    """Find fast tiles for the products of `plans`, and keep them in the user's cache.

    Devices that are opened from now on use them, and this one too.

    Parameters
    ----------
    seconds
        About how long it may take; each product gets its share.

    Raises
    ------
    UnknownDevice
        The device has no kernels.
    """
    if not isinstance(device, OpenCLDevice):
        raise UnknownDevice(
            f"{device.info.id} has no kernels to tune.",
            "Name an OpenCL device; see workbench devices.",
        )
    products = _products(plans)
    deadline = time.monotonic() + seconds
    found: list[Tuned] = []
    for number, (key, (plan, step)) in enumerate(products.items()):
        progress(f"tuning {key}", number, len(products))
        left = deadline - time.monotonic()
        share = left / (len(products) - number)
        found.append(_Trial(device, plan, step, key).run(time.monotonic() + share))
    target = device.target
    best = {**target.tuned, **{t.key: t.tile for t in found}}
    for key, (_, step) in products.items():
        if best[key] == _default(target, step):
            del best[key]
    device.target = attrs.evolve(target, tuned=best)
    keep(device.info, target.product, best)
    return found


def _products(plans: Iterable[Plan]) -> dict[ProductKey, tuple[Plan, Product]]:
    """Return the products of all plans, each once."""
    found: dict[ProductKey, tuple[Plan, Product]] = {}
    for plan in plans:
        for step in plan.steps:
            if isinstance(step, Repeat):
                found = {**_products([step.plan]), **found}
            elif isinstance(step, Product) and step.product.size:
                found.setdefault(product_key(plan.buffers, step.product), (plan, step))
    return found


def _default(target: Target, step: Product) -> Tile:
    plain, product = attrs.evolve(target, tuned={}), step.product
    if target.product == "panels":
        lists = may_be_empty(product.inputs[0])
        return plain.panel_tile(product.dtype, product.shape, lists=lists)
    return plain.group_tile()


class _Trial:
    """One product on memory of its own."""

    def __init__(self, device: OpenCLDevice, plan: Plan, step: Product, key: ProductKey) -> None:
        self._device, self._plan, self._step, self._key = device, plan, step, key
        self._rng = np.random.default_rng(0)
        self._memory: dict[Argument, cl.Buffer] = {}
        self._start: dict[Argument, np.ndarray] = {}
        (m, n), k = step.product.shape, step.product.inputs[0].shape[1]
        self._flop = 2 * m * n * k
        self._tried = 0

    def run(self, deadline: float) -> Tuned:
        """Search one axis after the other until `deadline`."""
        target = self._device.target
        dtype = self._step.product.dtype
        default = _default(target, self._step)
        limits = Limits(
            target.local_memory,
            self._device.runtime.device.max_work_group_size,
            np.dtype(dtype).itemsize,
        )
        slow = self._prepared(default)
        expected = self._results(slow)
        best, fast = default, slow
        for axis in AXES[target.product]:
            for tile in candidates(best, axis, limits):
                if time.monotonic() > deadline:
                    break
                self._tried += 1
                try:
                    other = self._prepared(tile)
                    # A tile that computes something else is a fault, of the driver or of ours.
                    same = self._results(other) == expected
                except (BuildFailed, OutOfMemory):
                    continue
                if same:
                    present, new = self._race(fast, other)
                    if new * _MARGIN < present:
                        best, fast = tile, other
        before, after = self._race(slow, fast)
        if best == default:
            before = after = min(before, after)
        elif after * _MARGIN > before:
            best, after = default, before
        rates = (self._flop / before / 1e9, self._flop / after / 1e9)
        label = self._step.label or self._key
        return Tuned(self._key, label, best, *rates, self._tried)

    def _prepared(self, tile: Tile) -> _Launch:
        """Return the product's kernel with this tile, built, and its arguments set."""
        runtime = self._device.runtime
        target = attrs.evolve(self._device.target, tuned={self._key: tile})
        kernel, *_ = step_kernels(self._plan, self._step, target)
        runtime.build([kernel])
        made = runtime.kernel(kernel)
        with runtime.errors("preparing kernels"):
            for position, argument in enumerate(kernel.arguments):
                made.set_arg(position, self._value(argument))
        return _Launch(made, kernel)

    def _value(self, argument: Argument) -> cl.Buffer | np.generic:
        """Return what stands behind an argument while it is timed."""
        if isinstance(argument, BufferArgument):
            if argument not in self._memory:
                buffer = self._plan.buffers[argument.buffer]
                self._start[argument] = self._numbers(buffer)
                self._memory[argument] = self._device.runtime.allocate(buffer.size_bytes, "tuning")
                self._device.runtime.upload(self._memory[argument], self._start[argument])
            return self._memory[argument]
        if isinstance(argument, ScratchArgument):
            size = argument.elements * np.dtype(argument.dtype).itemsize
            if argument not in self._memory:
                self._memory[argument] = self._device.runtime.allocate(size, "tuning")
            return self._memory[argument]
        if isinstance(argument, ScalarArgument):
            kind = np.dtype(argument.dtype)
            small = kind.type(0.001 if kind.kind == "f" else 0)
            return np.uint8(0) if kind.kind == "b" else small
        if isinstance(argument, ExtentArgument):
            return (
                np.int64(argument.value) if argument.ctype == "long" else np.int32(argument.value)
            )
        return np.int64(0)

    def _numbers(self, buffer: Buffer) -> np.ndarray:
        """Return contents for a buffer: whole numbers may be indices, and are 0, but for bytes."""
        if buffer.dtype == "uint8":
            return self._rng.integers(0, 256, buffer.shape, dtype=np.uint8)
        if "float" in buffer.dtype:
            return self._rng.standard_normal(buffer.shape).astype(buffer.dtype)
        return np.zeros(buffer.shape, buffer.dtype)

    def _results(self, launch: _Launch) -> list[bytes]:
        """Return what a kernel writes, from the same start for all."""
        runtime = self._device.runtime
        written = sorted(
            (a for a in launch.kernel.written if isinstance(a, BufferArgument)),
            key=lambda a: a.buffer,
        )
        for argument in written:
            runtime.upload(self._memory[argument], self._start[argument])
        self._launch(launch, 1)
        return [
            runtime.download(self._memory[a], start.shape, start.dtype.name).tobytes()
            for a in written
            for start in [self._start[a]]
        ]

    def _race(self, first: _Launch, second: _Launch) -> tuple[float, float]:
        """Return the seconds of each: the least of several turns."""
        count = max(1, int(_RUN_S / max(self._launch(first, 3), 1e-7)))
        times = [[self._launch(it, count) for it in (first, second)] for _ in range(_RACES)]
        return min(t[0] for t in times), min(t[1] for t in times)

    def _launch(self, launch: _Launch, count: int) -> float:
        """Return the seconds that one of `count` launches took."""
        runtime, kernel = self._device.runtime, launch.kernel
        with runtime.errors("running kernels"):
            began = time.perf_counter()
            for _ in range(count):
                cl.enqueue_nd_range_kernel(
                    runtime.queue, launch.made, kernel.global_size, kernel.local_size
                )
            runtime.finish()
            return (time.perf_counter() - began) / count


@attrs.frozen(eq=False)
class _Launch:
    """A built kernel with its launch."""

    made: cl.Kernel
    kernel: Kernel

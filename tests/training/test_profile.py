"""Where iterations spend their time."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np
import pytest

from workbench.data.dataset import Dataset
from workbench.engine.backends.base import Launch
from workbench.engine.backends.catalogue import open_device
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.function import function
from workbench.engine.graph.variable import shared
from workbench.engine.lower.cost import cost
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it
from workbench.spec.network import NetworkSpec
from workbench.spec.training import TrainingSpec
from workbench.training.profile import profile, timings
from workbench.training.session import Session


@pytest.mark.parametrize("batch", [6, 4, "full"])
def test_every_step_of_an_iteration_is_timed(
    stripes: Callable[..., Dataset], tanh: NetworkSpec, batch: int | str
) -> None:
    training = TrainingSpec(batch=batch, epochs=10**6)  # type: ignore[arg-type]
    session = Session(tanh, training, stripes(), ReferenceDevice(profile=True))
    found = profile(session, 0.05)
    assert found.iterations > 1
    assert 0 < found.kernel_seconds < found.seconds
    assert sum(kernel.share for kernel in found.kernels) == pytest.approx(1)
    # Of whole mini-batches alone: the one at an epoch's end, which is shorter, is another plan.
    assert [kernel.steps for kernel in found.kernels] == [(n,) for n in range(len(found.kernels))]
    assert {kernel.launches for kernel in found.kernels} == {1.0}
    assert all(kernel.seconds > 0 for kernel in found.kernels)
    assert any("layer 1 dense" in kernel.label for kernel in found.kernels)


def test_kernels_are_averaged_and_get_their_share_of_the_work() -> None:
    x = shared(np.ones((30, 30), np.float32))
    f = function([], [T.dot(x, x), T.sum(x)], device=ReferenceDevice())
    f.prepare()
    (plan,) = f.plans
    work = [cost(step, plan) for step in plan.steps]
    assert len(work) >= 2
    everything = tuple(range(len(work)))
    launches = [
        Launch(plan, (0,), "parts", 0.002),
        Launch(plan, everything, "rest", 0.001),
        Launch(plan, (0,), "parts", 0.004),
        Launch(plan, everything, "rest", 0.001),
    ]
    parts, rest = timings(launches, 2)
    assert (parts.label, parts.steps, parts.launches) == ("parts", (0,), 1.0)
    assert parts.seconds == pytest.approx(0.003)
    assert parts.share == pytest.approx(0.75)
    assert parts.flops == work[0].flops
    # What the first kernel has been credited with, the second is not.
    assert rest.flops == sum(c.flops for c in work[1:])
    assert parts.gflops == pytest.approx(work[0].flops / 0.003 / 1e9)
    assert parts.gigabytes_per_second == pytest.approx(work[0].size_bytes / 0.003 / 1e9)


def test_what_runs_more_than_once_an_iteration_counts_so_often() -> None:
    x = shared(np.ones(10, np.float32))
    f = function([], x + x, device=ReferenceDevice())
    f.prepare()
    (plan,) = f.plans
    (kernel,) = timings([Launch(plan, (0,), "add", 0.001)] * 6, 2)
    assert kernel.launches == 3
    assert kernel.seconds == pytest.approx(0.003)
    assert kernel.flops == 30


def test_timings_are_figures_that_can_be_handed_around() -> None:
    x = shared(np.ones(10, np.float32))
    f = function([], x + x, device=ReferenceDevice())
    f.prepare()
    (kernel,) = timings([Launch(f.plans[0], (0,), "add", 0.0)], 1)
    assert (kernel.gflops, kernel.share) == (0.0, 0.0)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        kernel.seconds = 1.0  # type: ignore[misc]


def test_the_catalogue_opens_devices_to_be_profiled() -> None:
    x = shared(np.ones(10, np.float32))
    for wanted, count in ((True, 1), (False, 0)):
        device = open_device("reference", profile=wanted)
        function([], x + x, device=device)()
        assert len(device.launches()) == count

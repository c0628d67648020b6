"""Every device trains as the reference does, and fused as unfused."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import pytest

from workbench.data.dataset import Dataset, Split
from workbench.engine.backends.catalogue import devices, open_device
from workbench.engine.function import CompileOptions, function
from workbench.nn.initializers import Glorot
from workbench.nn.layers.dense import Dense
from workbench.nn.optimizers.sgd import SGD
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS
from workbench.spec.training import TrainingSpec
from workbench.training import session as session_module
from workbench.training.session import Session

ITERATIONS = 20
DEVICES = [info.id for info in devices()]
opened = cache(open_device)

#: No size of it is a multiple of anything; 20 iterations are three epochs of 7, the last ragged.
NETWORK = NetworkSpec(
    (1, 28, 28),
    (
        Dense(33, init=Glorot()),
        LAYERS["tanh"](),
        Dense(17, bias=False, init=Glorot()),
        LAYERS["relu"](),
        Dense(10, init=Glorot()),
        LAYERS["softmax"](),
    ),
)
TRAINING = TrainingSpec(optimizer=SGD(0.2), batch=37, epochs=3, seed=1, precision="float64")


@pytest.fixture(scope="module")
def blobs() -> Dataset:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (250, 28, 28), np.uint8)
    split = Split(images, generator.integers(0, 10, 250).astype(np.int32))
    return Dataset("blobs", split, split, split, 10)


#: A session and the log-likelihoods of its iterations.
Run = tuple[Session, np.ndarray]


def trained(device: str, data: Dataset) -> Run:
    """Return a session after twenty iterations, and their log-likelihoods."""
    session = Session(NETWORK, TRAINING, data, opened(device))
    figures: list[float] = []
    while len(figures) < ITERATIONS:
        count = min(session.left_in_epoch, ITERATIONS - len(figures))
        figures += session.advance(count).log_likelihood.tolist()
    return session, np.array(figures)


@pytest.fixture(scope="module")
def expected(blobs: Dataset) -> Run:
    return trained("reference", blobs)


def assert_equal(found: Run, expected: Run) -> None:
    session, figures = found
    reference, log_likelihood = expected
    np.testing.assert_allclose(figures, log_likelihood, rtol=0, atol=1e-10)
    for name, value in reference.parameters().items():
        np.testing.assert_allclose(session.parameters()[name], value, rtol=0, atol=1e-10)
    test, wanted = session.evaluate("test"), reference.evaluate("test")
    assert test.log_likelihood == pytest.approx(wanted.log_likelihood, abs=1e-10)
    np.testing.assert_array_equal(test.predictions, wanted.predictions)


@pytest.mark.parametrize("device", DEVICES)
def test_twenty_iterations(device: str, blobs: Dataset, expected: Run) -> None:
    assert_equal(trained(device, blobs), expected)


@pytest.mark.parametrize("device", DEVICES)
def test_fused_equals_unfused(
    device: str,
    blobs: Dataset,
    expected: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unfused = partial(function, options=CompileOptions(fuse=False))
    monkeypatch.setattr(session_module, "function", unfused)
    session, figures = trained(device, blobs)
    assert session._step is not None
    fused = expected[0]._step
    assert fused is not None
    assert len(session._step.plans[0].steps) > len(fused.plans[0].steps)
    assert_equal((session, figures), expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_same_seed_gives_the_same_bits(
    device: str,
    precision: str,
    make_session: Callable[..., Session],
    digest: Callable[[Session], str],
) -> None:
    sessions = [make_session(on=opened(device), precision=precision) for _ in range(2)]
    for session in sessions:
        session.advance(3)
        session.advance(2)
    assert digest(sessions[0]) == digest(sessions[1])
    figures = [session.evaluate("test").log_likelihood for session in sessions]
    assert figures[0] == figures[1]


@pytest.mark.parametrize("device", DEVICES)
def test_a_closed_session_leaves_no_buffer(device: str, blobs: Dataset) -> None:
    counters = opened(device).counters
    gc.collect()
    before = counters.buffers_alive
    gc.disable()
    try:
        session = Session(NETWORK, TRAINING, blobs, opened(device))
        session.advance(2)
        session.evaluate("validation")
        session.predict(blobs.test.inputs[:2])
        assert (counters.buffers_alive > before) is (device != "reference")
        session.close()
        del session
        assert counters.buffers_alive == before
    finally:
        gc.enable()
